"""The messages, commands and synopses that docs/protocol.md and docs/channels.md show are such as there are."""

import json
import re
import subprocess
import urllib.error
import urllib.request

import pytest

from readme import CHANNELS, ROOT, blocks

PROTOCOL = (ROOT / "docs/protocol.md").read_text()
SHOWN = re.findall(r"^ {4}.*$", PROTOCOL, re.MULTILINE)
COMMANDS = json.loads((ROOT / "docs/openapi.json").read_text())["components"]["schemas"]
TYPES = {name for name in re.findall(r'"(sync:\w+)"', (ROOT / "docs/asyncapi.json").read_text())}
# What a command is told whose form is wrong; that there is no such member or client says that it was understood.
MISSING = {404, 409}


def begins(lines):
    """The objects that lines begin with, as text; an ellipsis stands for what is left out."""
    found = []
    for line in lines:
        text = re.sub(r"^[ →←]+", "", line)
        if text.startswith("{"):
            found.append(text[:_end(text)])
    return [text for text in found if text]


def _end(text):
    depth = 0
    for place, sign in enumerate(text):
        depth += {"{": 1, "}": -1}.get(sign, 0)
        if depth == 0:
            return place + 1
    return 0  # goes on in the next line


def filled(text):
    """Without ellipses: something in the place of a value, nothing in that of members."""
    text = re.sub(r'("\w+":)…', r'\1"x"', text.replace("{…}", "{}").replace('"…"', '"x"'))
    return json.loads(re.sub(r",…|…,?", "", text))


SENT = [text for text in begins(SHOWN) if '"op"' in text[:6]]
WHOLE = [text for text in SENT if "…" not in text] + [text.strip() for text in blocks("json", CHANNELS)]


@pytest.mark.parametrize("text", begins(SHOWN))
def test_what_is_shown_is_json_of_known_types(text):
    message = filled(text)
    assert message.get("type", "").partition(":")[0] != "sync" or message["type"] in TYPES
    if "op" in message:
        assert set(message) <= set(COMMANDS["Op_" + message["op"]]["properties"])


def test_a_relay_understands_each_command_that_is_shown_whole(reader):
    reader.starts_relay("build/syncrelay serve --port 8642 --admin 127.0.0.1:8643 --presence 'room:*' --anonymous-identity")
    assert len(WHOLE) > 15
    for text in WHOLE:
        command = json.loads(text)
        command = {**command, "wait": 0} if "wait" in command else command
        request = urllib.request.Request(reader.adapted("http://127.0.0.1:8643/commands"), json.dumps(command).encode())
        try:
            urllib.request.urlopen(request, timeout=30).close()
        except urllib.error.HTTPError as error:
            assert error.code in MISSING or command["op"] == "backup", f"{text}: {error.read().decode()}"


def test_the_synopsis_has_the_verbs_and_options_that_there_are():
    synopsis = "\n".join(line for line in SHOWN if re.match(r" {4}(syncrelay| {20,}\w)", line) and '"' not in line)
    lines = [line.removeprefix("    syncrelay ") for line in synopsis.splitlines() if line.startswith("    syncrelay ")]
    named = {verb.strip("[]") for line in lines for verb in re.findall(r"(?:^|\| )(\[?[a-z]+\]?)(?= |$)", re.split(r" {3,}", line)[0])}
    said = subprocess.run([ROOT / "build/syncrelay", "--help"], capture_output=True, text=True, check=True).stdout
    [verbs] = re.findall(r"^Subcommands:\n(.*?)(?:\n\n|\Z)", said, re.MULTILINE | re.DOTALL)
    assert named == set(re.findall(r"^  ([a-z-]+)", verbs, re.MULTILINE))
    for option in set(re.findall(r"--[a-z][a-z-]+", synopsis)):
        assert option in said, option
