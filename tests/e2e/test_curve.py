"""Command sockets that ask for keys (CURVE): who has one that is listed gets in, nobody else, and these disturb nobody."""

import os
import signal
import socket
import threading
import time

import pytest
import zmq

from curve_keys import CurvePeer, Keys, Pair, Pipeline
from deadline import wait_until
from raw_client import TEXT, RawClient
from relay_process import RelayExited, run_relay
from shell import Shell, assert_failed

TCP = ("--commands", "tcp://127.0.0.1:*", "--control", "tcp://127.0.0.1:*")
GREETING = b"\xff" + bytes(8) + b"\x7f\x03\x01CURVE" + bytes(15 + 32)
MIB = 2**20
REFUSED, STRANGERS = "does not list its key", "ended before they had shown a key"


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    return Keys(tmp_path_factory.mktemp("keys"))


@pytest.fixture
def secured(keys, start_relay):
    keys.allow(keys.backend)
    return start_relay(*TCP, *keys.options)


@pytest.fixture
def meet(keys):
    """meet(relay): a peer of its control socket with a key that is listed."""
    peers = []

    def connect(relay, pair=None, server=None, kind=zmq.REQ, plain=False):
        endpoint = relay.endpoint if kind == zmq.PUSH else relay.ready["control"][0]
        peers.append(CurvePeer(endpoint, kind, *(() if plain else (server or keys.relay, pair or keys.backend))))
        return peers[-1]

    yield connect
    for peer in peers:
        peer.close()


@pytest.fixture
def knock():
    """knock(relay): a connection on a bare socket to its command socket."""
    sockets = []

    def connect(relay, what=b""):
        host, port = relay.endpoint.removeprefix("tcp://").split(":")
        sockets.append(socket.create_connection((host, int(port)), timeout=15))
        sockets[-1].sendall(what)
        return sockets[-1]

    yield connect
    for one in sockets:
        one.close()


@pytest.fixture
def pipeline():
    """pipeline(relay, more): asks its control socket for others, and says more than they do."""
    made = []

    def make(relay, more=b""):
        made.append(Pipeline(relay.ready["control"][0], more))
        return made[-1]

    yield make
    for each in made:
        each.close()


def is_shut_out(peer):
    """It asked, and has no answer although another one that asked later has."""
    return peer.socket.poll(0) == 0


def count(relay, name):
    return relay.metrics().value(name)


def test_a_listed_key_commands_the_relay(secured, meet):
    pusher, peer = meet(secured, kind=zmq.PUSH), meet(secured)
    pusher.push({"op": "set", "key": "radio", "value": 1})
    wait_until(lambda: peer.ask({"op": "state"})["state"]["radio"] == 1, "the push has its effect")
    assert peer.ask({"op": "set", "key": "radio", "value": "x" * MIB})["ok"]


def test_sockets_of_this_machine_ask_for_no_key(start_relay, keys, meet):
    relay = start_relay("--commands", "tcp://127.0.0.1:*", *keys.options)
    assert meet(relay, plain=True).ask({"op": "stats"})["ok"]


@pytest.mark.parametrize("who", ["not listed", "of another relay", "plain"])
def test_without_a_listed_key_nothing_is_taken_and_the_log_says_from_where(secured, keys, meet, who):
    how = {"not listed": {"pair": keys.stranger}, "of another relay": {"server": keys.stranger},
           "plain": {"plain": True}}[who]
    stranger, pusher = meet(secured, **how), meet(secured, kind=zmq.PUSH, **how)
    for peer in (stranger, pusher):
        peer.try_send(b'{"op":"set","key":"radio","value":1}')
    line = secured.logged(REFUSED if who == "not listed" else STRANGERS)
    assert "address=127.0.0.1" in line
    assert (keys.stranger.public in line) == (who == "not listed")
    counter = "command_keys_refused_total" if who == "not listed" else "command_handshakes_failed_total"
    wait_until(lambda: count(secured, counter) >= 1, "it is counted")
    assert meet(secured).ask({"op": "state"})["state"]["radio"] is None
    assert is_shut_out(stranger)


def test_who_knocks_is_told_about_once_a_second_and_disturbs_nobody(secured, keys, meet, knock):
    """Garbage, half handshakes, keys that are not listed: hundreds of them, while a backend goes on."""
    pusher, peer = meet(secured, kind=zmq.PUSH), meet(secured)
    begin = time.monotonic()
    for number in range(300):
        knock(secured, (b"", b"GET / HTTP/1.1\r\n\r\n", GREETING, GREETING + b"\x04\xc8\x05HELLO",
                        os.urandom(200))[number % 5])
        if number % 30 == 0:
            meet(secured, keys.stranger).try_send(b"{}")
        pusher.push({"op": "set", "key": "radio", "value": number})
    wait_until(lambda: peer.ask({"op": "state"})["state"]["radio"] == 299, "all of the backend's commands are taken")
    assert meet(secured).ask({"op": "stats"})["ok"]
    wait_until(lambda: count(secured, "command_handshakes_failed_total") > 50, "the strangers are counted")
    secured.stop()
    for text in (REFUSED, STRANGERS):
        assert 1 <= secured.log().count(text) <= time.monotonic() - begin + 2


