"""Options whose effect no other test shows. Each compares a relay that has the option with one that has not."""

import json
import shutil
import socket
import subprocess

import pytest

from control_peer import ControlPeer
from deadline import wait_until
from fan_out import SMALL_BUFFER, fan_out
from raw_client import RawClient
from relay_process import is_sanitized

KIB = 1024
UNKNOWN_VARIABLE = {"SYNCRELAY_LOG_BITES": "1"}  # worth a warning

# Writes a byte to $SYNC_COUNT for each fsync and fdatasync, instead of doing it.
COUNTER = """
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>
static int count(void) {
  int fd = open(getenv("SYNC_COUNT"), O_WRONLY | O_CREAT | O_APPEND, 0600);
  int written = write(fd, "x", 1) == 1;
  close(fd);
  return written ? 0 : -1;
}
int fsync(int fd) { (void)fd; return count(); }
int fdatasync(int fd) { (void)fd; return count(); }
"""


@pytest.fixture
def ask():
    """ask(relay, command): the answer."""
    peers = {}

    def send(relay, command):
        if relay.pid not in peers:
            peers[relay.pid] = ControlPeer(relay.ready["control"][0])
        return peers[relay.pid].ask(command)

    yield send
    for peer in peers.values():
        peer.close()


def put(key, value=1):
    return {"op": "set", "key": key, "value": value}


def accepts(address, port):
    try:
        socket.create_connection((address, port), timeout=5).close()
    except ConnectionRefusedError:
        return False
    return True


def test_host_is_the_only_address_that_clients_reach(start_relay):
    relay = start_relay("--host", "127.0.0.2")
    assert accepts("127.0.0.2", relay.port)
    assert not accepts("127.0.0.1", relay.port)


def test_runtime_dir_holds_the_sockets_and_goes_before_the_environment(start_relay, runtime_dir):
    other = runtime_dir / "other"
    relay = start_relay("--runtime-dir", other)
    assert relay.ready["commands"] == [f"ipc://{other}/commands.sock"]
    assert relay.ready["control"] == [f"ipc://{other}/control.sock"]
    assert (other / "commands.sock").is_socket() and (other / "control.sock").is_socket()
    assert not (runtime_dir / "commands.sock").exists()


def test_control_moves_the_socket_that_answers(start_relay, runtime_dir, ask):
    endpoint = f"ipc://{runtime_dir}/moved.sock"
    relay = start_relay("--control", endpoint)
    assert relay.ready["control"] == [endpoint]
    assert ask(relay, put("k"))["ok"]
    assert not (runtime_dir / "control.sock").exists()


def test_max_state_keys_bounds_the_number_of_keys_and_room_comes_back(start_relay, ask):
    relay = start_relay("--max-state-keys", 3)  # comparison and radio are two of them
    assert ask(relay, put("first"))["ok"]
    second = ask(relay, put("second"))
    assert second["error"]["code"] == "state_full"
    both = {"op": "broadcast", "type": "t", "set": {"first": 2, "second": 2}}
    assert ask(relay, both)["error"]["code"] == "state_full"
    assert ask(relay, put("first", 3))["ok"]
    assert ask(relay, {"op": "delete", "key": "first"})["ok"]
    assert ask(relay, put("second"))["ok"]
    assert ask(relay, {"op": "state"})["state"] == {"comparison": None, "radio": None, "second": 1}


def test_shards_is_the_number_of_threads_that_serve_clients(start_relay, runtime_dir):
    relays = {count: start_relay("--shards", count, runtime_dir=runtime_dir / str(count)) for count in (1, 2, 5)}
    # The thread that writes the ready line may still be on its way out.
    wait_until(lambda: relays[2].threads() - relays[1].threads() == 1, "one more serves with two shards")
    wait_until(lambda: relays[5].threads() - relays[1].threads() == 4, "four more serve with five")


