"""The control socket: commands with answers, queries, envelopes, duplicates, and peers that do not read."""

import json
import re
import time

import pytest
import zmq

from control_peer import NoAnswer, control_peers
from deadline import until, wait_until
from vectors import command_bytes, load, name_of
from ws_client import settle

MIB = 2**20
MAX_GROWTH = 64 * MIB  # 16 MiB of unread answers, one in the making, and the socket buffers
EPOCH = re.compile(r"^[0-9a-f]{16}$")
REJECTED = load("commands_rejected")
ACCEPTED = [
    {"op": "set", "key": "radio", "value": {"a": 1}},
    {"op": "merge", "key": "radio", "value": {"a": None}},
    {"op": "delete", "key": "radio"},
    {"op": "broadcast", "type": "x", "data": [1]},
    {"op": "broadcast", "type": "x", "set": {"radio": 1}, "notify": True},
    {"op": "set", "key": "radio", "value": 2, "notify": True},
    {"op": "barrier"},
]


@pytest.fixture
def control():
    """Opens peers: control(relay), control(relay, zmq.DEALER)."""
    with control_peers() as connect:
        yield connect


@pytest.fixture
def peer(relay, control):
    return control(relay)


@pytest.fixture
def dealer(relay, control):
    return control(relay, zmq.DEALER)


@pytest.fixture
def silent(relay, control):
    """Sends, and never reads an answer."""
    return control(relay, zmq.DEALER, reads=False)


# Answers.


@pytest.mark.parametrize("command", ACCEPTED, ids=lambda c: c["op"])
async def test_every_operation_is_answered_with_the_position_behind_it(relay, peer, connect, command):
    clients = [await connect(relay) for _ in range(2)]
    before = peer.confirm({"op": "broadcast", "type": "before"})
    answer = peer.confirm(command)
    events = command["op"] != "barrier" and command.get("notify", True)
    changes = "key" in command or "set" in command
    assert changes == ("versions" in answer)
    assert set(answer.pop("versions", {})) == ({"radio"} if changes else set())
    assert answer == {"ok": True, "seq": before["seq"] + events, "epoch": clients[0].epoch, "clients": 2}
    assert EPOCH.match(answer["epoch"])


async def test_what_is_answered_is_in_the_next_snapshot(relay, peer, connect):
    for number in range(50):
        answer = peer.confirm({"op": "broadcast", "type": "x", "set": {"radio": number}})
        client = await connect(relay)
        assert (client.first.seq, client.first.data["radio"]) == (answer["seq"], number)


async def test_the_event_at_the_answered_position_is_the_commands(relay, dealer, connect):
    client = await connect(relay)
    for number in range(500):
        dealer.send({"op": "broadcast", "type": "x", "data": number})
    answers = [dealer.receive() for _ in range(500)]
    await client.read_to_seq(answers[-1]["seq"])
    assert [(m.seq, m.data) for m in client.events()] == [(a["seq"], n) for n, a in enumerate(answers)]


@pytest.mark.parametrize("vector", REJECTED, ids=name_of)
def test_a_refused_command_is_answered_with_code_and_offset(relay, peer, vector):
    answer = peer.ask(command_bytes(vector))
    assert set(answer) == {"ok", "error"} and answer["ok"] is False
    assert set(answer["error"]) == {"code", "message", "offset"} | ({"index"} & set(vector))
    assert answer["error"]["code"] == vector["reason"]
    assert answer["error"].get("index") == vector.get("index")
    assert answer["error"]["offset"] == vector.get("offset", answer["error"]["offset"])
    assert answer["error"]["message"]
    assert relay.metrics().labels("commands_rejected_total", "reason")[vector["reason"]] == 1
    assert peer.confirm({"op": "state"})["seq"] == 0


# Envelopes.


@pytest.mark.parametrize("frames", [[], [b""], [b"17"], [b"a", b"b", b""], [b"x" * 256] * 8],
                         ids=["none", "delimiter", "id", "several", "largest"])
