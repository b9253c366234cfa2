"""The command line and channels: what it sends, what it prints, and what a relay makes of it."""

import asyncio
import contextlib
import json

import pytest
import websockets

from deadline import wait_until
from shell import Shell, assert_failed

OPEN = ("--open-channels", "room:*")
EPOCH = "9f2c61d0a7b34e55"
LONGEST = "r" * 128


@pytest.fixture
def relay(start_relay):
    return start_relay(*OPEN)


@pytest.fixture
def asked(control, runtime_dir, start):
    """asked(arguments, answers): the command at its end, and what it asked for its answers."""
    def ask(arguments, *answers):
        command = start(Shell(runtime_dir), *arguments, "--timeout", "20s")
        requests = []
        for answer in answers:
            peer, request = control.receive()
            requests.append(request)
            control.answer(peer, answer)
        command.wait()
        return command, requests
    return ask


@contextlib.asynccontextmanager
async def fake_clients_port(talk):
    """A port for clients where each connection is `talk(connection, path)`'s."""
    async with websockets.serve(talk, "127.0.0.1", 0, compression=None) as server:
        yield server.sockets[0].getsockname()[1]


def full(channel, seq, epoch=EPOCH):
    named = {"channel": channel} if channel else {}
    return json.dumps({"type": "sync:full", **named, "data": {}, "ts": 1.0, "seq": seq, "epoch": epoch})


# What is sent

DONE = {"ok": True, "seq": 1, "epoch": EPOCH, "clients": 0}


@pytest.mark.parametrize("arguments, sent", [
    (("set", "k", "1", "--channel", "room:1"), {"op": "set", "channel": "room:1", "key": "k", "value": 1}),
    (("set", "k", "1", "--channel", ""), {"op": "set", "key": "k", "value": 1}),
    (("set", "k", "1", "--ttl", "5", "--if-version", "7"), {"op": "set", "key": "k", "value": 1, "ttl": 5, "if": {"k": 7}}),
    (("merge", "k", "{}", "--ttl", "20ms"), {"op": "merge", "key": "k", "value": {}, "ttl": 0.02}),
    (("delete", "k", "--if-version", "0", "--silent"), {"op": "delete", "key": "k", "if": {"k": 0}, "notify": False}),
    (("publish", "t", "--channel=a", "--channel="), {"op": "broadcast", "channels": ["a", ""], "type": "t"}),
    (("publish", "t", "--channel=a", "--set", "k=1", "--ttl=1"),
     {"op": "broadcast", "channel": "a", "type": "t", "set": {"k": 1}, "ttl": 1}),
    (("drop", "room:1"), {"op": "drop", "channel": "room:1"})], ids=str)
def test_a_command_says_its_channel_time_and_version(asked, arguments, sent):
    command, [request] = asked(arguments, DONE)
    assert request.pop("id").startswith("cli-")
    assert request == sent
    assert command.messages() == [DONE], command.errors


@pytest.mark.parametrize("arguments, sent", [
    (("state", "--channel", "room:1"), {"op": "state", "channel": "room:1"}),
    (("state", "k", "--channel", "room:1"), {"op": "state", "channel": "room:1", "key": "k"}),
    (("clients",), {"op": "clients"}),
    (("clients", "--channel", ""), {"op": "clients", "channel": ""}),
    (("clients", "--channel", "room:1"), {"op": "clients", "channel": "room:1"}),
    (("disconnect", "dev-1"), {"op": "disconnect", "id": "dev-1"}),
    (("disconnect", "--connection=7", "--code=4001", "--reason", "go \"now\""),
     {"op": "disconnect", "connection": 7, "code": 4001, "reason": 'go "now"'}),
    (("members",), {"op": "members"}),
    (("members", "--channel", "room:1"), {"op": "members", "channel": "room:1"})], ids=str)
def test_a_query_says_its_channel(asked, arguments, sent):
    command, requests = asked(arguments, {"ok": True, "state": {"k": 1}, "clients": [], "members": {}})
    assert requests == [sent] and command.wait() == 0, command.errors


def test_a_list_of_channels_is_asked_for_page_by_page(asked):
    listed = [{"name": name, "seq": 1, "epoch": EPOCH, "subscribers": 0, "keys": 0, "bytes": 0} for name in ("room:1", "room:2", "room:3")]
    command, requests = asked(("channels", "room:"), {"ok": True, "channels": listed[:2], "more": True},
                              {"ok": True, "channels": listed[2:], "more": False})
    first = {"op": "channels", "limit": 1000, "prefix": "room:"}
    assert requests == [first, {**first, "after": "room:2"}]
    assert command.messages() == [listed], command.errors


