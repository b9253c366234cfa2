"""Pings both ways, silent peers, heartbeats that scripts can see."""

import asyncio
import signal
import time

import pytest

from deadline import until, wait_until
from raw_client import BINARY, CONTINUATION, PING, PONG, TEXT, RawClient, frame
from relay_process import is_sanitized

FAST = ("--ping-interval", "200ms", "--ping-timeout", "400ms")
PINGS = 8  # 1.6 s, four timeouts


def closed_reasons(relay):
    return {r for r, count in relay.metrics().labels("clients_closed_total", "reason").items() if count}


async def test_the_relay_pings_and_a_client_that_answers_stays(start_relay):
    relay = start_relay(*FAST)
    with RawClient(relay.port).upgrade() as client:
        for _ in range(PINGS):
            client.send_frame(PONG, client.read_opcode(PING).payload)
        assert relay.health()["clients"] == 1


async def test_any_data_is_a_sign_of_life(start_relay):
    relay = start_relay(*FAST)
    with RawClient(relay.port).upgrade() as client:
        for _ in range(PINGS):
            client.read_opcode(PING)
            client.send_frame(TEXT, b"still here")
        assert relay.health()["clients"] == 1


async def test_a_peer_without_a_sign_of_life_is_closed_and_cleaned_up(start_relay):
    relay = start_relay(*FAST)
    with RawClient(relay.port).upgrade() as silent:
        silent.read_opcode(PING)
        await until(lambda: relay.health()["clients"] == 0, "the silent client is closed", 3)
        silent.read_to_end()
    metrics = relay.metrics()
    assert metrics.value("clients_closed_total") == 1
    assert any("ping" in reason for reason in closed_reasons(relay))


async def test_a_browser_answers_pings_by_itself(start_relay, connect):
    """The neighbour's pings are the clock; it is read in a thread, so that the browser can answer meanwhile."""
    relay = start_relay(*FAST)
    browser = await connect(relay)
    with RawClient(relay.port).upgrade() as clock:
        for _ in range(PINGS):
            ping = await asyncio.to_thread(clock.read_opcode, PING)
            clock.send_frame(PONG, ping.payload)
        assert relay.health()["clients"] == 2
    assert browser.connection.open


@pytest.mark.parametrize("payload", [b"", b"x", b"y" * 125], ids=len)
async def test_the_relay_answers_a_ping_with_the_same_bytes(relay, payload):
    with RawClient(relay.port).upgrade() as client:
        client.read_text()
        client.send_frame(PING, payload)
        assert client.read_opcode(PONG).payload == payload


async def test_pongs_that_nobody_asked_for_do_no_harm(relay):
    with RawClient(relay.port).upgrade() as client:
        client.read_text()
        for _ in range(100):
            client.send_frame(PONG, b"unasked")
        client.send_frame(PING, b"end")
        assert client.read_opcode(PONG).payload == b"end"


async def test_a_client_asks_for_a_heartbeat_for_itself(relay, pusher, connect):
    asking, other = await connect(relay, heartbeat=1), await connect(relay)
    for _ in range(2):
        assert (await asking.next(3)).text == '{"type":"ping"}'
    pusher.broadcast("tick")
    assert (await asking.next_event()).seq == asking.first.seq + 1
    assert (await other.next()).type == "tick"


HEARTBEAT = '{"type":"ping"}'
QUESTION = b'{"type":"sync:ping"}'


def test_who_asks_for_a_sign_of_life_gets_a_heartbeat_at_once(relay):
    with RawClient(relay.port).upgrade() as client:
        client.read_text()
        client.send_frame(TEXT, QUESTION)
        assert client.read_text() == HEARTBEAT
        client.send_frame(TEXT, QUESTION[:7], fin=False)
        client.send_frame(PING, b"between")
        client.send_frame(CONTINUATION, QUESTION[7:])
        assert client.read_opcode(PONG).payload == b"between"
        assert client.read_text() == HEARTBEAT


def test_other_messages_are_answered_by_nothing(relay):
    with RawClient(relay.port).upgrade() as client:
        client.read_text()
        for text in (b"sync:ping", b"{}", b'{"type":"ping"}', b'{"data":{"type":"sync:ping"}}', b" " * 300 + QUESTION):
            client.send_frame(TEXT, text)
        client.send_frame(BINARY, QUESTION)
        client.send_frame(PING, b"end")
        assert client.read_frame().payload == b"end"


async def test_who_asks_without_end_and_reads_nothing_costs_the_relay_nothing(relay, pusher, connect):
    witness = await connect(relay)
    with RawClient(relay.port, receive_buffer=4096).upgrade() as greedy:
        before = relay.rss()
        burst = frame(TEXT, QUESTION) * 1000
        for _ in range(200):
            await asyncio.to_thread(greedy.send, burst)
        pusher.broadcast("after")
        assert (await witness.next_event(3)).type == "after"
        assert is_sanitized() or relay.rss() < before + 8 * 2**20


async def test_a_heartbeat_comes_at_its_interval(relay, connect):
    client = await connect(relay, heartbeat=1)
    beats = [await client.next(3) for _ in range(4)]
    gaps = [later.arrived - earlier.arrived for earlier, later in zip(beats, beats[1:])]
    assert all(0.5 < gap < 2 for gap in gaps), gaps


async def test_heartbeats_and_pings_do_not_wait_for_each_other(start_relay):
    relay = start_relay("--ping-interval", "1s")
    with RawClient(relay.port).upgrade(path="/ws/sync?heartbeat=1") as client:
        client.read_text()
        got = {TEXT: 0, PING: 0}
        while min(got.values()) < 4:
            received = client.read_frame()
            got[received.opcode] += 1
            if received.opcode == PING:
                client.send_frame(PONG, received.payload)
        assert abs(got[TEXT] - got[PING]) <= 2, got


async def test_a_pause_of_the_relay_does_not_count_against_clients(start_relay):
    """Their answers wait in its sockets when it runs again."""
    relay = start_relay("--ping-interval", "1s", "--ping-timeout", "2s")
    clients = [RawClient(relay.port).upgrade() for _ in range(30)]
    pings = [client.read_opcode(PING) for client in clients]
    relay.signal(signal.SIGSTOP)
    end = time.monotonic() + 3
    for client, ping in zip(clients, pings):
        client.send_frame(PONG, ping.payload)
    wait_until(lambda: time.monotonic() > end, "the pause is longer than the timeout")
    relay.signal(signal.SIGCONT)
    for client in clients:
        client.read_opcode(PING)
    assert relay.health()["clients"] == len(clients)
    for client in clients:
        client.close()


@pytest.mark.parametrize("wish", ["0", "301", "-1", "abc", "", "1e1", "99999999999999999999"])
async def test_a_heartbeat_out_of_range_still_gives_a_snapshot(relay, wish):
    with RawClient(relay.port).upgrade(path=f"/ws/sync?heartbeat={wish}") as client:
        assert client.read_text().startswith('{"type":"sync:full"')


async def test_json_pings_can_be_on_for_all(start_relay, connect):
    relay = start_relay("--json-ping-interval", "200ms")
    clients = [await connect(relay) for _ in range(2)]
    for client in clients:
        for _ in range(3):
            assert (await client.next()).text == '{"type":"ping"}'


async def test_json_pings_are_off_by_default(relay, pusher, connect):
    """The neighbour's heartbeat shows that time went by."""
    client, clock = await connect(relay), await connect(relay, heartbeat=1)
    for _ in range(2):
        await clock.next(3)
    pusher.broadcast("end")
    assert (await client.next()).type == "end"
