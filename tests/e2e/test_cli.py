"""The command line against a running relay: what it prints, in a pipe and on a terminal, and how it exits."""

import contextlib
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile

import pytest

from deadline import wait_until
from fake_relay import FakeControl, closing_port, refusing_port, silent_port
from raw_client import PING, PONG, RawClient
from relay_process import binary, environment
from shell import Shell, assert_failed, connections_to

STRANGER = 65_501  # a user and group that own nothing here
ASKING = [("state",), ("set", "k", "1"), ("merge", "k", "1"), ("delete", "k"), ("publish", "x"), ("clients",), ("members",), ("channels",), ("drop", "a"), ("stats",),
          ("backup", "/nonexistent/copy")]
BUSY = {"ok": False, "error": {"code": "busy", "message": "ask again"}}
NOBODY = 65_534
COLOR = re.compile(r"\x1b\[\d+m")


@pytest.fixture
def stranger():
    """Makes shells of another user, who is called by another number in each test that leaves something in /tmp."""
    if os.geteuid() != 0:
        pytest.skip("only root can become another user")
    directory = pathlib.Path(tempfile.mkdtemp(prefix="syncrelay-stranger-"))
    directory.chmod(0o755)
    program = shutil.copy(binary(), directory / "syncrelay")
    yield lambda runtime_dir, user=STRANGER: Shell(runtime_dir, program=program, user=user)
    shutil.rmtree(directory)


# state and set

def test_state_prints_every_key_or_the_value_of_one(shell):
    assert shell.json("state") == {"comparison": None, "radio": None}
    shell.run("set", "radio", '{"track":7}')
    assert shell.json("state") == {"comparison": None, "radio": {"track": 7}}
    assert shell.json("state", "radio") == {"track": 7}
    assert shell.json("state", "comparison") is None


def test_a_value_keeps_its_digits_order_and_escapes(shell):
    value = r'{"z":1.50,"a":[1e2,"\u00e9\/"]}'
    assert shell.run("set", "radio", value).returncode == 0
    assert shell.run("state", "radio").stdout == value + "\n"


@pytest.mark.parametrize("number", ["1e400", "-1E+99999", "7" * 400], ids=["exponent", "negative", "digits"])
def test_a_number_that_no_double_holds_is_a_value_like_any_other(shell, number):
    value = f'{{"n":[{number}]}}'
    assert shell.run("set", "radio", value).returncode == 0
    assert shell.run("state", "radio").stdout == value + "\n"
    assert shell.run("state").stdout == f'{{"comparison":null,"radio":{value}}}\n'
    assert number in shell.on_terminal("state", "radio", NO_COLOR="1")[1]
    assert f'"radio":{value}' in shell.run("watch", "--count", 1).stdout


def test_state_of_an_unknown_key_fails(shell):
    assert_failed(shell.run("state", "nothing"), 1, '"nothing"')


@pytest.mark.parametrize("key", ["state", "--port", "a b", 'q"\\', "ü"])
def test_a_key_may_be_any_text(shell, key):
    assert shell.run("set", "--", key, "1").returncode == 0
    assert shell.json("state", "--", key) == 1
    assert shell.json("state")[key] == 1


def test_set_reads_its_value_from_standard_input(shell):
    assert shell.run("set", "radio", "-", stdin='{\n  "track": 7\n}\n').returncode == 0
    assert shell.json("state", "radio") == {"track": 7}
    assert shell.run("state").stdout.count("\n") == 1


def test_set_takes_a_negative_number(shell):
    assert shell.run("set", "radio", "-1.5").returncode == 0
    assert shell.json("state", "radio") == -1.5


async def test_set_tells_clients_unless_it_is_to_be_silent(relay, shell, connect):
    client = await connect(relay)
    assert shell.json("set", "radio", "1", "--silent")["seq"] == 0
    answer = shell.json("set", "radio", "2")
    assert answer["ok"] and answer["seq"] == 1 and answer["clients"] == 1
    event = await client.next_event()
    assert (event.type, event.data, event.seq) == ("sync:set", {"radio": 2}, 1)


# merge and delete

