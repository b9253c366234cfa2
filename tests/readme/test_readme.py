"""Everything that README.md, the pages it leads to first, docs/channels.md and docs/admin.md tell to type does that."""

import asyncio
import json
import os
import re
import shlex
import shutil
import subprocess

import pytest

from conftest import command_with
from reader import KEY_FILE, TLS_FILES
from readme import ADMIN, CHANNELS, CLUSTERS, ROOT, TUTORIAL, blocks, commands, options

BY_FIXTURE = ("python3 -m venv", ".venv/bin/pip install", "npm install")
ALL = list(dict.fromkeys(commands() + commands(CHANNELS) + commands(ADMIN)))
CLUSTER = [command for command in ALL if "--cluster" in command]  # test_clusters.py
RELAY = [command for command in ALL if command.startswith("scripts/run") and command not in CLUSTER]
WSCAT = [command for command in commands() if command.startswith("wscat")]
DISCONNECT = [command for command in ALL if command.startswith("build/syncrelay disconnect")]
EXPLAIN = [command for command in ALL if command.startswith("build/syncrelay explain")]
TLS = [command for command in commands() if TLS_FILES[1] in command or "check-tls" in command]
DOCKER = [command for command in commands() + commands(CLUSTERS) if command.startswith("docker")]
SERVED = [command for command in commands() if "http.server" in command]
ELSEWHERE = RELAY + SERVED + CLUSTER + WSCAT + DISCONNECT + EXPLAIN + DOCKER + TLS
OTHERS = [
    command for command in ALL if command not in ELSEWHERE and not command.startswith((*BY_FIXTURE, "scripts/test"))
]
NODE_WITHOUT_WEBSOCKET = ["node", "--experimental-websocket", "--input-type=module", "-e"]


def without_clock_and_epoch(line):
    return re.sub(r'("ts":)[\d.]+|("epoch":)"[0-9a-f]+"', r"\1\2…", line)


@pytest.mark.parametrize("command", RELAY)
def test_the_relay_starts_and_stops(reader, command):
    if KEY_FILE in command:
        reader.types(command_with("openssl rand"))
    if command in TLS:
        reader.types(command_with("openssl req"))
    relay = reader.starts_relay(command)
    assert relay.stop() == 0


def test_the_test_command_is_the_one_that_runs_this():
    assert "scripts/test" in commands()
    if "SYNCRELAY_UNDER_TEST" not in os.environ:
        pytest.skip("scripts/test does not run this now")


@pytest.fixture
def no_backup():
    """`backup FILE`, typed as it stands, makes a FILE, and refuses one that is there."""
    (ROOT / "FILE").unlink(missing_ok=True)
    yield
    (ROOT / "FILE").unlink(missing_ok=True)


@pytest.mark.parametrize("command", OTHERS)
def test_a_command_succeeds_and_answers(relay_with_metrics, reader, no_backup, command):
    quiet = command.endswith(("healthcheck", "backup FILE", KEY_FILE))
    assert reader.types(command) or quiet


def test_the_port_with_tls_is_reached_as_the_commands_say(reader):
    make, start, *asking = TLS
    reader.types(make)
    reader.starts_relay(start)
    for command in asking:
        assert reader.types(command)


def test_the_page_of_the_tutorial_is_served_as_it_says(reader, tmp_path):
    [page], [script] = blocks("html", TUTORIAL), blocks("js", TUTORIAL)
    [name] = re.findall(r'<script src="(.*?)">', page)
    assert f"`{name}`" in TUTORIAL and "http://localhost:8000/page.html" in TUTORIAL
    (tmp_path / "page").mkdir()
    for file, text in (("page.html", page), (name, script)):
        (tmp_path / "page" / file).write_text(text)
    [command] = SERVED
    reader.starts(command, tmp_path)
    for file, text in (("page.html", page), (name, script)):
        assert reader.types(f"curl -s --retry-connrefused --retry 30 --retry-delay 1 http://localhost:8000/{file}") == text


