"""permessage-deflate: clients that have negotiated it get the same messages, in fewer bytes."""

import asyncio
import contextlib
import json
import random
import signal

import pytest

from control_peer import ControlPeer
from deadline import until, wait_until
from fan_out import SMALL_BUFFER
from hiccups import Hiccups
from history import History
from raw_client import BINARY, CONTINUATION, PING, PONG, TEXT, RawClient, deflate, frame, upgrade_request
from worker import Worker
from ws_client import settle

DEFLATE = {"compression": "deflate"}
OFFER = {"Sec_WebSocket_Extensions": "permessage-deflate"}
GRANT = "permessage-deflate; server_no_context_takeover; client_no_context_takeover"
RSV1, RSV2, RSV3 = 4, 2, 1
EMPTY_BLOCK = b"\x00\x00\x00\xff\xff"  # of a deflated message
KIB, MIB = 2**10, 2**20
LIMIT = 64 * KIB
SYNC_PING = b'{"type":"sync:ping"}'


def typical(number):
    """The data of an event of 500 to 1,000 bytes, as a backend would send it."""
    draw = random.Random(number)
    return {"players": [
        {"id": f"player-{draw.randrange(10 ** 6)}", "name": f"Player {draw.randrange(10 ** 4)}",
         "state": draw.choice(["playing", "paused", "idle"]), "volume": draw.randrange(101),
         "track": {"title": f"Song {draw.randrange(10 ** 5)}", "artist": f"Artist {draw.randrange(10 ** 4)}",
                   "seconds": draw.randrange(10 ** 6) / 1000},
         "position": draw.randrange(10 ** 6) / 1000} for _ in range(draw.randrange(3, 6))]}


