"""docs/openapi.json and docs/asyncapi.json say what the tables in the code say, and fit what goes over the wire."""

import json
import re

import pytest

from project import ROOT

OPENAPI = json.loads((ROOT / "docs/openapi.json").read_text())
ASYNCAPI = json.loads((ROOT / "docs/asyncapi.json").read_text())
SCHEMAS = OPENAPI["components"]["schemas"]
MESSAGES = ASYNCAPI["components"]["messages"]

COMMAND = "include/syncrelay/protocol/command.h"
MEMBERS = "src/protocol/command_members.h"
OF_CHANGES = ["channel", "if", "notify", "id", "traceparent"]


def source(path):
    return (ROOT / path).read_text()


def table(path, name):
    """The body of a constant table."""
    found = re.search(name + r"(?:\[\])? = \{(.*?)\};", source(path), re.DOTALL)
    assert found, f"{name} is not in {path}"
    return found[1]


def words(path, name):
    return re.findall(r'"([^"]*)"', table(path, name))


def members_of_ops():
    names = dict(re.findall(r'\{(k\w+), "(\w+)"', source(MEMBERS)))

    def named(expression):
        found = re.findall(r"kOfChanges|\bk[A-Z]\w+", expression)
        return sum((OF_CHANGES if word == "kOfChanges" else [names[word]] for word in found), [])

    rows = re.findall(r"\{Op::\w+, (.*?)\},\n", source(MEMBERS).partition("kMembersOfOp = {{")[2], re.DOTALL)
    parts = [row.split(",", 1) for row in rows]
    return dict(zip(words(COMMAND, "kOpNames"), [(named(must), named(may)) for must, may in parts]))


def test_every_operation_is_there_with_its_members():
    known = members_of_ops()
    assert list(SCHEMAS["Command"]["discriminator"]["mapping"]) == list(known)
    for op, (must, may) in known.items():
        schema = SCHEMAS["Op_" + op]
        assert schema["required"] == ["op", *must], op
        assert set(schema["properties"]) == {"op", *must, *may}, op
        assert ASYNCAPI["components"]["schemas"]["Op_" + op] == schema


def test_every_reason_and_code_is_there():
    reasons = words("include/syncrelay/protocol/rejection.h", "kRejectReasonNames")
    assert SCHEMAS["Reason"]["enum"] == reasons
    codes = re.findall(r'\{(\d+), "(\w+)"\}', table("src/door/http_status.cpp", "kCodes"))
    assert SCHEMAS["DoorCode"]["enum"] == sorted({code for _, code in codes})


def test_every_status_is_there():
    statuses = re.findall(r"\d+", table("include/syncrelay/metrics/stats.h", "kDoorStatuses"))
    assert list(OPENAPI["components"]["responses"]) == ["S" + status for status in statuses]
    said = {status for _, status in re.findall(r"(RejectReason::\w+), (\d+)", table("src/door/http_status.cpp", "kStatuses"))}
    assert said <= set(OPENAPI["paths"]["/commands"]["post"]["responses"])


def test_every_path_is_there():
    rows = re.findall(r'\{"(/[^"]*)"', source("src/door/routes.cpp").partition("kRows = {{")[2])
    places = {re.sub(r"NAME", "id" if row.startswith("/clients") else "name", row) for row in rows}
    assert {re.sub(r"[{}]", "", path) for path in OPENAPI["paths"]} == places


def test_the_documents_name_the_version_of_the_project():
    version = re.search(r"version: '([^']*)'", source("meson.build"))[1]
    assert OPENAPI["info"]["version"] == ASYNCAPI["info"]["version"] == version


def test_every_close_code_and_refusal_is_there():
    codes = dict(re.findall(r"(\w+) = (\d+),", re.search(r"enum class CloseCode.*?\};",
                                                       source("include/syncrelay/protocol/close_cause.h"), re.DOTALL)[0]))
    told = {each["name"]: str(each["code"]) for each in ASYNCAPI["channels"]["sync"]["x-close-codes"]}
    assert told == {name: code for name, code in codes.items() if name not in ("none", "abnormal")}
    refused = re.findall(r'\{[^{}]*?"([a-z_]+)",', source("include/syncrelay/protocol/refused_subscription.h"))
    assert MESSAGES["sync_refused"]["payload"]["properties"]["code"]["enum"] == refused
    messages = re.findall(r'\{[^{}]*?"([a-z_]+)",', source("include/syncrelay/protocol/refused_message.h"))
    assert set(messages) <= set(MESSAGES["sync_error"]["payload"]["properties"]["code"]["enum"])


def test_every_type_of_the_protocol_is_there():
    """The relay's own types are those that docs/protocol.md shows."""
    shown = set(re.findall(r'"type":"(sync:\w+|ping)"', source("docs/protocol.md")))
    assert shown == {message["payload"]["properties"]["type"].get("const") for message in MESSAGES.values()
                     if message["name"] not in ("command", "answer")} - {None}


TYPES = {"string": str, "number": (int, float), "integer": int, "object": dict, "array": list, "boolean": bool}


def faults(value, schema, where="message"):
    """What does not fit; of JSON Schema as much as these documents use."""
    if "$ref" in schema:
        schema = ASYNCAPI["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    found = []
    if "const" in schema and value != schema["const"]:
        found.append(f"{where} is {value!r}")
    if "enum" in schema and value not in schema["enum"]:
        found.append(f"{where} is {value!r}")
    kinds = schema.get("type", [])
    kinds = [kinds] if isinstance(kinds, str) else kinds
    if kinds and not any(isinstance(value, TYPES[kind]) for kind in kinds):
        found.append(f"{where} is no {kinds}")
    if isinstance(value, dict):
        properties = schema.get("properties", {})
        found += [f"{where}.{name} is missing" for name in schema.get("required", []) if name not in value]
        for name, part in value.items():
            if name in properties:
                found += faults(part, properties[name], f"{where}.{name}")
            elif schema.get("additionalProperties") is False:
                found.append(f"{where}.{name} is not there")
    return found


def texts_in(value, name):
    """The strings under that name, in a file of vectors."""
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else []
    if isinstance(value, dict) and isinstance(value.get(name), str) and "about" not in value:
        yield value[name]
    for part in parts:
        yield from texts_in(part, name)


@pytest.mark.parametrize("name", ["events", "snapshots", "members"])
def test_what_the_vectors_say_clients_hear_fits(name):
    by_type = {message["payload"]["properties"]["type"].get("const"): message["payload"] for message in MESSAGES.values()
               if "properties" in message["payload"]}
    vectors = json.loads(source(f"tests/vectors/{name}.json"))
    found = [json.loads(text) for text in texts_in(vectors, "text") if text.startswith('{"type":')]
    known = [message for message in found if message["type"] in by_type]
    assert known, f"{name}: no message found"
    for message in known:
        assert not faults(message, by_type[message["type"]]), message


def test_the_vectors_of_commands_fit():
    found = []
    for text in texts_in(json.loads(source("tests/vectors/commands_accepted.json")), "command"):
        if text.startswith("{"):
            found.append(json.loads(text))
            assert not faults(found[-1], SCHEMAS["Op_" + found[-1]["op"]]), text[:200]
    assert found
