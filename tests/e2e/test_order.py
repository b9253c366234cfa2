"""Order: of one PUSH socket as sent, the same for every client, and several backends at once."""

import asyncio

from ws_client import settled_snapshot

BACKENDS, EACH = 6, 400


async def test_commands_of_one_socket_apply_in_the_order_sent(relay, pusher, connect):
    client = await connect(relay)
    for number in range(2000):
        pusher.broadcast("count", number)
    await client.read_to_seq(client.first.seq + 2000)
    assert [m.data for m in client.events()] == list(range(2000))


async def test_the_last_of_many_sets_wins(relay, pusher):
    for number in range(2000):
        pusher.set("radio", number)
    assert (await settled_snapshot(relay, pusher)).data["radio"] == 1999


async def test_several_backends_lose_nothing_and_keep_their_own_order(relay, push_to, connect):
    clients = [await connect(relay) for _ in range(3)]
    pushers = [push_to(relay) for _ in range(BACKENDS)]

    def work(backend):
        for number in range(EACH):
            pushers[backend].broadcast("count", [backend, number])

    await asyncio.gather(*(asyncio.to_thread(work, b) for b in range(BACKENDS)))
    for client in clients:
        await client.read_to_seq(client.first.seq + BACKENDS * EACH)
    for backend in range(BACKENDS):
        assert [m.data[1] for m in clients[0].events() if m.data[0] == backend] == list(range(EACH))
    assert len({tuple(m.text for m in c.events()) for c in clients}) == 1


async def test_a_backend_that_restarts_disconnects_nobody(relay, push_to, connect):
    client = await connect(relay)
    for number in range(5):
        backend = push_to(relay)
        backend.broadcast("count", number)
        backend.hand_over()
    assert [(await client.next_event()).data for _ in range(5)] == list(range(5))


async def test_a_backend_may_connect_before_the_relay_runs(start_relay, push_to, connect, runtime_dir):
    early = push_to(f"ipc://{runtime_dir}/commands.sock")
    early.set("radio", "sent early")
    relay = start_relay()
    assert (await settled_snapshot(relay, early)).data["radio"] == "sent early"