def test_strangers_that_say_nothing_keep_no_backend_out(start_relay, keys, meet, knock):
    """They may have half of the room of a socket, and displace each other there."""
    keys.allow(keys.backend)
    relay = start_relay("--max-clients", "100", *TCP, *keys.options, open_files=(700, 700))
    known = meet(relay, kind=zmq.PUSH)
    known.push({"op": "set", "key": "radio", "value": 1})
    for _ in range(500):
        knock(relay, GREETING)
    late, peer = meet(relay, kind=zmq.PUSH), meet(relay)
    for pusher, value in ((late, 2), (known, 3)):
        pusher.push({"op": "set", "key": "radio", "value": value})
        wait_until(lambda: peer.ask({"op": "state"})["state"]["radio"] == value, "it is taken", 8)


def test_a_handshake_without_end_costs_no_memory(secured, knock, memory_is_measurable):
    before = secured.rss()
    large = GREETING + b"\x06" + (200 * MIB).to_bytes(8, "big")
    for _ in range(50):
        stranger = knock(secured, large)
        try:
            stranger.sendall(bytes(4 * MIB))
        except OSError:
            pass  # it is cut off
    assert secured.rss() - before < 20 * MIB
    wait_until(lambda: count(secured, "command_connections_cut_off_total") == 50, "all were cut off")


LARGE_FRAME = b"\x02" + (63 * MIB).to_bytes(8, "big") + b"\x07MESSAGE"


@pytest.mark.parametrize("more", [LARGE_FRAME, b"\x06" + LARGE_FRAME[1:], bytes(8000)],
                         ids=["a large frame", "a large command", "empty frames"])
def test_who_is_not_listed_and_says_more_than_its_handshake_holds_nobody_up(secured, keys, meet, pipeline, more):
    """It takes no part of the room that messages have, neither on the way nor as a whole, before its key is known."""
    known = meet(secured)
    assert known.ask({"op": "stats"})["ok"]
    between = pipeline(secured, more)
    strangers = [CurvePeer(between.endpoint, zmq.DEALER, keys.relay, keys.stranger) for _ in range(10)]
    wait_until(lambda: between.ended >= 10, "they are cut off long before their time for a handshake is over", 8)
    assert meet(secured).ask({"op": "stats"})["ok"]
    assert known.ask({"op": "stats"})["ok"]
    for name in ("command_connections_cut_off_total", "command_handshakes_failed_total"):
        wait_until(lambda name=name: count(secured, name) >= 10, "they are counted")
    secured.logged(STRANGERS)
    for peer in strangers:
        peer.close()


def test_who_is_refused_and_stays_is_closed_at_once(secured, keys, meet, pipeline):
    between = pipeline(secured)
    stranger = CurvePeer(between.endpoint, zmq.DEALER, keys.relay, keys.stranger)
    wait_until(lambda: between.ended >= 1, "it is closed long before its time for a handshake is over", 5)
    assert between.asked >= 1 and keys.stranger.public in secured.logged(REFUSED)
    stranger.close()
    assert meet(secured).ask({"op": "stats"})["ok"]


def test_garbage_in_place_of_a_handshake_is_counted_and_told(secured, knock):
    knock(secured, GREETING + b"\x04\xc8\x05HELLO" + bytes(194) + b"\x04\x20" + bytes(32))
    secured.logged(STRANGERS)
    wait_until(lambda: count(secured, "command_handshakes_failed_total") == 1, "it is counted")


@pytest.mark.parametrize("how", ["signal", "change"])
def test_the_list_is_read_again(secured, keys, meet, how):
    newcomer, known = meet(secured, keys.stranger, kind=zmq.DEALER), meet(secured)
    newcomer.try_send(b"{}")
    secured.logged(REFUSED)
    keys.allow(keys.backend, keys.stranger)
    if how == "signal":
        secured.signal(signal.SIGHUP)
    assert "keys=2" in secured.logged("keys of backends were read again")
    assert meet(secured, keys.stranger).ask({"op": "stats"})["ok"]
    assert known.ask({"op": "stats"})["ok"]