def test_merge_applies_a_patch_to_the_value(shell):
    shell.run("set", "radio", '{"track":7,"title":"Harbour Lights","n":1.50}')
    assert shell.json("merge", "radio", '{"track":null,"by":"Tin Roof"}')["seq"] == 2
    assert shell.run("state", "radio").stdout == '{"title":"Harbour Lights","n":1.50,"by":"Tin Roof"}\n'
    assert shell.run("merge", "radio", "-", stdin='{"n":null}\n').returncode == 0
    assert shell.json("state", "radio") == {"title": "Harbour Lights", "by": "Tin Roof"}


def test_delete_takes_any_number_of_keys_one_after_the_other(shell):
    for key in ("radio", "a", "b", "c"):
        shell.run("set", key, "1")
    ended = shell.run("delete", "radio", "a", "c", "never")
    assert ended.returncode == 0
    assert [json.loads(line)["seq"] for line in ended.stdout.splitlines()] == [5, 6, 7, 8]
    assert shell.json("state") == {"b": 1, "comparison": None, "radio": None}


def test_delete_ends_with_the_first_key_that_is_refused(shell):
    for key in ("a", "b"):
        shell.run("set", key, "1")
    ended = shell.run("delete", "a", "k" * 257, "b")
    assert ended.returncode == 1 and "invalid_key" in ended.stderr
    assert json.loads(ended.stdout)["seq"] == 3
    assert shell.json("state") == {"b": 1, "comparison": None, "radio": None}


async def test_merge_and_delete_tell_clients_unless_they_are_to_be_silent(relay, shell, connect):
    client = await connect(relay)
    shell.run("merge", "radio", '{"a":1}', "--silent")
    shell.run("delete", "comparison", "--silent")
    shell.run("merge", "radio", '{"b":2}')
    shell.run("delete", "radio", "gone")
    events = [await client.next_event() for _ in range(3)]
    assert [(e.seq, e.type, e.data) for e in events] == [
        (1, "sync:merge", {"radio": {"b": 2}}), (2, "sync:set", {"radio": None}), (3, "sync:delete", ["gone"])]


# publish

async def test_an_event_and_new_state_are_published_in_one_step(relay, shell, connect):
    client = await connect(relay)
    answer = shell.json("publish", "radio:started", '{"track":7}', "--set", 'radio={"n":1.50}', "--set", 'a="b=c"')
    assert answer["seq"] == relay.health()["seq"] == 1
    event = await client.next_event()
    assert (event.type, event.data) == ("radio:started", {"track": 7})
    assert '"set":{"radio":{"n":1.50},"a":"b=c"}' in event.text
    assert shell.json("state") == {"a": "b=c", "comparison": None, "radio": {"n": 1.5}}


async def test_what_an_event_sets_can_be_kept_from_clients_and_come_from_standard_input(relay, shell, connect):
    client = await connect(relay)
    shell.run("publish", "t", "--set", "radio=-", "--silent", stdin="[1, 2]\n")
    event = await client.next_event()
    assert (event.type, event.data, event.seq) == ("t", None, 1) and "set" not in event.body
    assert shell.json("state", "radio") == [1, 2]


def test_what_an_event_sets_must_be_json_and_is_named_if_it_is_not(relay, shell):
    assert_failed(shell.run("publish", "t", "--set", "radio=x"), 2, "--set radio", '"x" is not JSON: at byte 0')
    assert_failed(shell.run("publish", "t", "--set", 'k=1,"radio":2'), 2, "--set k", "is not JSON")
    assert_failed(shell.run("publish", "t", "--set", "k=1", "--set", "k=2"), 1, "duplicate_member")
    assert relay.health()["seq"] == 0


async def test_a_published_event_reaches_every_client(relay, shell, connect):
    clients = [await connect(relay) for _ in range(3)]
    answer = shell.json("publish", "radio:started", '{"track":7}')
    assert answer == {"ok": True, "seq": 1, "epoch": relay.health()["epoch"], "clients": 3}
    for client in clients:
        event = await client.next_event()
        assert (event.type, event.data) == ("radio:started", {"track": 7})