@pytest.mark.parametrize("command", DISCONNECT)
def test_a_client_is_disconnected_as_the_command_says(relay, reader, command):
    websockets = pytest.importorskip("websockets")
    words = shlex.split(command)

    async def follow():
        async with websockets.connect(f"ws://127.0.0.1:{reader.environment['SYNCRELAY_PORT']}/ws/sync") as client:
            await client.send(json.dumps({"type": "sync:hello", "id": words[2], "ref": "q7Zk2mXv"}))
            while json.loads(await client.recv())["type"] != "sync:ack":
                pass
            assert await asyncio.to_thread(reader.types, command)
            with pytest.raises(websockets.ConnectionClosed) as closed:
                while True:
                    await client.recv()
            for explain in EXPLAIN:
                assert "Closed by a backend" in await asyncio.to_thread(reader.types, explain)
            return str(closed.value.code), closed.value.reason

    expected = words[words.index("--code") + 1], words[words.index("--reason") + 1]
    assert asyncio.run(asyncio.wait_for(follow(), 60)) == expected


@pytest.mark.parametrize("command", DOCKER)
def test_a_docker_command_is_tried_with_the_stack(command):
    words = command.removeprefix("docker compose ").split()
    tried = "".join(path.read_text() for path in (ROOT / "tests/compose").glob("*.py"))
    if words[0] == "-f":
        assert json.dumps(words[1]) in tried and (ROOT / words[1]).exists()
        words = words[2:]
    call = f"compose({', '.join(json.dumps(word) for word in words)})"
    assert call in tried, f"tests/compose does not do: {call}"


@pytest.mark.parametrize("command", WSCAT)
def test_wscat_prints_what_the_readme_shows(relay, reader, wscat, command):
    shown = blocks("text")[0].splitlines()
    terminal = reader.starts_in_terminal(command)
    for line in shown:
        found = terminal.line_with(line[:20])
        assert without_clock_and_epoch(found) == without_clock_and_epoch(line)


@pytest.mark.skipif(not shutil.which("node"), reason="node is not installed")
def test_the_readme_of_the_python_client_says_the_same(python_client):
    text = (ROOT / "clients/python/README.md").read_text()
    for start in BY_FIXTURE[:2]:
        assert f"\n{command_with(start)}\n" in text


def test_the_python_lines_reach_the_javascript_lines(relay, reader, python_client):
    [listener] = blocks("js")
    page = reader.launches([*NODE_WITHOUT_WEBSOCKET, reader.adapted(listener)])
    page.line_with("sync:full")
    subprocess.run([python_client, "-c", blocks("python")[0]], env=reader.environment, check=True)
    assert page.line_with("radio:started").startswith("2 ")
    page.line_with("Harbour Lights")


CHANGES = """
from syncrelay import Relay

with Relay() as relay:
    relay.set("a", {"deep": {"x": 1, "y": [1]}, "gone": 1})
    relay.merge("a", {"deep": {"x": None, "z": {"n": None}}, "gone": None})
    relay.merge("new", {"x": {"y": None}})
    relay.merge("list", [1])
    relay.set("b", 2)
    relay.delete("b")
    relay.delete("radio")
    relay.broadcast("e", 1, set={"comparison": [1], "c": None})
    relay.merge("list", None)
    relay.set("car", {"constructor": "Bosch", "a": 1})
    relay.merge("car", {"b": 2, "year": None, "__proto__": {"z": 1}, "toString": {"deep": {"constructor": None}}})
    relay.merge("constructor", {"valueOf": {"x": 1}})
    relay.set("__proto__", {"x": 1})
    relay.merge("__proto__", {"y": {"__proto__": 2}})
    relay.broadcast("f", set={"hasOwnProperty": 1})
    relay.broadcast("end")
"""


@pytest.mark.skipif(not shutil.which("node"), reason="node is not installed")
def test_the_javascript_lines_keep_a_true_copy_of_the_state(relay, reader, python_client):
    [listener] = blocks("js")
    shown = 'socket.addEventListener("message", () => console.log("state " + JSON.stringify(state)));'
    page = reader.launches([*NODE_WITHOUT_WEBSOCKET, reader.adapted(listener) + shown])
    page.line_with("sync:full")
    for text in (blocks("python")[0], CHANGES):
        subprocess.run([python_client, "-c", text], env=reader.environment, check=True)
    page.line_with(" end ")
    copy = json.loads(page.line_with("state ").removeprefix("state "))
    assert copy == json.loads(reader.types("build/syncrelay state 2>/dev/null"))
    assert copy["a"] == {"deep": {"y": [1], "z": {}}} and "b" not in copy
    assert copy["__proto__"] == {"x": 1, "y": {"__proto__": 2}} and copy["car"]["constructor"] == "Bosch"


