"""Load for slow clients: large events, pushed no faster than the attentive clients read them."""

import asyncio
import json

from raw_client import RawClient

EVENT_BYTES = 64 * 1024
SMALL_BUFFER = 4096  # a receive buffer that makes a client slow at once
IN_FLIGHT = 4


async def _read_events(client, count, credit, delays):
    """Takes `count` events; each gives the backend leave to push another one."""
    for _ in range(count):
        event = await client.next_event()
        delays.append(event.arrived - event.body["ts"])
        credit.release()


async def fan_out(pusher, clients, count, size=EVENT_BYTES):
    """Returns the delays in seconds, acceptance to arrival, of all events at all clients."""
    credits = [asyncio.Semaphore(IN_FLIGHT) for _ in clients]
    delays = []
    readers = [asyncio.create_task(_read_events(client, count, credit, delays))
               for client, credit in zip(clients, credits)]
    command = json.dumps({"op": "broadcast", "type": "bulk", "data": "x" * size})
    for _ in range(count):
        for credit in credits:
            await asyncio.wait_for(credit.acquire(), 10)
        pusher.push(command)
    await asyncio.gather(*readers)
    return delays


async def stuck_client(relay, pusher, connect):
    """A client that does not read, with more to send to it than the kernel takes."""
    client = RawClient(relay.port, receive_buffer=SMALL_BUFFER).upgrade()
    live = await connect(relay, keep=False)
    await fan_out(pusher, [live], 8 * 2**20 // EVENT_BYTES, EVENT_BYTES)
    await live.leave()
    return client