async def test_published_data_is_null_or_comes_from_standard_input(relay, shell, connect):
    client = await connect(relay)
    shell.run("publish", "first")
    shell.run("publish", "second", "-", stdin="[1,2]")
    assert (await client.next_event()).data is None
    assert (await client.next_event()).data == [1, 2]


def test_a_command_waits_for_a_relay_that_starts_late(start_relay, runtime_dir, start):
    publishing = start(Shell(runtime_dir), "publish", "late", "--timeout", "20s")
    relay = start_relay()
    assert publishing.wait() == 0
    [answer] = publishing.messages()
    assert answer["seq"] == relay.health()["seq"] == 1


def test_a_command_reaches_a_relay_that_is_restarted_meanwhile_and_takes_effect_once(start_relay, runtime_dir, start):
    relay = start_relay()
    relay.signal(signal.SIGSTOP)
    publishing = start(Shell(runtime_dir), "publish", "once", "--timeout", "20s")
    socket = runtime_dir / "control.sock"
    wait_until(lambda: connections_to(socket) >= 2, "the command is connected to the relay that does not run")
    relay.kill()
    again = start_relay()
    assert publishing.wait() == 0
    assert publishing.messages()[0]["seq"] == again.health()["seq"] == 1


@pytest.mark.parametrize("arguments", [("set", "k", "1"), ("state",)], ids=str)
def test_a_relay_that_takes_its_time_is_asked_once(control, runtime_dir, start, arguments):
    asking = start(Shell(runtime_dir), *arguments, "--timeout", "20s")
    peer, _ = control.receive()
    assert not control.gets_another(2.5)
    control.answer(peer, {"ok": True, "seq": 1, "state": {"k": 7}})
    assert asking.wait() == 0, asking.errors
    assert asking.messages()[0] in ({"k": 7}, {"ok": True, "seq": 1, "state": {"k": 7}})


def test_a_lost_connection_makes_the_same_command_come_again(control, runtime_dir, start):
    setting = start(Shell(runtime_dir), "set", "k", "1", "--timeout", "20s")
    first = control.receive()[1]
    control.restart()
    peer, second = control.receive()
    assert first == second and first["id"]
    control.answer(peer, {"ok": True, "seq": 1})
    assert setting.wait() == 0, setting.errors


def test_a_busy_relay_is_asked_again(control, runtime_dir, start):
    listing = start(Shell(runtime_dir), "clients", "--timeout", "20s")
    for _ in range(3):
        control.answer(control.receive()[0], BUSY)
    control.answer(control.receive()[0], {"ok": True, "clients": []})
    assert listing.wait() == 0 and listing.messages() == [[]], listing.errors


def test_a_relay_that_is_busy_to_the_end_is_exit_code_1(control, runtime_dir, start):
    listing = start(Shell(runtime_dir), "clients", "--timeout", "1s")
    control.answer(control.receive()[0], BUSY)
    while listing.is_running():
        if control.gets_another(0.05):
            control.answer(control.receive()[0], BUSY)
    assert listing.wait() == 1 and "refused: busy: ask again" in listing.errors[-1], listing.errors


# How commands fail

@pytest.mark.parametrize("arguments,code", [
    (("publish", "ping"), "reserved_type"), (("publish", "sync:x"), "reserved_type"),
    (("set", "k" * 257, "1"), "invalid_key"), (("state", ""), "invalid_key"),
    (("set", "k", "[" * 600 + "]" * 600), "too_deep")])
def test_a_refused_command_is_exit_code_1_and_says_why(relay, shell, arguments, code):
    assert_failed(shell.run(*arguments), 1, "refused", code)
    assert relay.health()["seq"] == 0


@pytest.mark.parametrize("text", ["{a}", "", "nul", "[1,]", "NaN", '"\\ud800"', "1 2"])
@pytest.mark.parametrize("from_input", [False, True], ids=["argument", "input"])
def test_bad_json_is_exit_code_2_and_is_not_sent(relay, shell, text, from_input):
    arguments = ("publish", "x", "-") if from_input else ("publish", "x", text)
    assert_failed(shell.run(*arguments, stdin=text), 2, "is not JSON: at byte")
    assert relay.metrics().value("commands_rejected_total") == 0