@pytest.mark.parametrize("text", blocks("python") + blocks("python", CHANNELS))
def test_a_python_block_runs(relay, reader, python_client, text):
    subprocess.run([python_client, "-W", "error::ResourceWarning", "-c", text],
                   env=reader.environment, check=True, timeout=30)


COMES_IN = """
import asyncio, os, websockets

async def first_message(*subprotocols):
    url = f"ws://localhost:{os.environ['SYNCRELAY_PORT']}/ws/sync?channel=room:1"
    async with websockets.connect(url, subprotocols=["syncrelay", *subprotocols]) as client:
        return await client.recv()

print(asyncio.run(first_message("token." + relay_token(signed_in()))))
try:
    asyncio.run(first_message())
except websockets.ConnectionClosed as closed:
    print(closed.code, closed.reason)
"""


def test_the_token_of_the_python_lines_lets_in_and_nothing_else_does(reader, python_client):
    reader.types(command_with("openssl rand"))
    reader.starts_relay(command_with("scripts/run --token-key"))
    [text] = [text for text in blocks("python") if "tokens.make" in text]
    done = subprocess.run([python_client, "-c", reader.adapted(text) + COMES_IN], env=reader.environment, check=True,
                          timeout=30, capture_output=True, text=True)
    taken, refused = done.stdout.splitlines()
    assert json.loads(taken)["type"] == "sync:full" and refused == "4401 token_missing"


SERVES = """
import socket, sys, uvicorn
listening = socket.create_server(("127.0.0.1", 0))
print("port", listening.getsockname()[1], flush=True)
uvicorn.Server(uvicorn.Config(app, log_level="warning")).run(sockets=[listening])
"""

ENTERS = """
const there = globalThis.fetch;
globalThis.fetch = (path) => there(`http://127.0.0.1:${process.env.APP_PORT}${path}`);
const socket = new WebSocket(`ws://localhost:${process.env.SYNCRELAY_PORT}/ws/sync`, ["syncrelay", `token.${await token()}`]);
socket.onmessage = ({ data }) => console.log("in", JSON.parse(data).type);
socket.onclose = ({ code, reason }) => console.log("out", code, reason);
"""
JS_CLIENT = (ROOT / "clients/js/README.md").read_text()


def token_functions():
    """Those that the texts show, as JavaScript."""
    [inline] = re.findall(r"token: (async \(\) => .*),$", "\n".join(blocks("ts")), re.MULTILINE)
    [whole] = re.findall(r"^async function token\(\).*?^}$", "\n".join(blocks("ts", JS_CLIENT)), re.MULTILINE | re.DOTALL)
    return [f"const token = {inline};", whole.replace(": Promise<string>", "")]


@pytest.mark.skipif(not shutil.which("node"), reason="node is not installed")
@pytest.mark.parametrize("function", token_functions(), ids=["README", "clients/js"])
def test_the_browsers_token_function_takes_what_the_python_lines_answer(reader, python_client, function):
    reader.types(command_with("openssl rand"))
    reader.starts_relay(command_with("scripts/run --token-key"))
    [text] = [text for text in blocks("python") if "tokens.make" in text]
    app = reader.launches([python_client, "-c", reader.adapted(text) + SERVES])
    reader.environment["APP_PORT"] = app.line_with("port ").split()[1]
    page = reader.launches([*NODE_WITHOUT_WEBSOCKET, function + ENTERS])
    assert page.line_with("in ") == "in sync:full"


def test_the_ten_lines_are_ten():
    assert len([line for line in blocks("python")[0].splitlines() if line.strip()]) <= 10


def test_the_table_of_options_has_none_that_is_unknown():
    """All of them are in docs/reference/options.md, which tests/docs compares."""
    shown = subprocess.run([ROOT / "build/syncrelay", "--print-config"], capture_output=True,
                           text=True, check=True).stdout
    known = set(re.findall(r"^#?\s*([a-z-]+) =", shown, re.MULTILINE))
    assert len(options()) > 20 and {option.removeprefix("--") for option in options()} <= known


def test_the_readme_is_one_screen():
    text = (ROOT / "README.md").read_text()
    assert len(text.splitlines()) <= 50 and commands(text) == ["scripts/run", "scripts/test", "scripts/test unit e2e"]
