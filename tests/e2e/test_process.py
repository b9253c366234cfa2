"""One process: its ready line, its runtime directory, who may start beside it, how it exits."""

import contextlib
import json
import os
import pathlib
import re
import signal
import socket
import stat

import pytest
import zmq

from deadline import until, wait_until
from raw_client import RawClient, upgrade_request
from relay_process import run_relay
from ws_client import settled_snapshot

VERSION = re.compile(r"\d+\.\d+\.\d+")
NOBODY = 65534
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def last_line(text):
    return text.strip().splitlines()[-1]


def test_the_ready_line_says_where_it_listens(start_relay, runtime_dir):
    relay = start_relay(admin=False)
    expected = {"ready": True, "port": relay.port, "admin": None,
                "commands": [f"ipc://{runtime_dir}/commands.sock"], "pid": relay.pid}
    assert {**relay.ready, **expected} == relay.ready
    assert 0 < relay.port < 65536 and relay.ready_line.endswith("}\n")
    assert relay.health()["status"] == "ok"


def test_standard_output_holds_the_ready_line_only(start_relay):
    relay = start_relay()
    assert relay.stop() == 0
    assert relay.rest_of_output() == ""
    assert relay.log() != ""


def test_the_ready_line_names_the_admin_port(relay):
    assert isinstance(relay.ready["admin"], int) and relay.ready["admin"] != relay.port
    assert relay.http(path="/metrics", port=relay.ready["admin"]).status == 200


def test_the_runtime_directory_is_created_private(start_relay, runtime_dir):
    inner = runtime_dir / "made"
    start_relay(runtime_dir=inner)
    assert stat.S_IMODE(inner.stat().st_mode) == 0o700


@needs_root
def test_a_runtime_directory_of_somebody_else_is_refused(runtime_dir):
    os.chown(runtime_dir, NOBODY, NOBODY)
    ended = run_relay("--port", 0, runtime_dir=runtime_dir)
    assert ended.returncode in (1, 2)
    assert str(runtime_dir) in last_line(ended.stderr)


@pytest.mark.parametrize("option,mode", [((), 0o660), (("--ipc-mode", "0600"), 0o600), (("--ipc-mode", "0666"), 0o666)])
def test_the_socket_file_has_the_mode_that_was_asked_for(start_relay, runtime_dir, option, mode):
    start_relay(*option)
    assert stat.S_IMODE((runtime_dir / "commands.sock").stat().st_mode) == mode


@needs_root
def test_the_socket_file_has_the_group_that_was_asked_for(start_relay, runtime_dir):
    start_relay("--ipc-group", "nogroup")
    assert (runtime_dir / "commands.sock").stat().st_gid == NOBODY


def test_an_unknown_group_is_an_error_that_names_it(runtime_dir):
    ended = run_relay("--port", 0, "--ipc-group", "no-such-group", runtime_dir=runtime_dir)
    assert ended.returncode in (1, 2)
    assert "no-such-group" in last_line(ended.stderr)


async def test_a_second_relay_on_the_same_directory_says_who_holds_it(relay, pusher, runtime_dir):
    ended = run_relay("--port", 0, runtime_dir=runtime_dir)
    assert ended.returncode == 1
    assert str(relay.pid) in last_line(ended.stderr)
    assert ended.stdout == ""
    pusher.set("radio", "still mine")
    assert (await settled_snapshot(relay, pusher)).data["radio"] == "still mine"


async def test_a_second_relay_on_the_same_endpoint_says_who_holds_it(start_relay, push_to, runtime_dir):
    endpoint = f"ipc://{runtime_dir}/shared.sock"
    first = start_relay("--commands", endpoint)
    pusher = push_to(endpoint)
    other = runtime_dir / "other"
    ended = run_relay("--port", 0, "--commands", endpoint, runtime_dir=other)
    assert ended.returncode == 1
    assert str(first.pid) in last_line(ended.stderr)
    pusher.set("radio", 1)
    assert (await settled_snapshot(first, pusher)).data["radio"] == 1


async def test_what_a_killed_relay_left_behind_is_no_obstacle(start_relay, push_to, runtime_dir):
    start_relay().kill()
    assert (runtime_dir / "commands.sock").is_socket()
    again = start_relay()
    pusher = push_to(again)
    pusher.set("radio", "works")
    assert (await settled_snapshot(again, pusher)).data["radio"] == "works"


def test_a_stale_socket_that_nobody_made_a_lock_for_is_no_obstacle(start_relay, runtime_dir):
    stale = socket.socket(socket.AF_UNIX)
    stale.bind(str(runtime_dir / "commands.sock"))
    stale.close()
    assert start_relay().health()["status"] == "ok"


def test_a_relay_that_stopped_makes_room_for_the_next(start_relay):
    for _ in range(3):
        assert start_relay().stop() == 0