def test_json_cannot_add_members_to_the_command(relay, shell):
    assert_failed(shell.run("set", "radio", '1,"notify":true'), 2, "is not JSON")
    assert relay.health()["seq"] == 0


def test_input_over_the_largest_command_is_refused_by_name(shell):
    ended = shell.run("set", "radio", "-", "--max-command", "1KiB", stdin='"' + "x" * 2000 + '"')
    assert_failed(ended, 2, "--max-command", "1024")


@pytest.mark.parametrize("arguments", [
    ("set", "radio"), ("merge", "radio"), ("delete",), ("publish",), ("publish", "x", "--set", "radio"),
    ("publish", "x", "--silent"), ("publish", "x", "-", "--set", "radio=-"), ("set", "radio", "1", "--set", "a=1"), ("state", "a", "b"), ("watch", "a"), ("state", "--count", "1"),
    ("watch", "--count", "0"), ("stats", "--timeout", "x"), ("stat",), ("watch", "--port", "0"),
    ("healthcheck", "--port", "0"), ("backup", "")])
def test_wrong_usage_is_exit_code_2(runtime_dir, arguments):
    assert_failed(Shell(runtime_dir).run(*arguments), 2)


@pytest.mark.parametrize("arguments", ASKING)
def test_no_relay_is_exit_code_1_and_says_where_it_was_sought(runtime_dir, arguments):
    ended = Shell(runtime_dir).run(*arguments, "--timeout", "200ms")
    assert_failed(ended, 1, str(runtime_dir / "control.sock"), "no socket file there", "--runtime-dir", "200 ms")


def test_a_relay_that_was_killed_leaves_a_socket_that_refuses(relay, shell):
    relay.kill()
    assert_failed(shell.run("state", "--timeout", "200ms"), 1, "connection refused", "nobody listens")


def test_a_relay_that_is_stopped_takes_connections_but_does_not_answer(relay, shell):
    relay.signal(signal.SIGSTOP)
    ended = shell.run("state", "--timeout", "200ms")
    relay.signal(signal.SIGCONT)
    assert_failed(ended, 1, "takes connections, but does not answer")


def test_a_file_that_is_no_socket_is_told(runtime_dir):
    (runtime_dir / "control.sock").write_text("")
    assert_failed(Shell(runtime_dir).run("state", "--timeout", "200ms"), 1, "not a socket")


def test_nothing_behind_a_network_address_is_told(runtime_dir):
    ended = Shell(runtime_dir).run("state", "--timeout", "200ms", "--control", "tcp://127.0.0.1:1")
    assert_failed(ended, 1, "tcp://127.0.0.1:1", "nothing answers there")


@pytest.mark.parametrize("arguments", ASKING)
def test_a_user_who_may_not_open_the_socket_is_told_so(start_relay, stranger, arguments):
    relay = start_relay("--ipc-mode", "0600")
    relay.runtime_dir.chmod(0o755)
    ended = stranger(relay.runtime_dir).run(*arguments, "--timeout", "200ms")
    assert_failed(ended, 1, "permission denied: srw------- 0:0", f"this is uid {STRANGER}, groups {STRANGER}", "--ipc-group")


def threads_named(pid, name):
    """Those of the process that bear this name by now."""
    found = []
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        with contextlib.suppress(FileNotFoundError):  # ended since
            if name in (task / "comm").read_text():
                found.append(int(task.name))
    return found


@pytest.fixture
def busy_processor():
    """The number of a processor on which somebody else computes without end."""
    number = max(os.sched_getaffinity(0))
    hog = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    os.sched_setaffinity(hog.pid, {number})
    yield number
    hog.kill()
    hog.wait()


def test_who_tries_again_does_not_stumble_over_what_an_earlier_attempt_has_left(runtime_dir, start, busy_processor):
    command = start(Shell(runtime_dir), "state", "--timeout", "2s")
    [reaper] = wait_until(lambda: threads_named(command.pid, "Reaper"), "ZeroMQ's thread that closes sockets is there")
    os.sched_setaffinity(reaper, {busy_processor})
    os.sched_setscheduler(reaper, os.SCHED_IDLE, os.sched_param(0))
    assert command.wait() == 1 and "no socket file there" in command.errors[-1], command.errors


