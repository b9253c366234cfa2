"""Workers and the relay: what they ask of it, and how it waits for what clients say."""

import time

import pytest
import zmq

from control_peer import ControlPeer

NOTHING = []


def ask(peer, command):
    return peer.confirm(command)


def test_a_receive_without_a_wait_answers_at_once(relay, peer_of):
    answer = ask(peer_of(relay), {"op": "receive"})
    assert answer["events"] == NOTHING and answer["seq"] == 0 and answer["epoch"]


def test_a_wait_ends_in_time_with_nothing(relay, peer_of):
    began = time.monotonic()
    assert ask(peer_of(relay), {"op": "receive", "wait": 0.4})["events"] == NOTHING
    assert 0.4 <= time.monotonic() - began < 3


def test_while_a_worker_waits_its_connection_is_good_for_more(relay):
    peer = ControlPeer(relay.ready["control"][0], zmq.DEALER)
    peer.send({"op": "receive", "wait": 1}, b"first")
    peer.send({"op": "set", "key": "k", "value": 1}, b"second")
    assert peer.receive_frames()[0] == b"second"
    assert peer.receive_frames()[0] == b"first"
    peer.close()


def test_a_worker_that_waits_hears_of_the_stop(relay, peer_of):
    peer = peer_of(relay)
    peer.send({"op": "receive", "wait": 60})
    other = peer_of(relay)
    ask(other, {"op": "stats"})
    relay.stop()
    assert peer.receive()["events"] == NOTHING


@pytest.mark.parametrize("op", ["done", "extend", "release"])
def test_numbers_that_nobody_knows_are_no_error(relay, peer_of, op):
    word = {"done": "done", "extend": "extended", "release": "released"}[op]
    assert ask(peer_of(relay), {"op": op, "n": [1, 2, 2]})[word] == 0


REFUSED = {
    "invalid_number": {"op": "done", "n": []},
    "invalid_limit": {"op": "receive", "max": 1001},
    "invalid_time": {"op": "receive", "wait": 61},
    "missing_member": {"op": "release"},
    "unknown_member": {"op": "receive", "channel": "a"},
    "invalid_member": {"op": "receive", "events": ["message", "changed"]},
    "wrong_type": {"op": "receive", "events": "message"},
}


@pytest.mark.parametrize("code", REFUSED)
def test_what_is_not_as_it_should_be_is_refused(relay, peer_of, code):
    assert peer_of(relay).ask(REFUSED[code])["error"]["code"] == code


def test_workers_are_not_heard_where_there_is_no_answer(relay, pusher, peer_of):
    pusher.push({"op": "receive"})
    pusher.push({"op": "done", "n": [1]})
    peer = peer_of(relay)
    deadline = time.monotonic() + 10
    while relay.metrics().value("commands_rejected_total", reason="unknown_op") < 2:
        assert time.monotonic() < deadline
    assert ask(peer, {"op": "stats"})["stats"]["inbox_messages"] == 0


def test_a_thousand_workers_wait_and_the_next_is_told_that_it_is_busy(relay):
    peer = ControlPeer(relay.ready["control"][0], zmq.DEALER)
    for number in range(1001):
        peer.send({"op": "receive", "wait": 60}, str(number).encode())
    number, body = peer.receive_frames()
    assert number == b"1000" and b'"busy"' in body
    peer.close()