def test_a_key_that_is_taken_out_ends_its_connections(secured, keys, meet):
    keys.allow(keys.backend, keys.stranger)
    secured.logged("keys=2")
    leaving, staying = meet(secured, keys.stranger), meet(secured, kind=zmq.DEALER)
    assert leaving.ask({"op": "stats"})["ok"]
    keys.allow(keys.backend)
    secured.logged("keys=1")
    secured.logged(REFUSED)  # it has tried to come back
    leaving.try_send(b'{"op":"set","key":"radio","value":1}')
    staying.socket.send_multipart([b"", b'{"op":"state"}'])
    assert b'"radio":null' in staying.socket.recv_multipart()[-1]
    assert is_shut_out(leaving)


def test_a_key_that_is_taken_out_ends_no_other_connection(secured, keys, meet):
    """A worker that waits for messages still has its place, and what is pushed comes whole and in order."""
    keys.allow(keys.backend, keys.stranger)
    secured.logged("keys=2")
    leaving, waiting, silent = meet(secured, keys.stranger), meet(secured, kind=zmq.DEALER), meet(secured)
    waiting.try_send(b'{"op":"receive","wait":60}')
    for peer in (leaving, waiting, silent):
        assert peer.ask({"op": "stats"})["ok"]
    keys.allow(keys.backend)
    secured.logged(REFUSED)  # who left has tried to come back
    with RawClient(secured.port).upgrade() as client:
        client.read_text()
        client.send_frame(TEXT, b'{"type":"chat:say"}')
        assert b'"chat:say"' in waiting.socket.recv_multipart()[-1]


def test_a_list_that_cannot_be_used_changes_nothing(secured, keys, meet):
    keys.clients.write_text("# who may command\n")
    secured.logged("lists no key")
    assert meet(secured).ask({"op": "stats"})["ok"]


def test_a_list_that_is_written_in_place_is_seen_whatever_its_time(secured, keys, meet):
    before = keys.clients.stat()
    keys.clients.write_text(keys.clients.read_text().replace(keys.backend.public, keys.stranger.public))
    os.utime(keys.clients, ns=(before.st_atime_ns, before.st_mtime_ns))
    secured.logged("keys of backends were read again")
    assert meet(secured, keys.stranger).ask({"op": "stats"})["ok"]


def test_a_file_that_is_no_list_changes_nothing(secured, keys, meet):
    keys.clients.write_text("nonsense\n")
    assert "line 1 begins with no public key" in secured.logged("stay what they were")
    assert meet(secured).ask({"op": "stats"})["ok"]
    keys.clients.unlink()
    assert "cannot be read" in wait_until(
        lambda: [x for x in secured.log().splitlines() if "stay what they were" in x][1:], "it is told again")[0]
    assert meet(secured).ask({"op": "stats"})["ok"]
    keys.allow(keys.backend)


@pytest.mark.heavy
def test_a_long_flow_is_never_held_up_and_comes_whole(secured, meet):
    """The gate counts what is in the boxes, so that what is taken and what has come do not drift apart."""
    pusher, peer = meet(secured, kind=zmq.PUSH), meet(secured)
    total = 300_000
    pushing = threading.Thread(target=lambda: [pusher.push({"op": "broadcast", "type": "t"}) for _ in range(total)])
    pushing.start()
    wait_until(lambda: peer.ask({"op": "stats"})["seq"] == total, "all have come", 120)
    pushing.join()


def test_a_stop_takes_what_was_pushed(secured, keys, meet, start_relay, data_dir):
    """As without keys: what is not taken any more waits for the next relay."""
    secured.stop()
    options = ("--data", data_dir, *keys.options, "--commands", secured.endpoint, "--control",
               secured.ready["control"][0])
    first = start_relay(*options)
    pusher, peer = meet(first, kind=zmq.PUSH), meet(first)
    assert peer.ask({"op": "stats"})["ok"]
    for _ in range(500):
        pusher.push({"op": "broadcast", "type": "t"})
    assert first.stop() == 0
    for _ in range(500):
        pusher.push({"op": "broadcast", "type": "t"})
    second = start_relay(*options)
    wait_until(lambda: meet(second).ask({"op": "stats"})["seq"] == 1000, "all have come")


def test_the_shell_asks_with_keys_and_says_what_is_wrong(secured, keys):
    def run(*words):
        return Shell(secured.runtime_dir).run(*words, "--control", secured.ready["control"][0], "--timeout", "1s")

    assert run("state", *keys.ask_with()).stdout == '{"comparison":null,"radio":null}\n'
    assert run("set", "radio", "1", *keys.ask_with()).returncode == 0
    assert_failed(run("state", *keys.ask_with(keys.stranger)), 1, "does not let this key in", keys.stranger.public)
    assert_failed(run("state", *keys.ask_with(server=keys.stranger)), 1, "--curve-server-key is not this relay's")
    assert_failed(run("state"), 1, "it may ask for a key")
    assert_failed(run("state", "--curve-key", keys.backend.file), 2, "needs --curve-server-key")
    missing = run("state", "--curve-key", "/nowhere/key", "--curve-server-key", keys.relay.public_file)
    assert_failed(missing, 1, "/nowhere/key: cannot be read")