def test_a_user_who_may_not_search_the_directory_is_told_so(relay, stranger):
    relay.runtime_dir.chmod(0o700)
    ended = stranger(relay.runtime_dir).run("state", "--timeout", "200ms")
    assert_failed(ended, 1, "permission denied", f"uid {STRANGER}", "may not search the directories")


def test_a_user_without_a_relay_is_told_where_it_looked_and_has_that_directory_alone(relay, stranger):
    directory = pathlib.Path(f"/tmp/syncrelay-{STRANGER}")
    try:
        ended = stranger("").run("state", "--timeout", "200ms")
        assert_failed(ended, 1, f"{directory}/control.sock", "no socket file there", "--runtime-dir")
        assert (directory.stat().st_uid, directory.stat().st_mode & 0o777) == (STRANGER, 0o700)
    finally:
        shutil.rmtree(directory)


@pytest.mark.parametrize("link", [False, True], ids=["directory", "link"])
def test_nothing_is_said_to_whoever_took_the_directory_in_tmp(stranger, runtime_dir, link):
    user = STRANGER + 1 + link
    directory = pathlib.Path(f"/tmp/syncrelay-{user}")
    real = runtime_dir if link else directory
    if link:
        directory.symlink_to(real)
    real.mkdir(exist_ok=True)
    control = FakeControl(real)
    try:
        for path in (real, real / "control.sock"):
            os.chown(path, NOBODY, NOBODY)
            path.chmod(0o777)
        for arguments in ASKING:
            ended = stranger("", user).run(*arguments, "--timeout", "2s")
            words = ["is not a directory"] if link else [f"belongs to user {NOBODY}, not to user {user}"]
            assert_failed(ended, 1, str(directory), "refused", "--runtime-dir", *words)
        assert not control.gets_another(0)
    finally:
        control.close()
        directory.unlink() if link else shutil.rmtree(directory)


def test_a_directory_that_the_user_names_may_be_somebody_elses(start_relay, stranger):
    relay = start_relay("--ipc-mode", "0666")
    relay.runtime_dir.chmod(0o755)
    assert stranger(relay.runtime_dir).json("state") == {"comparison": None, "radio": None}


# Standard streams that fail

@pytest.mark.parametrize("arguments", [("--help",), ("--version",), ("--print-config",), ("state",), ("stats",)], ids=str)
def test_output_that_cannot_be_written_is_exit_code_1(relay, arguments):
    with open("/dev/full", "wb") as full:
        ended = subprocess.run([binary(), *arguments], stdout=full, stderr=subprocess.PIPE, text=True, timeout=20,
                               env=environment(relay.runtime_dir), check=False)
    assert (ended.returncode, ended.stderr) == (1, "syncrelay: cannot write to standard output\n")


@pytest.mark.parametrize("redirection, why", [("< /", "Is a directory"), ("<&-", "Bad file descriptor")])
def test_input_that_cannot_be_read_is_told_with_the_reason(runtime_dir, redirection, why):
    ended = subprocess.run(["sh", "-c", f'exec "$0" set a - {redirection}', binary()], capture_output=True, text=True,
                           timeout=20, env=environment(runtime_dir), check=False)
    assert_failed(ended, 2, f"cannot read standard input: {why}")


# watch

async def test_watch_prints_each_message_as_it_came(relay, shell, connect, start):
    client = await connect(relay)
    watching = start(shell, "watch", "--count", 3)
    [snapshot] = watching.wait_for_lines(1)
    assert (snapshot["type"], snapshot["seq"]) == ("sync:full", 0)
    shell.run("publish", "one", r'{"b":1.50,"a":"\u00e9"}')
    shell.run("publish", "two")
    assert watching.wait() == 0
    assert watching.lines[1:] == [(await client.next_event()).text for _ in range(2)]
    assert watching.errors == []


def test_watch_gets_a_snapshot_larger_than_any_buffer(shell):
    value = json.dumps("x" * 3_000_000)
    assert shell.run("set", "radio", "-", stdin=value).returncode == 0
    ended = shell.run("watch", "--count", 1)
    assert ended.returncode == 0
    assert json.loads(ended.stdout)["data"]["radio"] == json.loads(value)