def test_the_frames_before_the_body_come_back_in_front_of_the_answer(dealer, frames):
    dealer.send({"op": "broadcast", "type": "x"}, *frames)
    *back, body = dealer.receive_frames()
    assert back == frames
    assert json.loads(body)["ok"]


@pytest.mark.parametrize("frames", [[b"x" * 257], [b"x"] * 9], ids=["long", "many"])
def test_an_envelope_over_the_limits_is_dropped_counted_and_the_next_request_answered(relay, dealer, frames):
    dealer.send({"op": "broadcast", "type": "x"}, *frames)
    dealer.send({"op": "state"}, b"next")
    frame, body = dealer.receive_frames()
    assert (frame, json.loads(body)["seq"]) == (b"next", 0)
    assert relay.metrics().labels("commands_rejected_total", "reason")["multipart"] == 1


def test_answers_come_in_the_order_of_the_requests(dealer):
    requests = [b"%d" % number for number in range(300)]
    for number, request in enumerate(requests):
        kinds = ({"op": "broadcast", "type": "x"}, {"op": "state"}, b"no json")
        command = kinds[number % 3]
        dealer.send(command, request)
    assert [dealer.receive_frames()[0] for _ in requests] == requests


def test_a_barrier_is_answered_in_its_place_with_the_position_before_it(dealer):
    for _ in range(100):
        dealer.send({"op": "broadcast", "type": "x"})
        dealer.send({"op": "barrier"})
    answers = [dealer.receive() for _ in range(200)]
    assert [answer["seq"] for answer in answers] == [1 + n // 2 for n in range(200)]
    assert all(set(answer) == {"ok", "seq", "epoch", "clients"} for answer in answers)


async def test_a_barrier_has_no_effect_on_either_socket_and_is_not_counted(relay, peer, pusher, connect):
    client = await connect(relay)
    pusher.push({"op": "barrier", "id": "pushed"})
    wait_until(lambda: peer.confirm({"op": "stats"})["stats"]["ids"] == 1, "the pushed one is taken")
    assert peer.confirm({"op": "barrier", "id": "pushed"})["duplicate"]
    peer.confirm({"op": "barrier"})
    assert peer.confirm({"op": "broadcast", "type": "after"})["seq"] == 1
    event = await client.next_event()
    assert (event.type, event.seq) == ("after", 1)
    metrics = relay.metrics()
    assert metrics.value("commands_total") == metrics.value("commands_total", op="broadcast") == 1
    assert metrics.value("commands_rejected_total") == 0


# Duplicates.


def test_a_repeated_id_takes_no_effect_and_is_answered_as_the_first(relay, peer):
    first = peer.confirm({"op": "broadcast", "type": "x", "set": {"radio": 1}, "id": "a"})
    peer.confirm({"op": "broadcast", "type": "between", "set": {"radio": 2}})
    again = peer.confirm({"op": "broadcast", "type": "x", "set": {"radio": 1}, "id": "a"})
    del first["versions"]
    assert again == {**first, "duplicate": True}
    assert peer.confirm({"op": "state", "key": "radio"})["state"] == {"radio": 2}
    assert relay.metrics().value("duplicates_total") == 1


def test_a_repetition_in_the_same_batch_takes_no_effect(relay, dealer):
    for number in range(200):
        dealer.send({"op": "broadcast", "type": "x", "id": f"{number % 20}"})
    answers = [dealer.receive() for _ in range(200)]
    assert [a["seq"] for a in answers] == [n % 20 + 1 for n in range(200)]
    assert [a.get("duplicate", False) for a in answers] == [n >= 20 for n in range(200)]


async def test_an_id_is_known_on_both_sockets(relay, peer, pusher, connect):
    client = await connect(relay)
    pusher.broadcast("pushed", id="a")
    await client.read_to_type("pushed")
    assert peer.confirm({"op": "broadcast", "type": "pushed", "id": "a"})["duplicate"]
    peer.confirm({"op": "broadcast", "type": "confirmed", "id": "b"})
    pusher.broadcast("confirmed", id="b")
    pusher.broadcast("pushed", id="a")
    assert await settle(relay, pusher) == 3


def test_a_refused_command_does_not_use_its_id_up(start_relay, control):
    peer = control(start_relay("--max-state", "1KiB"))
    assert peer.ask({"op": "set", "key": "k", "value": "x" * 2000, "id": "a"})["error"]["code"] == "state_full"
    assert "duplicate" not in peer.confirm({"op": "set", "key": "k", "value": "x", "id": "a"})


def test_the_window_of_ids_ends_by_count(start_relay, control):
    peer = control(start_relay("--dedup-ids", "10"))
    for number in range(11):
        peer.confirm({"op": "broadcast", "type": "x", "id": f"{number}"})
    assert peer.confirm({"op": "broadcast", "type": "x", "id": "1"})["duplicate"]
    assert "duplicate" not in peer.confirm({"op": "broadcast", "type": "x", "id": "0"})
    assert peer.confirm({"op": "stats"})["stats"]["ids"] == 10


def test_the_window_of_ids_ends_by_age(start_relay, control):
    peer = control(start_relay("--dedup-window", "300ms"))
    command, begin = {"op": "broadcast", "type": "x", "id": "a"}, time.monotonic()
    peer.confirm(command)
    wait_until(lambda: "duplicate" not in peer.confirm(command), "the id is forgotten")
    assert time.monotonic() - begin >= 0.3


# Queries.


def test_the_state_comes_byte_for_byte(peer, dealer):
    assert peer.confirm({"op": "state"})["state"] == {"comparison": None, "radio": None}
    peer.confirm(b'{"op":"set","key":"k\\u00e9","value":{"b":1.50,"a":[ 1e3 ]}}')
    dealer.send({"op": "state", "key": "ké"})
    assert '"state":{"ké":{"b":1.50,"a":[ 1e3 ]}}' in dealer.receive_frames()[-1].decode()
    assert peer.confirm({"op": "state", "key": "unknown"})["state"] == {}


async def test_clients_are_told_with_address_and_lag(relay, peer, connect):
    clients = [await connect(relay) for _ in range(3)]
    seq = peer.confirm({"op": "broadcast", "type": "x"})["seq"]
    for client in clients:
        await client.read_to_seq(seq)
    told = peer.confirm({"op": "clients"})["clients"]
    assert len({c["id"] for c in told}) == 3
    assert all(set(c) == {"id", "address", "since", "lag", "bytes", "last_pong", "channels"} for c in told)
    assert all("127.0.0.1" in c["address"] and c["lag"] == 0 and c["bytes"] > 0 for c in told)
    assert all(time.time() - 40 < c["since"] <= time.time() for c in told)
    await clients[0].leave()
    await until(lambda: len(peer.confirm({"op": "clients"})["clients"]) == 2, "one is gone")


async def test_the_clients_query_shows_who_a_client_is(start_relay, peer_of, follow):
    relay = start_relay("--anonymous-identity")
    peer = peer_of(relay)
    await follow(relay, "")
    await follow(relay, "", id="dev-1")
    told = {client["id"]: client for client in peer.confirm({"op": "clients"})["clients"]}
    assert "identity" not in told[1] and told[2]["identity"] == "dev-1"
    assert list(told[2])[-1] == "identity"


async def test_stats_agree_with_the_metrics(relay, peer, connect):
    await connect(relay)
    peer.confirm({"op": "broadcast", "type": "x", "id": "a"})
    peer.confirm({"op": "broadcast", "type": "x", "id": "a"})
    peer.ask(b"no json")
    expected = {"commands": 1, "commands_rejected": 1, "duplicates": 1, "ids": 1, "events": 1, "state_keys": 2,
                "log_events": 1, "clients_accepted": 1}

    def differing():
        stats = peer.confirm({"op": "stats"})["stats"]
        return {name: stats[name] for name in expected if stats[name] != expected[name]}

    await until(lambda: not differing(), "the shards have told what they hold")
    metrics = relay.metrics()
    assert metrics.value("duplicates_total") == 1 and metrics.value("events_total") == 1


def test_a_query_on_the_command_socket_is_refused(relay, pusher):
    pusher.push({"op": "state"})
    wait_until(lambda: relay.metrics().labels("commands_rejected_total", "reason").get("unknown_op"), "it is counted")


# Peers that misbehave.


def unanswered(dealer, command, count):
    for _ in range(count):
        dealer.send(command)


def test_a_peer_that_never_reads_costs_bounded_memory_and_is_counted(relay, peer, silent, memory_is_measurable):
    peer.confirm({"op": "set", "key": "radio", "value": "x" * MIB})
    before = relay.rss()
    unanswered(silent, {"op": "state"}, 2000)
    wait_until(lambda: relay.metrics().value("answers_dropped_total")
               + relay.metrics().value("commands_rejected_total", reason="busy") > 1900, "the rest gets none", 20)
    assert relay.peak_rss() - before < MAX_GROWTH, f"{(relay.peak_rss() - before) / MIB:.0f} MiB"


def test_every_one_of_many_large_queries_is_answered_or_refused(relay, peer, dealer):
    """A peer that reads, and asks for more than the relay keeps for it at a time."""
    peer.confirm({"op": "set", "key": "radio", "value": "x" * (10 * MIB)})
    unanswered(dealer, {"op": "state"}, 20)
    answers = [dealer.receive(20) for _ in range(20)]
    assert all(a["ok"] or a["error"]["code"] == "busy" for a in answers) and answers[0]["ok"]
    assert relay.metrics().value("answers_dropped_total") == 0


def test_a_peer_that_never_reads_keeps_no_answer_from_others(relay, peer, silent):
    peer.confirm({"op": "set", "key": "radio", "value": "x" * MIB, "notify": False})
    unanswered(silent, {"op": "state"}, 500)
    wait_until(lambda: relay.metrics().value("commands_rejected_total", reason="busy") > 0, "it gets no more", 20)
    assert peer.confirm({"op": "broadcast", "type": "x"})["seq"] == 1
    assert len(peer.confirm({"op": "state"})["state"]["radio"]) == MIB


@pytest.mark.parametrize("flood", [b'{"op":"stats"}', b"no json", b'{"op":"delete","key":"k","notify":false}'],
                         ids=["queries", "refused", "without effect"])
def test_a_flood_does_not_keep_others_from_being_served(relay, peer, silent, flood):
    """Requests that never fill a batch: the relay must end the batch all the same."""
    for _ in range(5):
        unanswered(silent, flood, 20_000)
        assert peer.confirm({"op": "broadcast", "type": "x"}, seconds=2)["ok"]


def test_a_peer_that_is_gone_before_its_answer_is_no_trouble(relay, control, peer):
    for _ in range(20):
        leaver = control(relay, zmq.DEALER)
        unanswered(leaver, {"op": "clients"}, 10)
        leaver.close()
    assert peer.confirm({"op": "clients"})["clients"] == []


def test_more_queries_for_clients_than_can_be_under_way_are_told_so(relay, dealer):
    unanswered(dealer, {"op": "clients"}, 200)
    answers = [dealer.receive() for _ in range(200)]
    assert {a["error"]["code"] for a in answers if not a["ok"]} <= {"busy"}
    assert any(a["ok"] for a in answers)


def test_a_relay_that_stops_answers_what_it_has_taken(relay, dealer):
    for number in range(500):
        dealer.send({"op": "broadcast", "type": "x"}, b"%d" % number)
    assert relay.stop() == 0
    answered = []
    try:
        while True:
            answered.append(int(dealer.receive_frames(0.5)[0]))
    except NoAnswer:
        assert answered == list(range(500))