@pytest.mark.parametrize("current, told", [
    ({"lock": {"version": 18, "value": 1}}, "lock has version 18 now"),
    ({"lock": {"version": 0}}, "lock is not there now")], ids=["changed", "gone"])
def test_a_conflict_is_exit_code_1_and_tells_the_present_version(asked, current, told):
    error = {"code": "conflict", "message": "another version", "offset": 0, "current": current}
    command, _ = asked(("set", "lock", "1", "--if-version", "17"), {"ok": False, "error": error})
    assert command.wait() == 1 and command.lines == []
    assert command.errors == [f"syncrelay: refused: conflict: another version; {told}"]


@pytest.mark.parametrize("arguments", [
    ("state", "--channel", "a b"), ("publish", "t", "--channel", LONGEST + "r"), ("watch", "--channel", "room,1"),
    ("drop", "a b"), ("drop", ""), ("channels", "ü"), ("publish", "t", "--channel=a", "--channel=a"),
    ("set", "k", "1", "--channel=a", "--channel=b"), ("stats", "--channel=a"), ("publish", "t", "--ttl", "1"),
    ("set", "k", "1", "--if-version", "x")], ids=str)
def test_what_can_be_no_channel_is_exit_code_2_and_is_not_sent(control, runtime_dir, arguments):
    assert_failed(Shell(runtime_dir).run(*arguments), 2)
    assert not control.gets_another(0)


# watch, step by step

async def test_watch_asks_for_its_channels_and_goes_on_at_their_positions(runtime_dir, start):
    paths = []

    async def talk(connection, path):
        paths.append(path)
        if len(paths) == 1:
            await connection.send(full("room:1", 7))
            await connection.send(full("", 3, epoch="e/&+"))
            await connection.send('{"type":"x","channel":"room:1","data":1,"ts":1.0,"seq":8}')
            await connection.close(1001)
        await connection.wait_closed()

    async with fake_clients_port(talk) as port:
        watching = start(Shell(runtime_dir, port), "watch", "--channel", "room:1", "--channel=", "--channel", "b/2")
        await asyncio.to_thread(wait_until, lambda: len(paths) == 2, "the second connection")
        watching.end()
    assert paths == ["/ws/sync?channel=room:1&channel=&channel=b/2",
                     f"/ws/sync?channel=room:1,{EPOCH},8&channel=,e%2F%26%2B,3&channel=b/2"]
    assert [message.get("channel") for message in watching.messages()] == ["room:1", None, "room:1"]


async def test_watch_says_what_is_refused_and_dropped_and_ends_when_nothing_is_left(runtime_dir, start):
    async def talk(connection, _):
        await connection.send('{"type":"sync:refused","channel":"a","code":"forbidden","message":"not open"}')
        await connection.send(full("b", 1))
        await connection.send('{"type":"sync:unsubscribed","channel":"b","reason":"dropped"}')
        await connection.wait_closed()

    async with fake_clients_port(talk) as port:
        watching = start(Shell(runtime_dir, port), "watch", "--host", "127.0.0.1", "--channel", "a", "--channel", "b")
        assert await asyncio.to_thread(watching.wait) == 1
    assert [message["type"] for message in watching.messages()] == ["sync:refused", "sync:full", "sync:unsubscribed"]
    assert watching.errors == ["syncrelay: the relay refuses a: forbidden: not open",
                               f"syncrelay: cannot watch 127.0.0.1 port {port}: b is over: dropped"]


async def test_watch_fails_when_all_is_refused_whatever_it_counts_to(runtime_dir, start):
    async def talk(connection, _):
        await connection.send('{"type":"sync:refused","channel":"a","code":"forbidden","message":"not open"}')
        await connection.wait_closed()

    async with fake_clients_port(talk) as port:
        watching = start(Shell(runtime_dir, port), "watch", "--host", "127.0.0.1", "--channel", "a", "--count", "1")
        assert await asyncio.to_thread(watching.wait) == 1
    assert watching.errors == [f"syncrelay: cannot watch 127.0.0.1 port {port}: the relay refuses a: forbidden: not open"]


