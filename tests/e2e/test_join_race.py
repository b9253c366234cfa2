"""Snapshots and events never cross: clients join, leave and resume while events pour in."""

import asyncio
import random
import threading

import pytest

from fold import apply_command, apply_message
from ws_client import SyncClient, settle

SEED = 8642
CLIENTS = 24
BACKENDS = 3
AHEAD = 200
ROUNDS_PER_CLIENT = 25
KEYS = ["comparison", "radio", "playback", "devices"]


class Commands:
    """A backend's endless stream of commands, every one of which is told to clients."""

    def __init__(self, backend):
        self._random = random.Random(SEED + backend)
        self._backend = backend
        self._count = 0

    def next(self):
        self._count += 1
        key, mark = self._random.choice(KEYS), {"from": self._backend, "n": self._count}
        kind = self._random.randrange(4)
        if kind == 0:
            return {"op": "set", "key": key, "value": mark}
        if kind == 1:
            patch = {**mark, f"m{self._random.randrange(5)}": self._random.choice([None, self._count])}
            return {"op": "merge", "key": key, "value": patch}
        if kind == 2:
            return {"op": "delete", "key": key}
        return {"op": "broadcast", "type": "app:step", "data": mark, "set": {key: mark}}


class Chronicle:
    """What all clients saw together: one text per seq, and every snapshot by its seq."""

    def __init__(self):
        self.events = {}
        self.snapshots = []

    def add(self, client):
        for message in client.messages:
            if message.is_event:
                known = self.events.setdefault(message.seq, message)
                assert known.text == message.text, f"two events at {message.seq}"
            elif message.type == "sync:full":
                self.snapshots.append(message)

    def states(self):
        """The state at every seq, folded from the empty state."""
        state = {"comparison": None, "radio": None}
        result = {0: state}
        for seq in range(1, max(self.events) + 1):
            state = apply_message(state, self.events[seq].body)
            result[seq] = state
        return result


async def come_and_go(relay, number, chronicle):
    """Joins fresh or by position, reads a while, leaves in one of two ways, again and again."""
    choice = random.Random(SEED * number)
    position = {}
    for _ in range(ROUNDS_PER_CLIENT):
        client = await SyncClient.open(relay, **(position if choice.random() < 0.6 else {}))
        assert client.first.type == "sync:full" or position
        for _ in range(choice.randrange(40)):
            await client.next()
        if choice.random() < 0.5:
            await client.leave()
        else:
            await client.abort()
        position = client.position
        chronicle.add(client)


def push_until(done, pace, pusher, stream, pushed):
    while not done.is_set():
        if not pace.acquire(timeout=0.1):
            continue
        command = stream.next()
        pusher.push(command)
        pushed.append(command)


async def set_pace(observer, pace):
    """Lets the backends run as far ahead as AHEAD: the relay is faster than all these Python clients together."""
    while True:
        await observer.next()
        pace.release()


async def run_race(relay, pushers, observer):
    """Returns the chronicle, and per backend what it pushed."""
    done, pace = threading.Event(), threading.Semaphore(AHEAD)
    chronicle, pushed = Chronicle(), [[] for _ in pushers]
    work = [asyncio.to_thread(push_until, done, pace, p, Commands(b), pushed[b]) for b, p in enumerate(pushers)]
    backends, pacer = asyncio.gather(*work), asyncio.create_task(set_pace(observer, pace))
    try:
        await asyncio.gather(*(come_and_go(relay, n, chronicle) for n in range(1, CLIENTS + 1)))
    finally:
        done.set()
        await backends
        pacer.cancel()
        await asyncio.gather(pacer, return_exceptions=True)
    last = 0
    for pusher in pushers:
        last = max(last, await settle(relay, pusher))
    await observer.read_to_seq(last)
    chronicle.add(observer)
    return chronicle, pushed


@pytest.mark.heavy
async def test_every_snapshot_is_the_fold_of_what_came_before(relay, push_to, connect):
    observer = await connect(relay)
    chronicle, pushed = await run_race(relay, [push_to(relay) for _ in range(BACKENDS)], observer)
    states = chronicle.states()
    assert len(chronicle.snapshots) > CLIENTS * ROUNDS_PER_CLIENT / 4
    for snapshot in chronicle.snapshots:
        assert snapshot.data == states[snapshot.seq], f"snapshot at {snapshot.seq}"
    total = sum(map(len, pushed))
    assert len(chronicle.events) == total + BACKENDS, "every command made exactly one event"


@pytest.mark.heavy
async def test_with_one_backend_every_snapshot_is_the_fold_of_its_commands(relay, push_to, connect):
    observer = await connect(relay)
    chronicle, (pushed,) = await run_race(relay, [push_to(relay)], observer)
    states = [{"comparison": None, "radio": None}]
    for command in pushed:
        states.append(apply_command(states[-1], command))
    for snapshot in chronicle.snapshots:
        assert snapshot.data == states[min(snapshot.seq, len(pushed))], f"snapshot at {snapshot.seq}"