def test_watch_goes_on_where_it_stopped_when_the_relay_is_back(start_relay, runtime_dir, start):
    data = ("--data", runtime_dir / "data")
    first = start_relay(*data)
    shell = Shell(runtime_dir, first.port)
    watching = start(shell, "watch")
    watching.wait_for_lines(1)
    shell.run("publish", "before")
    watching.wait_for_lines(2)
    first.kill()
    wait_until(lambda: watching.errors, "the lost connection is told")
    start_relay(*data, "--port", first.port)
    shell.run("publish", "after")
    messages = watching.wait_for_lines(4)
    assert [m["type"] for m in messages] == ["sync:full", "before", "sync:resume", "after"]
    assert [m["seq"] for m in messages] == [0, 1, 1, 2]
    [line] = watching.errors
    assert "connecting again" in line and str(first.port) in line


def test_watch_answers_pings(start_relay, start):
    relay = start_relay("--ping-interval", "200ms", "--ping-timeout", "400ms")
    watching = start(Shell(relay.runtime_dir, relay.port), "watch")
    watching.wait_for_lines(1)
    with RawClient(relay.port).upgrade() as clock:
        for _ in range(8):
            clock.send_frame(PONG, clock.read_opcode(PING).payload)
    assert len(watching.lines) == 1 and watching.errors == []


def test_watch_without_a_relay_is_exit_code_1(relay, shell):
    relay.stop()
    assert_failed(shell.run("watch", "--timeout", "200ms"), 1, "cannot watch", str(relay.port))


def test_watch_says_why_there_is_no_connection(runtime_dir):
    with refusing_port() as port:
        ended = Shell(runtime_dir, port).run("watch", "--host", "127.0.0.1", "--timeout", "200ms")
    assert_failed(ended, 1, f"cannot watch 127.0.0.1 port {port}: Connection refused")
    ended = Shell(runtime_dir, port).run("watch", "--host", "nosuch.invalid", "--timeout", "200ms")
    assert_failed(ended, 1, f"cannot watch nosuch.invalid port {port}: cannot look up the host: ")


def test_watch_gives_up_a_port_that_takes_connections_and_says_nothing(runtime_dir):
    with silent_port() as port:
        ended = Shell(runtime_dir, port).run("watch", "--host", "127.0.0.1", "--timeout", "300ms")
    assert_failed(ended, 1, f"cannot watch 127.0.0.1 port {port}: no answer to the handshake within")


def test_watch_gives_up_a_relay_that_is_stopped(relay, shell):
    relay.signal(signal.SIGSTOP)
    ended = shell.run("watch", "--timeout", "300ms")
    relay.signal(signal.SIGCONT)
    assert_failed(ended, 1, "no answer to the handshake within")


def test_watch_tells_of_each_attempt_that_it_gives_up_and_tries_on(relay, shell, start):
    relay.signal(signal.SIGSTOP)
    watching = start(shell, "watch", "--count", "1", "--timeout", "60s")
    wait_until(lambda: watching.errors, "the first attempt is given up", 20)
    relay.signal(signal.SIGCONT)
    assert watching.wait() == 0 and watching.messages()[0]["type"] == "sync:full"
    assert watching.errors == [f"syncrelay: no answer to the handshake within 10000 ms; connecting again to 127.0.0.1 port {relay.port}"]


def test_watch_ends_where_its_origin_is_not_allowed(runtime_dir):
    with closing_port(4403, b"origin_not_allowed: start the relay with --allow-origin x") as port:
        ended = Shell(runtime_dir, port).run("watch", "--host", "127.0.0.1", "--timeout", "10m")
    assert_failed(ended, 1, "the relay closed with 4403 origin_not_allowed", "--allow-origin x")


async def test_watch_of_a_full_relay_is_exit_code_1_and_says_so(start_relay, connect):
    relay = start_relay("--max-clients", 1)
    await connect(relay)
    assert_failed(Shell(relay.runtime_dir, relay.port).run("watch", "--timeout", "1500ms"), 1, "HTTP 503")