async def test_watch_asks_by_messages_for_what_does_not_fit_into_the_address(runtime_dir, start):
    names = [f"{number:03}{LONGEST[3:]}" for number in range(128)]
    asked = []

    async def talk(connection, path):
        said = [json.loads(await connection.recv()) for _ in range(128 - path.count("channel="))]
        asked.append((path, said))
        for name in names:
            await connection.send(full(name, 2**53))
        await connection.close(1001)

    async with fake_clients_port(talk) as port:
        watching = start(Shell(runtime_dir, port), "watch", *(f"--channel={name}" for name in names))
        await asyncio.to_thread(wait_until, lambda: len(asked) == 2, "the second connection")
        watching.end()
    [(first_path, first), (path, second)] = asked
    assert first_path == "/ws/sync?" + "&".join(f"channel={name}" for name in names[:128 - len(first)])
    assert first == [{"type": "sync:subscribe", "channel": name} for name in names[128 - len(first):]]
    assert path.endswith(f"{names[127 - len(second)]},{EPOCH},{2**53}")
    assert second[-1] == {"type": "sync:subscribe", "channel": names[-1], "epoch": EPOCH, "seq": 2**53}


# Against a relay

def test_each_channel_has_a_state_of_its_own(shell):
    shell.run("set", "title", '"one"', "--channel", "room:1")
    shell.run("merge", "title", '{"n":2}', "--channel", "room:2")
    assert shell.json("state", "--channel", "room:1") == {"title": "one"}
    assert shell.json("state", "title", "--channel", "room:2") == {"n": 2}
    assert shell.json("state") == {"comparison": None, "radio": None}
    assert_failed(shell.run("state", "nothing", "--channel", "room:1"), 1, 'the state of room:1 has no key "nothing"')


def test_a_key_is_changed_only_at_the_version_that_is_named(shell):
    assert shell.run("set", "lock", "1", "--if-version", "0").returncode == 0
    version = shell.json("state", "lock", "--versions")["version"]
    assert shell.json("state", "--versions")["lock"] == {"version": version, "value": 1}
    assert_failed(shell.run("set", "lock", "2", "--if-version", "0"), 1, "refused: conflict", f"lock has version {version} now")
    assert shell.json("set", "lock", "3", "--if-version", version)["versions"]["lock"] > version
    assert_failed(shell.run("delete", "nothing", "--if-version", version), 1, "refused: conflict", "nothing is not there now")
    assert shell.json("state", "lock") == 3


def test_a_key_goes_after_its_time(shell, start):
    watching = start(shell, "watch", "--channel", "room:1", "--count", 3)
    watching.wait_for_lines(1)
    shell.run("set", "typing", "true", "--ttl", "100ms", "--channel", "room:1")
    assert watching.wait() == 0
    assert [message["type"] for message in watching.messages()] == ["sync:full", "sync:set", "sync:delete"]
    assert shell.json("state", "--channel", "room:1") == {}


def test_an_event_goes_to_every_channel_of_a_list(shell, start):
    watching = start(shell, "watch", "--channel", "room:1", "--channel", "room:2", "--count", 4)
    watching.wait_for_lines(2)
    answer = shell.json("publish", "closing", "7", "--channel", "room:1", "--channel", "room:2", "--channel", "room:3")
    assert answer["positions"].keys() == {"room:1", "room:2", "room:3"}
    assert watching.wait() == 0
    assert [(m["type"], m["channel"], m["seq"]) for m in watching.messages()[2:]] == [
        ("closing", "room:1", 1), ("closing", "room:2", 1)]


def test_watch_goes_on_in_every_channel_when_the_relay_is_back(start_relay, runtime_dir, start):
    data = (*OPEN, "--data", runtime_dir / "data")
    first = start_relay(*data)
    shell = Shell(runtime_dir, first.port)
    watching = start(shell, "watch", "--channel", "room:1", "--channel=")
    watching.wait_for_lines(2)
    shell.run("publish", "before", "--channel", "room:1", "--channel=")
    watching.wait_for_lines(4)
    first.kill()
    wait_until(lambda: watching.errors, "the lost connection is told")
    start_relay(*data, "--port", first.port)
    shell.run("publish", "after", "--channel", "room:1", "--channel=")
    messages = watching.wait_for_lines(8)
    for channel in ("room:1", None):
        assert [m["type"] for m in messages if m.get("channel") == channel] == ["sync:full", "before", "sync:resume", "after"]


def test_a_channel_that_is_not_open_cannot_be_watched(relay, shell):
    ended = shell.run("watch", "--host", "127.0.0.1", "--channel", "secret")
    assert ended.returncode == 1 and json.loads(ended.stdout)["code"] == "forbidden"
    assert ended.stderr.startswith(f"syncrelay: cannot watch 127.0.0.1 port {relay.port}: the relay refuses secret: forbidden: ")