async def test_send_buffer_bounds_what_the_kernel_holds_for_a_client_that_does_not_read(
        start_relay, push_to, connect, runtime_dir, ask):
    held = {}
    for size in (4 * KIB, 128 * KIB):
        relay = start_relay("--send-buffer", size, runtime_dir=runtime_dir / str(size))
        with RawClient(relay.port, receive_buffer=SMALL_BUFFER).upgrade():
            reader = await connect(relay, keep=False)
            await fan_out(push_to(relay), [reader], 512, 4 * KIB)
            silent = min(ask(relay, {"op": "clients"})["clients"], key=lambda client: client["bytes"])
            held[size] = silent["bytes"]
    assert held[4 * KIB] < 96 * KIB, held
    assert held[128 * KIB] > 128 * KIB, held


@pytest.mark.parametrize("level,lines", [("error", set()), ("warning", {"LOG_BITES"}),
                                         ("info", {"LOG_BITES", "client gone"}),
                                         ("debug", {"LOG_BITES", "client gone", "client connected"})])
def test_log_level_is_the_least_that_is_logged(start_relay, level, lines):
    relay = start_relay("--log-level", level, env=UNKNOWN_VARIABLE)
    with RawClient(relay.port).upgrade() as client:
        client.read_text()
    wait_until(lambda: relay.health()["clients"] == 0, "the client is gone")
    assert relay.stop() == 0
    said = {line for line in ("LOG_BITES", "client gone", "client connected") if line in relay.log()}
    assert said == lines


@pytest.fixture
def sync_counter(runtime_dir):
    """A library that counts, and the environment that brings it in."""
    compiler = shutil.which("cc")
    if compiler is None or is_sanitized():
        pytest.skip("needs a compiler, and a relay that takes another library in front")
    source, library = runtime_dir / "counter.c", runtime_dir / "counter.so"
    source.write_text(COUNTER)
    subprocess.run([compiler, "-shared", "-fPIC", "-o", library, source], check=True, timeout=30)
    return {"LD_PRELOAD": str(library), "SYNC_COUNT": str(runtime_dir / "count")}


@pytest.mark.parametrize("durability,waits", [("process", False), ("power", True)])
def test_durability_says_whether_each_confirmed_command_waits_for_the_disk(
        start_relay, runtime_dir, ask, sync_counter, durability, waits):
    relay = start_relay("--data", runtime_dir / "data", "--durability", durability, env=sync_counter)
    count = runtime_dir / "count"
    assert ask(relay, put("k", -1))["ok"]
    before = count.stat().st_size  # making the database waits for the disk in any case
    for number in range(20):
        assert ask(relay, put("k", number))["ok"]
    syncs = count.stat().st_size - before
    assert syncs >= 20 if waits else syncs == 0, syncs


def first_message(relay, path="/ws/sync"):
    with RawClient(relay.port).upgrade(path=path) as client:
        return json.loads(client.read_text())


@pytest.mark.parametrize("options, named", [
    (("--presence", "*"), ["", "room:1", "lobby"]), (("--presence", ""), [""]),
    (("--presence", "room:*", "--presence", "lobby"), ["room:1", "lobby"]), ((), []),
    (("--members-key", "devices"), [""]), (("--members-event", "devices:updated"), [""])], ids=str)
def test_presence_names_the_channels_whose_snapshots_have_members(start_relay, options, named):
    relay = start_relay("--open-channels", "*", *options)
    for channel in ("", "room:1", "lobby"):
        message = first_message(relay, f"/ws/sync?channel={channel}")
        assert message["type"] == "sync:full"
        assert message.get("members") == ({} if channel in named else None), channel


def test_members_key_is_an_empty_list_from_the_start(start_relay, ask):
    relay = start_relay("--members-key", "devices")
    assert ask(relay, {"op": "state", "key": "devices"})["state"] == {"devices": []}
    assert first_message(relay)["data"]["devices"] == []