def test_keygen_makes_a_pair_and_overwrites_nothing(tmp_path):
    pair = Pair(tmp_path, "key")
    assert zmq.curve_public(pair.secret.encode()).decode() == pair.public == pair.public_file.read_text().splitlines()[-1]
    assert (pair.file.stat().st_mode & 0o777, pair.public_file.stat().st_mode & 0o777) == (0o600, 0o644)
    again = run_relay("keygen", pair.file, runtime_dir=tmp_path)
    assert_failed(again, 1, "key: is there already")
    pair.file.unlink()
    assert_failed(run_relay("keygen", pair.file, runtime_dir=tmp_path), 1, "key.pub: is there already")
    assert not pair.file.exists() and pair.public_file.read_text().splitlines()[-1] == pair.public
    assert_failed(run_relay("keygen", tmp_path / "no" / "key", runtime_dir=tmp_path), 1, "No such file")
    assert_failed(run_relay("keygen", runtime_dir=tmp_path), 2, "usage: syncrelay keygen FILE")


@pytest.mark.parametrize("remote", [False, True])
def test_with_keys_a_remote_endpoint_needs_no_permission(start_relay, runtime_dir, keys, remote):
    address = "tcp://0.0.0.0:*" if remote else "tcp://127.0.0.1:*"
    assert start_relay("--commands", address, *keys.options).endpoint.startswith("tcp://")
    if remote:
        ended = run_relay("--commands", address, runtime_dir=runtime_dir)
        assert_failed(ended, 2, "--curve-key and --curve-clients", "--allow-remote-commands")


def test_files_that_cannot_be_used_end_the_start(start_relay, keys, tmp_path):
    bad = tmp_path / "bad"
    bad.write_text("nonsense\n")
    for key, clients, why in ((bad, keys.clients, "holds no key"), (keys.relay.file, bad, "line 1 begins with no"),
                              (tmp_path / "no", keys.clients, "cannot be read"),
                              (keys.relay.file, tmp_path / "no", "cannot be read")):
        with pytest.raises(RelayExited, match=why):
            start_relay(*TCP, "--curve-key", key, "--curve-clients", clients)


def test_a_public_key_is_no_secret_and_the_other_way_round(start_relay, keys, tmp_path):
    renamed, foreign = tmp_path / "renamed", tmp_path / "foreign"
    renamed.write_text(keys.relay.public_file.read_text())
    foreign.write_text(keys.stranger.secret + "\n")
    (tmp_path / "foreign.pub").write_text(keys.relay.public + "\n")
    secrets = tmp_path / "secrets"
    secrets.write_text(keys.backend.file.read_text())
    for key, clients, why in ((keys.relay.public_file, keys.clients, "by its name it is a public key"),
                              (renamed, keys.clients, "holds a public key"), (foreign, keys.clients, "is not the secret one of"),
                              (keys.relay.file, secrets, "line 1 holds a secret key")):
        with pytest.raises(RelayExited, match=why):
            start_relay(*TCP, "--curve-key", key, "--curve-clients", clients)
    swapped = Shell(tmp_path).run("state", "--control", "tcp://127.0.0.1:1", "--curve-key", keys.backend.file,
                                  "--curve-server-key", keys.relay.file)
    assert_failed(swapped, 1, "holds a secret key")


def test_plain_keys_of_other_tools_are_taken(start_relay, keys, meet, tmp_path):
    plain = tmp_path / "plain"
    plain.write_text(keys.relay.secret)
    relay = start_relay(*TCP, "--curve-key", plain, "--curve-clients", keys.clients)
    assert meet(relay).ask({"op": "stats"})["ok"]


def test_an_empty_list_is_warned_of(start_relay, keys, tmp_path):
    empty = tmp_path / "empty"
    empty.write_text("# nobody yet\n")
    relay = start_relay(*TCP, "--curve-key", keys.relay.file, "--curve-clients", empty, "--log-level", "info")
    assert "nobody can connect" in relay.log_of_start() and "curve=true" in relay.log_of_start()


def test_a_worker_that_hung_up_gives_its_place_back(secured, keys, meet):
    """The connection that a boxed request came by is known, as without keys."""
    gone, here = meet(secured, kind=zmq.DEALER), meet(secured, kind=zmq.DEALER)
    gone.try_send(b'{"op":"receive","wait":60}')
    assert gone.ask({"op": "stats"})["ok"]  # the relay has read what came before
    gone.close()
    here.socket.send_multipart([b"", b'{"op":"receive","wait":4}'])
    with RawClient(secured.port).upgrade() as client:
        client.read_text()
        client.send_frame(TEXT, b'{"type":"chat:say"}')
        assert b'"chat:say"' in here.socket.recv_multipart()[-1]