def test_watch_ends_when_nobody_reads_it(relay, shell):
    command = subprocess.Popen([binary(), "watch", "--port", str(relay.port)], stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, env=environment(relay.runtime_dir))
    try:
        command.stdout.readline()
        command.stdout.close()
        shell.run("publish", "unread")
        assert command.wait(10) == -signal.SIGPIPE
        assert command.stderr.read() == b""
    finally:
        command.kill()
        command.wait()
        command.stderr.close()


def test_watch_ends_by_an_interrupt(relay, shell, start):
    watching = start(shell, "watch")
    watching.wait_for_lines(1)
    os.kill(watching.pid, signal.SIGINT)
    assert watching.wait() == -signal.SIGINT


# clients and stats

async def test_clients_lists_every_client(relay, shell, connect):
    assert shell.json("clients") == []
    for _ in range(2):
        await connect(relay)
    listed = shell.json("clients")
    assert len({client["id"] for client in listed}) == 2
    for client in listed:
        assert client["address"] == "127.0.0.1" and client["lag"] == 0 and client["bytes"] > 0


async def test_stats_have_the_position_and_the_counters(relay, shell, connect):
    await connect(relay)
    shell.run("publish", "x")
    stats = shell.json("stats")
    assert (stats["seq"], stats["epoch"], stats["clients"]) == (1, relay.health()["epoch"], 1)
    assert (stats["events"], stats["commands"]) == (1, 1)


# On a terminal

def test_a_terminal_gets_indented_state_in_color(shell):
    shell.run("set", "radio", '{"track":7}')
    code, shown = shell.on_terminal("state")
    assert code == 0 and COLOR.search(shown)
    assert COLOR.sub("", shown) == '{\n  "comparison": null,\n  "radio": {\n    "track": 7\n  }\n}\n'


@pytest.mark.parametrize("env", [{"NO_COLOR": "1"}, {"TERM": "dumb"}], ids=str)
def test_color_can_be_had_without(shell, env):
    shown = shell.on_terminal("stats", **env)[1]
    assert "\x1b" not in shown and re.search(r"^seq +0$", shown, re.MULTILINE)


def test_json_can_be_had_on_a_terminal(shell):
    for command in ("state", "stats", "clients"):
        json.loads(shell.on_terminal(command, "--json")[1])


async def test_a_terminal_gets_tables(relay, shell, connect):
    await connect(relay)
    lines = COLOR.sub("", shell.on_terminal("clients")[1]).splitlines()
    assert lines[0].split() == ["id", "address", "identity", "connected", "channels", "lag", "sent", "last", "sign"]
    assert lines[1].split()[1] == "127.0.0.1" and len(lines) == 2


def test_a_terminal_gets_one_line_a_message(shell):
    shell.run("set", "radio", r'"\u001b[2J"', "--silent")
    code, shown = shell.on_terminal("watch", "--count", 1)
    assert code == 0
    assert re.fullmatch(r'\d\d:\d\d:\d\d\.\d{3}  0  sync:full  {"comparison": null, "radio": "\\u001b\[2J"}'
                        r'  epoch="[0-9a-f]{16}"\n', COLOR.sub("", shown)), shown


def test_a_terminal_is_told_that_no_clients_are_connected(shell):
    assert shell.on_terminal("clients") == (0, "no clients are connected\n")
    assert shell.on_terminal("clients", "--json") == (0, "[]\n")


def test_a_terminal_is_told_what_was_confirmed(shell):
    assert shell.on_terminal("publish", "x") == (0, "published x at position 1; clients: 0\n")
    assert shell.on_terminal("set", "radio", "1") == (0, "set radio at position 2; clients: 0\n")
    assert shell.on_terminal("merge", "radio", "2") == (0, "merged into radio at position 3; clients: 0\n")
    assert shell.on_terminal("delete", "radio", "x") == (
        0, "deleted radio at position 4; clients: 0\ndeleted x at position 5; clients: 0\n")


def test_a_terminal_sees_no_control_characters_of_a_value(shell):
    shell.run("set", "radio", "-", stdin='"\x7f\u009b31m"')
    shown = shell.on_terminal("state", "radio", TERM="dumb")[1]
    assert shown == '"\\u007f\\u009b31m"\n'
    assert shell.json("state", "radio") == "\x7f\u009b31m"
