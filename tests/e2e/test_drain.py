"""Stopping as asked: what came in goes out, everybody is told, and it takes no longer than agreed."""

import contextlib
import json
import signal
import time

import pytest
import zmq

from deadline import until
from fan_out import EVENT_BYTES, SMALL_BUFFER, fan_out, stuck_client
from raw_client import RawClient, upgrade_request

EXIT_SECONDS = 3.0


async def stopped(relay, seconds=EXIT_SECONDS):
    await until(lambda: relay.exit_code() is not None, "the relay has exited", seconds)
    return relay.exit_code()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "SIGINT"])
async def test_every_client_is_closed_with_1001_and_the_exit_code_is_0(relay, connect, number):
    clients = [await connect(relay) for _ in range(10)]
    relay.signal(number)
    assert [await c.read_to_end() for c in clients] == [1001] * 10
    assert await stopped(relay) == 0


async def test_without_clients_it_stops_at_once(relay):
    relay.signal(signal.SIGTERM)
    assert await stopped(relay) == 0


async def test_what_is_in_the_command_socket_is_delivered_first(relay, push_to, connect):
    """The relay stands still while the kernel takes the commands in, so that none is on its way only."""
    client = await connect(relay)
    pusher = push_to(relay)
    pusher.broadcast("connected")
    await client.read_to_type("connected")
    relay.signal(signal.SIGSTOP)
    for number in range(100):
        pusher.broadcast("count", number)
    pusher.hand_over()
    relay.signal(signal.SIGTERM)
    relay.signal(signal.SIGCONT)
    assert await client.read_to_end() == 1001
    assert [m.data for m in client.events() if m.type == "count"] == list(range(100))
    assert await stopped(relay) == 0


async def test_a_large_backlog_reaches_a_client_that_reads(relay, pusher, connect):
    live, late = await connect(relay), RawClient(relay.port, receive_buffer=SMALL_BUFFER).upgrade()
    await fan_out(pusher, [live], 6 * 2**20 // EVENT_BYTES, EVENT_BYTES)
    relay.signal(signal.SIGTERM)
    first = json.loads(late.read_text())
    seqs = [json.loads(late.read_text())["seq"] for _ in range(live.seq - first["seq"])]
    assert seqs == list(range(first["seq"] + 1, live.seq + 1))
    assert late.read_close_code() == 1001
    late.close()
    assert await stopped(relay) == 0


async def test_a_client_that_does_not_read_is_waited_for_until_the_drain_timeout(start_relay, push_to, connect):
    relay = start_relay("--drain-timeout", "500ms")
    client = await stuck_client(relay, push_to(relay), connect)
    begin = time.monotonic()
    relay.signal(signal.SIGTERM)
    assert await stopped(relay) == 0
    assert time.monotonic() - begin < EXIT_SECONDS
    client.close()


async def test_a_client_that_does_not_answer_the_close_holds_nobody_up(start_relay):
    relay = start_relay("--drain-timeout", "500ms")
    with RawClient(relay.port).upgrade() as silent:
        silent.read_text()
        relay.signal(signal.SIGTERM)
        assert silent.read_close_code() == 1001
        assert await stopped(relay) == 0


async def test_while_draining_health_is_503_stopping_and_nobody_gets_in(start_relay, push_to, connect):
    relay = start_relay("--drain-timeout", "20s")
    client = await stuck_client(relay, push_to(relay), connect)
    relay.signal(signal.SIGTERM)
    reply = await until(lambda: (r := relay.http()).status != 200 and r, "health says that it stops")
    assert (reply.status, reply.json()["status"]) == (503, "stopping")
    with RawClient(relay.port) as late:
        late.send(upgrade_request())
        assert late.read_head()[0] == 503
    client.reset()
    assert await stopped(relay) == 0


@pytest.mark.parametrize("second", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "SIGINT"])
async def test_a_second_signal_exits_at_once(start_relay, push_to, connect, second):
    relay = start_relay("--drain-timeout", "60s")
    client = await stuck_client(relay, push_to(relay), connect)
    relay.signal(signal.SIGTERM)
    await until(lambda: relay.http().status == 503, "it is draining")
    relay.signal(second)
    await stopped(relay, 1.0)
    assert relay.wait() == 1
    assert "second signal" in relay.log().splitlines()[-1]
    client.close()


async def test_a_signal_during_a_flood_of_commands_still_ends_it(start_relay, push_to, connect):
    """A backend that never stops pushing must not keep the relay from stopping."""
    relay = start_relay("--drain-timeout", "1s")
    pusher = push_to(relay)
    client = await connect(relay, keep=False)
    with contextlib.suppress(zmq.Again):  # nobody takes them any more
        for number in range(3000):
            pusher.broadcast("count", number)
            if number == 1000:
                relay.signal(signal.SIGTERM)
            if relay.exit_code() is not None:
                break
    assert await client.read_to_end() == 1001
    assert await stopped(relay) == 0


async def test_the_log_says_that_it_was_asked_to_stop(relay):
    assert relay.stop() == 0
    assert "stopping" in relay.log()
