"""The matrix of Autobahn's testsuite for permessage-deflate (cases 12 and 13), as far as it fits a relay: kinds of contents,
offers, message sizes and fragment sizes. Autobahn has a server echo; here a message goes to the backend, which broadcasts it."""

import asyncio
import functools
import json
import random
import string

import pytest
import websockets
from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory

from history import History
from worker import Worker

COUNT = 5  # messages of each size

# Of the payload, and of its fragments (0: none); a client may say 64 KiB, the rest is for the backend to say.
SIZES = [(16, 0), (64, 0), (256, 0), (1024, 0), (4096, 0), (8192, 0), (16384, 0), (32768, 0), (65536, 0),
         (8192, 256), (16384, 256), (32768, 256), (65536, 256), (65536, 1024), (65536, 4096), (65536, 32768)]
BACKEND_SIZES = [(131072, 0), (262144, 0)]

# What the client asks the relay for: no context, and bits of its window; and whether that is granted.
OFFERS = [
    ([(False, None)], True),
    ([(True, None)], True),
    ([(False, 8)], False),
    ([(False, 15)], True),
    ([(True, 8)], False),
    ([(True, 15)], True),
    ([(True, 8), (True, None), (False, None)], True),
]

WORDS = "Habe nun ach Philosophie Juristerei und Medizin und leider auch Theologie durchaus studiert mit heißem Bemühn".split()


def prose(draw):
    return " ".join(draw.choices(WORDS, k=50_000))


def image(draw):
    return "".join(draw.choices(string.ascii_letters + string.digits + "+/", k=300_000))


def table(draw):
    return json.dumps([{"id": n, "name": draw.choice(WORDS), "price": draw.randrange(10 ** 6) / 100,
                        "tags": draw.sample(WORDS, 3), "stock": draw.choice([None, True, False])} for n in range(4000)])


def page(draw):
    return "".join(f'<li class="item"><a href="/item/{n}">{draw.choice(WORDS)} &amp; {draw.choice(WORDS)}</a></li>\n'
                   for n in range(6000))


def monotone(_):
    return "x" * 300_000


CONTENTS = [prose, image, table, page, monotone]


@functools.cache
def whole(content):
    return content(random.Random(12))


def texts_of(content, size):
    """So many texts of this size, as they would be sent: the message around them has a few bytes of its own."""
    room = max(size - len('{"type":"e","data":""}'), 1)
    texts = []
    for number in range(COUNT):
        text = whole(content)[number * 101:][:room]
        while (surplus := len(json.dumps(text, ensure_ascii=False).encode()) - 2 - room) > 0:
            text = text[:-max(surplus // 2, 1)]
        texts.append(text)
    return texts


def open_client(relay, offers):
    extensions = [ClientPerMessageDeflateFactory(server_no_context_takeover=no_context, server_max_window_bits=bits)
                  for no_context, bits in offers]
    return websockets.connect(f"ws://127.0.0.1:{relay.port}/ws/sync", compression=None, extensions=extensions,
                              max_size=None, ping_interval=None)


def fragments(text, size):
    return [text[at:at + size] for at in range(0, len(text), size)] if size else text


@pytest.fixture
def relay(start_relay):
    """Of one shard: at another one a new client may hear the last event of the client before it."""
    return start_relay("--client-rate", "0", "--shards", "1")


@pytest.fixture
def worker(relay):
    opened = Worker(relay)
    opened.look()
    yield opened
    opened.close()


async def check_both_ways(relay, worker, pusher, client, texts, fragment):
    """Each is said by the client, and said again by the backend."""
    history = History()
    history.record(await asyncio.wait_for(client.recv(), 10))
    for text in texts:
        said = json.dumps({"type": "e", "data": text}, ensure_ascii=False, separators=(",", ":"))
        await client.send(fragments(said, fragment))
        events = await asyncio.to_thread(worker.receive)
        assert [event["data"]["data"] for event in events] == [text]
        worker.done(events)
        pusher.broadcast("e", events[0]["data"]["data"])
        assert history.record(await asyncio.wait_for(client.recv(), 10)).data == text


@pytest.mark.parametrize("content", CONTENTS, ids=lambda content: content.__name__)
async def test_case_12_contents_of_all_sizes_come_through_as_they_were(relay, worker, pusher, content):
    for size, fragment in SIZES:
        async with open_client(relay, [(False, None)]) as client:
            assert len(client.extensions) == 1
            await check_both_ways(relay, worker, pusher, client, texts_of(content, size), fragment)
    for size, _ in BACKEND_SIZES:
        async with open_client(relay, [(False, None)]) as client:
            await client.recv()
            for text in texts_of(content, size):
                pusher.broadcast("e", text)
                assert json.loads(await asyncio.wait_for(client.recv(), 10))["data"] == text


@pytest.mark.parametrize(("offers", "granted"), OFFERS, ids=[f"13.{number}" for number in range(1, 8)])
async def test_case_13_whatever_is_offered_the_messages_are_the_same(relay, worker, pusher, offers, granted):
    for size, fragment in SIZES[::2]:
        async with open_client(relay, offers) as client:
            assert len(client.extensions) == granted
            await check_both_ways(relay, worker, pusher, client, texts_of(table, size), fragment)