def test_channels_are_listed_and_dropped(shell, start):
    for name in ("room:1", "room:2", "hall"):
        shell.run("set", "k", "1", "--channel", name)
    watching = start(shell, "watch", "--channel", "room:1")
    watching.wait_for_lines(1)
    assert [channel["name"] for channel in shell.json("channels")] == ["", "hall", "room:1", "room:2"]
    [one, two] = shell.json("channels", "room:")
    assert (one["name"], one["seq"], one["subscribers"], one["keys"]) == ("room:1", 1, 1, 1) and two["subscribers"] == 0
    assert len(shell.json("clients", "--channel", "room:1")) == 1 and shell.json("clients", "--channel", "room:2") == []
    assert shell.run("drop", "room:1").returncode == 0
    assert watching.wait() == 1 and watching.messages()[-1]["reason"] == "dropped"
    assert [channel["name"] for channel in shell.json("channels", "room:")] == ["room:2"]
    assert shell.run("drop", "room:1").returncode == 0


def test_a_terminal_is_told_of_channels(shell):
    set_in_room = ("set", "k", "1", "--channel", "room:1")
    assert shell.on_terminal(*set_in_room) == (0, "set k in room:1 at position 1; clients: 0\n")
    assert shell.on_terminal("publish", "t", "--channel=room:1", "--channel=") == (
        0, "published t in room:1 at position 2, in the default channel at position 1; clients: 0\n")
    code, shown = shell.on_terminal("channels", NO_COLOR="1")
    lines = shown.splitlines()
    assert code == 0 and lines[0].split() == ["name", "seq", "subscribers", "keys", "bytes"]
    assert [line.split()[:3] for line in lines[1:]] == [["(default)", "1", "0"], ["room:1", "2", "0"]]
    assert shell.on_terminal("channels", "nowhere") == (0, "no channel's name begins with nowhere\n")
    assert shell.on_terminal("clients", "--channel", "room:1") == (0, "no client follows room:1\n")
    assert shell.on_terminal("drop", "room:1") == (0, "dropped room:1\n")


def test_events_of_a_channel_are_printed_from_where_it_is_asked(shell, start):
    for number in range(1, 6):
        shell.run("publish", "said", number, "--channel", "room:1")

    def printed(*arguments):
        return [json.loads(line) for line in shell.run("events", *arguments).stdout.splitlines()]

    assert [event["seq"] for event in printed("room:1", "--max", 2)] == [4, 5] and printed() == []
    some = shell.run("events", "room:1", "--after", 1, "--max", 3)
    assert [json.loads(line)["data"] for line in some.stdout.splitlines()] == [2, 3, 4]
    assert some.stderr == "syncrelay: there are newer ones: go on with --after\n"
    assert printed("room:1", "--after", 5) == []
    waiting = start(shell, "events", "room:1", "--after", 5, "--wait", "20s", "--timeout", "1s")
    wait_until(lambda: shell.run("publish", "said", 6, "--channel", "room:1").returncode == 0, "a sixth is said")
    assert waiting.wait() == 0 and waiting.messages()[0]["data"] == 6
    _, shown = shell.on_terminal("events", "room:1", "--max", "1", NO_COLOR="1")
    assert shown.rstrip().endswith("6  room:1  said  6")


def test_refused_commands_are_listed_with_reason_place_source_and_time(shell, pusher, relay):
    assert shell.json("refused") == []
    code, shown = shell.on_terminal("refused")
    assert code == 0 and shown.strip() == "no command was refused"
    pusher.push('{"op":"set","key":5,"value":1}')
    wait_until(lambda: shell.json("refused"), "it is refused")
    shell.run("set", "k", "1", "--channel", "room:1", "--if-version", "7")
    [newest, pushed] = shell.json("refused")
    assert [newest[name] for name in ("source", "reason", "op", "channel")] == ["control", "conflict", "set", "room:1"]
    assert (pushed["source"], pushed["reason"], pushed["offset"]) == ("push", "wrong_type", 18)
    assert shell.json("refused", "--max", 1) == [newest]
    _, shown = shell.on_terminal("refused", NO_COLOR="1")
    title, *lines = shown.splitlines()
    assert title.split() == ["time", "source", "op", "channel", "reason", "at", "why"]
    assert len(lines) == 2 and "conflict" in lines[0] and "push ipc://" in lines[1] and "byte 18" in lines[1]