def noise(size, seed=0):
    """A text that deflates to three quarters, and no less."""
    return random.Random(seed).randbytes(size * 3 // 4).hex()[:size // 2] + "".join(
        random.Random(seed + 1).choices([chr(c) for c in range(35, 91)], k=size - size // 2))


async def read_both(clients, seq):
    for client in clients:
        await client.read_to_seq(seq)


@pytest.fixture
def deflating(relay):
    with RawClient(relay.port).upgrade(**OFFER) as opened:
        opened.read_text()
        yield opened


def clients_of(relay):
    peer = ControlPeer(relay.ready["control"][0])
    try:
        return peer.confirm({"op": "clients"})["clients"]
    finally:
        peer.close()


def answers_ping(client):
    client.send_frame(PING, b"alive?")
    return client.read_opcode(PONG).payload == b"alive?"


async def test_clients_with_and_without_it_see_the_same_messages(relay, pusher, connect):
    plain = await connect(relay)
    deflated = await connect(relay, **DEFLATE)
    for number in range(200):
        pusher.broadcast("state", typical(number))
        pusher.broadcast("short", number)
    await settle(relay, pusher)
    pusher.broadcast("long", noise(300 * KIB))
    await settle(relay, pusher)
    pusher.broadcast("mega", "x" * (500 * KIB))
    await read_both([plain, deflated], await settle(relay, pusher))
    assert [m.text for m in plain.events()] == [m.text for m in deflated.events()]
    assert len(plain.events()) == 405
    page = relay.metrics()  # a slow machine deflates fewer of a crowd: a turn has so much time for it
    assert page.value("deflated_events_total") + page.value("undeflated_events_total") == 202
    assert page.value("deflated_events_total") >= 3  # the first of the crowd, and those that came alone


@pytest.mark.parametrize(("offer", "answer"), [
    ("permessage-deflate", GRANT),
    ("permessage-deflate; client_max_window_bits", GRANT),
    ("permessage-deflate; server_max_window_bits=12; client_max_window_bits=12", GRANT + "; server_max_window_bits=12"),
    ("x-unknown, permessage-deflate; server_max_window_bits=9, permessage-deflate", GRANT),
    ("permessage-deflate; server_max_window_bits=9", None),
    ("permessage-deflate; mux", None),
    ("x-webkit-deflate-frame", None),
    (None, None),
])
def test_the_first_offer_that_can_be_kept_is_granted(relay, offer, answer):
    with RawClient(relay.port) as client:
        client.send(upgrade_request(Sec_WebSocket_Extensions=offer))
        status, headers = client.read_head()
        assert (status, headers.get("sec-websocket-extensions")) == (101, answer)
        assert not client.read_frame().deflated


async def test_compression_can_be_turned_off(start_relay, push_to, connect):
    relay = start_relay("--compression", "off")
    with RawClient(relay.port) as client:
        client.send(upgrade_request(**OFFER))
        assert "sec-websocket-extensions" not in client.read_head()[1]
        client.read_text()
        push_to(relay).broadcast("state", typical(1))
        assert not client.read_frame().deflated
        client.send_frame(TEXT, deflate(SYNC_PING), reserved=RSV1)
        assert client.read_close_code() == 1002
    assert (await connect(relay, **DEFLATE)).connection.extensions == []
    assert relay.metrics().value("deflated_events_total") == 0


def sent_to_each(relay):
    return {client["id"]: client["bytes"] for client in clients_of(relay)}


async def test_typical_events_take_less_than_half_of_the_bytes(relay, pusher, connect):
    plain, deflated = await connect(relay), await connect(relay, **DEFLATE)
    before = sent_to_each(relay)
    for number in range(1000):
        pusher.broadcast("player:state", typical(number))
        if number % 50 == 49:  # never more than is deflated in one turn
            await read_both([plain, deflated], await settle(relay, pusher))
    now = sent_to_each(relay)
    sent = [now[client] - bytes_sent for client, bytes_sent in before.items()]
    sizes = [len(m.text) for m in plain.events()[:-1]]
    assert 500 < sum(sizes) / len(sizes) < 1000
    assert min(sent) <= 0.5 * max(sent), sent
    metrics = relay.metrics()
    assert metrics.value("deflated_events_total") >= 950  # all, but where the relay was held up in the middle
    wire = metrics.value("deflated_wire_bytes_total")
    assert wire <= 0.45 * metrics.value("deflated_plain_bytes_total")
    assert wire <= min(sent)


async def test_a_crowd_shares_what_is_deflated_once(start_relay, push_to, connect):
    relay = start_relay("--shards", "2")
    pusher = push_to(relay)
    clients = [await connect(relay, **DEFLATE) for _ in range(10)]
    for number in range(100):
        pusher.broadcast("state", typical(number))
    await read_both(clients, await settle(relay, pusher))
    assert relay.metrics().value("deflated_events_total") == 100


@pytest.mark.parametrize("size", [1000, 3000, 300 * KIB, 3 * MIB])
async def test_a_snapshot_is_the_same(relay, pusher, connect, size):
    pusher.set("radio", [typical(1), noise(size)])
    position = await settle(relay, pusher)
    plain, deflated = await connect(relay), await connect(relay, **DEFLATE)
    assert deflated.first.seq == plain.first.seq == position
    assert deflated.first.data == plain.first.data
    with RawClient(relay.port).upgrade(**OFFER) as client:
        frame = client.read_frame()
        assert frame.deflated and frame.fin == (size < 4000)


async def test_a_slow_reader_gets_everything(relay, pusher, connect):
    """8 MiB deflated is more than the kernel's buffers hold, and 11 MiB less than the log does."""
    with RawClient(relay.port, receive_buffer=SMALL_BUFFER).upgrade(**OFFER) as slow:
        live = await connect(relay, keep=False, **DEFLATE)
        for number in range(110):
            pusher.broadcast("bulk", noise(100 * KIB, number))
            await live.next_event()
        history = History()
        history.record(slow.read_text())
        while history.seq < live.seq:
            history.record(slow.read_text())
        assert history.skipped == 0
        assert [m.data for m in history.events()] == [noise(100 * KIB, number) for number in range(110)]


async def test_who_falls_behind_is_told_what_is_skipped_and_goes_on(start_relay, push_to, connect):
    relay = start_relay("--log-bytes", "256KiB")
    pusher = push_to(relay)
    with RawClient(relay.port, receive_buffer=SMALL_BUFFER).upgrade(**OFFER) as slow:
        live = await connect(relay, keep=False, **DEFLATE)
        for number in range(200):
            pusher.broadcast("bulk", noise(100 * KIB, number))
            await live.next_event()
        history = History(keep=False)
        history.record(slow.read_text())
        while history.seq < live.seq:
            history.record(slow.read_text())
        assert history.skipped > 0


async def test_clients_resume_with_and_without(relay, pusher, connect):
    left = await connect(relay, **DEFLATE)
    await left.leave()
    for number in range(300):
        pusher.broadcast("state", typical(number))
    position = await settle(relay, pusher)
    texts = []
    for compression in ("deflate", None):
        back = await connect(relay, compression=compression, epoch=left.epoch, seq=left.seq)
        assert back.first.type == "sync:resume"
        await back.read_to_seq(position)
        texts.append([m.text for m in back.events()])
    assert texts[0] == texts[1] and len(texts[0]) == position - left.seq


async def test_several_channels_come_in_one_order(start_relay, push_to, follow):
    relay = start_relay("--open-channels", "room:*")
    pusher = push_to(relay)
    names = ["", "room:a", "room:b"]
    clients = [await follow(relay, *names, compression=how) for how in (None, "deflate")]
    for number in range(300):
        where = {"channel": names[number % 3]} if names[number % 3] else {}
        pusher.broadcast("state", typical(number) if number % 5 else number, **where)
    pusher.broadcast("end")
    for client in clients:
        while client.told[-1].type != "end":
            await client.next()
    plain, deflated = [[(t.channel, t.body) for t in client.told if t.message.is_event] for client in clients]
    assert plain == deflated and len(plain) == 301


async def test_where_a_chunk_has_no_room_events_go_as_they_are(start_relay, push_to, connect):
    relay = start_relay("--log-bytes", "1MiB")
    pusher = push_to(relay)
    clients = [await connect(relay, **how) for how in ({}, DEFLATE, DEFLATE)]
    for number in range(60):
        pusher.broadcast("bulk", noise(14 * KIB, number))
        pusher.broadcast("state", typical(number))
    await read_both(clients, await settle(relay, pusher))
    assert all([m.text for m in clients[0].events()] == [m.text for m in client.events()] for client in clients)
    metrics = relay.metrics()
    assert metrics.value("undeflated_events_total") > 0 < metrics.value("deflated_events_total")


async def test_what_a_client_deflates_is_heard(relay, connect):
    client = await connect(relay, **DEFLATE)
    for said in (json.dumps({"type": "sync:ping", "padding": "x" * 900}), [SYNC_PING[:9].decode(), SYNC_PING[9:].decode()]):
        await client.connection.send(said)
        assert (await client.next()).type == "ping"


def test_a_deflated_message_may_come_in_fragments_with_pings_between(deflating):
    payload = deflate(SYNC_PING)
    for size in (1, 2, 7):
        parts = [payload[at:at + size] for at in range(0, len(payload), size)]
        for index, part in enumerate(parts):
            first = index == 0
            deflating.send_frame(TEXT if first else CONTINUATION, part, fin=index == len(parts) - 1,
                                 reserved=RSV1 if first else 0)
            assert index == len(parts) - 1 or answers_ping(deflating)
        assert json.loads(deflating.read_text()) == {"type": "ping"}


def test_deflated_and_plain_messages_may_follow_each_other(deflating):
    for window in (9, 12, 15):
        deflating.send_frame(TEXT, SYNC_PING)
        deflating.send_frame(TEXT, deflate(SYNC_PING, window), reserved=RSV1)
        deflating.send_frame(BINARY, deflate(b"\xff" * 1000, window), reserved=RSV1)
        deflating.send_frame(TEXT, b"\x00", reserved=RSV1)  # an empty one
    assert answers_ping(deflating)


@pytest.mark.parametrize("misuse", [
    lambda client: client.send_frame(PING, b"", reserved=RSV1),
    lambda client: client.send_frame(TEXT, deflate(b"x"), reserved=RSV2),
    lambda client: client.send_frame(TEXT, deflate(b"x"), reserved=RSV1 | RSV3),
    lambda client: (client.send_frame(TEXT, deflate(b"x"), fin=False, reserved=RSV1),
                    client.send_frame(CONTINUATION, b"", reserved=RSV1)),
    lambda client: (client.send_frame(TEXT, b"x", fin=False), client.send_frame(CONTINUATION, b"", reserved=RSV1)),
], ids=["ping", "rsv2", "rsv3", "continuation", "continuation of a plain one"])
def test_reserved_bits_where_they_do_not_belong_are_closed_with_1002(deflating, misuse):
    misuse(deflating)
    assert deflating.read_close_code() == 1002


def test_without_the_offer_rsv1_is_closed_with_1002(relay):
    with RawClient(relay.port).upgrade() as client:
        client.read_text()
        client.send_frame(TEXT, deflate(SYNC_PING), reserved=RSV1)
        assert client.read_close_code() == 1002


@pytest.mark.parametrize("payload", [b"", b"\xff", SYNC_PING, deflate(SYNC_PING)[:-3], deflate(SYNC_PING) + b"\x07"],
                         ids=["nothing", "a byte", "plain text", "cut", "something behind it"])
def test_what_does_not_inflate_is_closed_with_1007(relay, deflating, payload):
    deflating.send_frame(TEXT, payload, reserved=RSV1)
    assert deflating.read_close_code() == 1007
    assert relay.metrics().labels("clients_closed_total", "reason")["invalid_deflate"] == 1


def test_text_that_is_not_utf8_once_inflated_is_closed_with_1007(relay, deflating):
    deflating.send_frame(TEXT, deflate(b'{"type":"\xff"}'), reserved=RSV1)
    assert deflating.read_close_code() == 1007
    assert relay.metrics().labels("clients_closed_total", "reason")["invalid_utf8"] == 1


def test_the_limit_holds_for_what_is_inflated(deflating):
    deflating.send_frame(TEXT, deflate(b" " * LIMIT), reserved=RSV1)
    assert answers_ping(deflating)
    deflating.send_frame(TEXT, deflate(b" " * (LIMIT + 1)), reserved=RSV1)
    assert deflating.read_close_code() == 1009


def test_a_bomb_costs_no_more_than_the_limit(relay, deflating, memory_is_measurable):
    before = relay.peak_rss()
    deflating.send_frame(TEXT, deflate(b" " * (60 * MIB)), reserved=RSV1)
    assert deflating.read_close_code() == 1009
    with RawClient(relay.port).upgrade(**OFFER) as client:
        client.read_text()
        bomb = deflate(b"[" + b"0," * (LIMIT // 2 - 1) + b"0]"[:1])
        for _ in range(100):
            client.send_frame(TEXT, bomb, reserved=RSV1)
        assert client.read_close_code() in (1009, None)  # more at once than may be inflated at once
    assert relay.peak_rss() - before < 4 * MIB


def small_bomb():
    """A message that nobody answers, of which 14 are read at once: 4 ms of work, of 16 KiB."""
    bomb = deflate(b'{"a":[' + b"0," * 32_700 + b"0]}")
    return EMPTY_BLOCK * ((1140 - len(bomb)) // len(EMPTY_BLOCK)) + bomb


async def delays_behind(relay, pusher, live, clients, said):
    """By how many seconds events come late when all these clients have said this just before, and by how much this
    process did itself."""
    delays = []
    async with Hiccups(relay.pid) as hiccups:
        for _ in range(3):
            relay.signal(signal.SIGSTOP)
            for client in clients:
                client.send(said)
            relay.signal(signal.SIGCONT)
            pusher.broadcast("tick")
            event = await live.next_event()
            delays.append(event.arrived - event.body["ts"])
            await asyncio.to_thread(relay.health)
    return delays, hiccups.seconds


async def test_many_bombs_hold_up_nobody(start_relay, push_to, connect, time_is_measurable):
    relay = start_relay("--shards", "1")
    pusher = push_to(relay)
    live = await connect(relay)
    clients = [RawClient(relay.port).upgrade(**OFFER) for _ in range(80)]
    said = frame(TEXT, small_bomb(), reserved=RSV1) * 14
    delays, hiccup = await delays_behind(relay, pusher, live, clients, said)
    assert max(delays) < 0.1 + hiccup, delays
    for client in clients:
        client.close()
    await until(lambda: relay.health()["clients"] == 1, "they are gone")


@pytest.mark.parametrize("payload", [deflate(b'{"a":[' + b"0," * 32_700 + b"0]}"), deflate(b" " * LIMIT),
                                     EMPTY_BLOCK * 3000 + b"\x00"],
                         ids=["ignored", "spaces", "nothing"])
def test_who_has_the_relay_inflate_without_end_is_closed_with_4429(start_relay, payload):
    relay = start_relay("--client-rate", "1", "--client-burst", "10")
    said = frame(TEXT, payload, reserved=RSV1)
    with RawClient(relay.port).upgrade(**OFFER) as client:
        client.read_text()
        with contextlib.suppress(ConnectionError):
            while True:
                client.send(said)
                client.send_frame(PING, b"go on")
                if client.read_frame().opcode != PONG:
                    break
    wait_until(lambda: relay.metrics().value("clients_closed_total", code="4429", reason="rate_limited") == 1, "closed")


async def test_a_burst_of_large_deflated_messages_may_be_said_at_once(relay, connect, peer_of):
    peer = peer_of(relay)
    peer.confirm({"op": "receive"})
    client = await connect(relay, **DEFLATE)
    for number in range(40):
        await client.connection.send(json.dumps({"type": "say", "number": number, "data": noise(60_000, number)}))
        await (await client.connection.ping())
    assert relay.metrics().value("client_messages_total", type="message") == 40
    assert relay.metrics().value("client_messages_refused_total", reason="rate_limited") == 0


def test_messages_that_others_begin_and_never_end_keep_nobody_from_speaking(start_relay):
    relay = start_relay("--shards", "1")
    crowd = [RawClient(relay.port).upgrade() for _ in range(280)]
    for client in crowd:
        client.send(frame(TEXT, b"x" * 65_000, fin=False))
        answers_ping(client)
    with RawClient(relay.port).upgrade() as client:
        client.read_text()
        said = frame(TEXT, b'{"type":"sync:shout","ref":"r","text":"' + b"x" * 20_000 + b'"}')
        client.send(said[:9000])
        answers_ping(crowd[-1])
        client.send(said[9000:])
        assert json.loads(client.read_text())["code"] == "unknown_type"
    crowd[0].send(frame(CONTINUATION, b"x"))
    assert crowd[0].read_close_code() == 1013
    answers_ping(crowd[-1])
    for client in crowd:
        client.close()


async def test_the_messages_of_clients_reach_the_backend_whatever_they_deflate(relay, connect):
    worker = Worker(relay)
    worker.look()
    client = await connect(relay, **DEFLATE)
    said = [{"type": "say", "data": typical(number)} for number in range(20)]
    for message in said:
        await client.connection.send(json.dumps(message))
    while len(worker.taken) < len(said):
        events = await asyncio.to_thread(worker.receive)
        assert events
        await asyncio.to_thread(worker.done, events)
    assert [event["data"] for event in worker.taken] == said
    worker.close()