def test_two_relays_in_two_directories_do_not_meet(start_relay, runtime_dir):
    first, second = start_relay(), start_relay(runtime_dir=runtime_dir / "second")
    assert first.health()["epoch"] != second.health()["epoch"]


async def test_commands_come_in_at_every_endpoint_that_was_named(start_relay, push_to, connect, runtime_dir):
    endpoints = [f"ipc://{runtime_dir}/a.sock", f"ipc://{runtime_dir}/b.sock", f"tcp://127.0.0.1:{free_port()}"]
    relay = start_relay(*(part for e in endpoints for part in ("--commands", e)))
    assert relay.ready["commands"] == endpoints
    assert not (runtime_dir / "commands.sock").exists()
    client = await connect(relay)
    for endpoint in endpoints:
        push_to(endpoint).broadcast("from", endpoint)
        assert (await client.next_event()).data == endpoint


def test_a_remote_command_endpoint_needs_a_flag_of_its_own(start_relay, runtime_dir):
    endpoint = f"tcp://0.0.0.0:{free_port()}"
    ended = run_relay("--port", 0, "--commands", endpoint, runtime_dir=runtime_dir)
    assert ended.returncode == 2
    assert "--allow-remote-commands" in last_line(ended.stderr)


@pytest.mark.parametrize("endpoint", ["ipc://", "tcp://127.0.0.1", "tcp://127.0.0.1:99999", "inproc://x", "nonsense",
                                      "ipc:///tmp/" + "x" * 120])
def test_an_impossible_endpoint_is_an_error_that_names_it(runtime_dir, endpoint):
    ended = run_relay("--port", 0, "--commands", endpoint, runtime_dir=runtime_dir)
    assert ended.returncode in (1, 2)
    assert endpoint in last_line(ended.stderr)


def test_a_port_in_use_is_exit_code_1_and_named(relay, runtime_dir):
    ended = run_relay("--host", "127.0.0.1", "--port", relay.port, runtime_dir=runtime_dir / "second")
    assert ended.returncode == 1
    assert str(relay.port) in last_line(ended.stderr)


@pytest.mark.parametrize("arguments", [("--port", "70000"), ("--port", "abc"), ("--log-bytes", "12XB"), ("--port",),
                                       ("--ping-interval", "5 parsecs"), ("nonsense",), ("--ipc-mode", "0999")])
def test_bad_usage_is_exit_code_2(runtime_dir, arguments):
    ended = run_relay(*arguments, runtime_dir=runtime_dir)
    assert ended.returncode == 2
    assert ended.stdout == ""
    assert arguments[-1] in last_line(ended.stderr)


def test_help_and_version_exit_with_0(runtime_dir):
    usage = run_relay("--help", runtime_dir=runtime_dir)
    version = run_relay("--version", runtime_dir=runtime_dir)
    assert (usage.returncode, version.returncode) == (0, 0)
    assert "8642" in usage.stdout and "--log-bytes" in usage.stdout
    assert VERSION.search(version.stdout)


def test_serve_is_what_it_does_anyway(runtime_dir):
    explicit = run_relay("serve", "--print-config", runtime_dir=runtime_dir)
    implied = run_relay("--print-config", runtime_dir=runtime_dir)
    assert explicit.returncode == implied.returncode == 0
    assert explicit.stdout == implied.stdout


def test_healthcheck_tells_by_its_exit_code(start_relay, runtime_dir):
    relay = start_relay()
    assert run_relay("healthcheck", "--port", relay.port, runtime_dir=runtime_dir).returncode == 0
    by_environment = run_relay("healthcheck", runtime_dir=runtime_dir, env={"SYNCRELAY_PORT": str(relay.port)})
    assert by_environment.returncode == 0
    relay.stop()
    ended = run_relay("healthcheck", "--port", relay.port, runtime_dir=runtime_dir)
    assert ended.returncode == 1
    assert str(relay.port) in last_line(ended.stderr)


def test_healthcheck_gives_up_on_a_relay_that_hangs(start_relay, runtime_dir):
    relay = start_relay()
    relay.signal(signal.SIGSTOP)
    assert run_relay("healthcheck", "--port", relay.port, runtime_dir=runtime_dir, seconds=8).returncode == 1


def test_the_limit_on_open_files_is_raised_as_far_as_it_may(start_relay):
    relay = start_relay("--max-clients", "500", open_files=(256, 4096))
    limits = pathlib.Path(f"/proc/{relay.pid}/limits").read_text()
    soft = int(re.search(r"Max open files\s+(\d+)", limits)[1])
    assert 500 < soft <= 4096


async def test_a_limit_on_open_files_below_max_clients_is_said(start_relay):
    relay = start_relay("--max-clients", "5000", open_files=(400, 400))
    await until(lambda: "open files" in relay.log(), "the log names the limit")
    said = relay.logged("open files")
    assert "5000" in said and 0 < int(re.search(r"room_for=(\d+)", said)[1]) < 400


def test_a_descriptor_beyond_what_the_limit_was_raised_for_is_turned_away(start_relay):
    """libwebsockets has tables of that size. With --max-clients 1 and one shard they end below 1,600."""
    occupy = 'for ((n = 100; n < 1600; n++)); do eval "exec $n</dev/null"; done; exec "$0" "$@"'
    relay = start_relay("--shards", 1, "--max-clients", 1, launcher=("bash", "-c", occupy))
    clients = [RawClient(relay.port) for _ in range(200)]
    assert clients[-1].read_head()[0] == 503
    for client in clients:
        client.close()

    def counted():
        with contextlib.suppress(OSError):  # until there is a descriptor for the question
            page = relay.http(path="/metrics", port=relay.ready["admin"])
            return page.status == 200 and re.search(r'clients_refused_total\{reason="open_files"\} [1-9]', page.body)

    wait_until(counted, "they are counted")


async def test_at_the_limit_on_open_files_the_relay_still_answers(start_relay, connect):
    """It holds as many clients as it said, refuses the next one in HTTP, and health stays reachable."""
    relay = start_relay("--max-clients", "5000", open_files=(200, 200))
    await until(lambda: "room_for" in relay.log(), "the log tells how many clients there is room for")
    room = int(re.search(r"room_for=(\d+)", relay.log())[1])
    for _ in range(room):
        await connect(relay)
    assert relay.health()["clients"] == room >= 50
    with RawClient(relay.port) as late:
        late.send(upgrade_request())
        assert late.read_head()[0] == 503
    assert relay.health()["clients"] == room


async def test_the_log_tells_each_clients_end_who_how_long_and_why(relay, connect):
    client = await connect(relay)
    assert "client gone" not in relay.log()
    await client.leave()
    await until(lambda: "client gone" in relay.log(), "the log tells the client's end")
    said = relay.logged("client gone")
    assert re.search(r"address=127\.0\.0\.1\b.* reason=client_closed code=1000 seconds=\d+\.\d+", said), said


async def test_events_make_no_log_lines(relay, pusher, connect):
    client = await connect(relay)
    before = len(relay.log().splitlines())
    for _ in range(500):
        pusher.broadcast("tick")
    await client.read_to_seq(500)
    assert len(relay.log().splitlines()) - before < 5


def test_logs_can_be_json(start_relay):
    relay = start_relay("--log-format", "json")
    relay.http(path="/nothing")
    assert relay.stop() == 0
    lines = [json.loads(line) for line in relay.log().splitlines()]
    assert lines and all(isinstance(line, dict) for line in lines)


def test_a_client_that_speaks_no_zeromq_does_no_harm(relay, runtime_dir):
    stranger = socket.socket(socket.AF_UNIX)
    stranger.connect(str(runtime_dir / "commands.sock"))
    stranger.sendall(b"GET / HTTP/1.1\r\n\r\n" + os.urandom(1000))
    stranger.close()
    assert relay.health()["status"] == "ok"


@pytest.mark.parametrize("kind", [zmq.PUB, zmq.DEALER, zmq.PULL], ids=["PUB", "DEALER", "PULL"])
async def test_a_socket_of_another_kind_does_no_harm(relay, pusher, kind):
    context = zmq.Context()
    stranger = context.socket(kind)
    stranger.connect(relay.endpoint)
    pusher.set("radio", 1)
    assert (await settled_snapshot(relay, pusher)).data["radio"] == 1
    context.destroy(linger=0)


def test_a_signal_that_means_nothing_to_it_does_not_end_it(relay):
    relay.signal(signal.SIGPIPE)
    assert wait_until(relay.health, "it answers")["status"] == "ok"


def test_a_crowd_that_comes_and_goes_does_not_fill_the_log(start_relay):
    relay = start_relay("--shards", "1")
    for _ in range(2500):
        with RawClient(relay.port) as client:
            client.upgrade()
    wait_until(lambda: relay.health()["clients"] == 0, "all are gone")
    lines = sum("client gone" in line for line in relay.log().splitlines())
    assert 1000 <= lines < 1500
    assert relay.metrics().value("clients_closed_total") == 2500


def test_what_a_stranger_makes_up_is_cut_in_the_log(relay):
    origin = "http://" + "x" * 9000 + "/$(id)"
    with RawClient(relay.port).upgrade(Origin=origin) as client:
        assert client.read_close_code() == 4403
    wait_until(lambda: "origin is not allowed" in relay.log(), "the refusal is in the log")
    line = relay.logged("origin is not allowed")
    assert len(line) < 500 and "$(id)" not in line
