"""Coming back by position."""

import asyncio
import json
import select
import threading

import pytest

from pusher import Pusher
from raw_client import RawClient, upgrade_request
from ws_client import SyncClient, settle

BAD_QUERIES = [
    "seq=1", "epoch={epoch}", "epoch={epoch}&seq=", "epoch={epoch}&seq=abc", "epoch={epoch}&seq=-1",
    "epoch={epoch}&seq=1e0", "epoch={epoch}&seq=1.0", "epoch={epoch}&seq=0x1", "epoch={epoch}&seq=%20",
    "epoch={epoch}&seq=18446744073709551616", "epoch={epoch}&seq=99999999999999999999999999", "epoch=&seq=1",
    "epoch={epoch}x&seq=1", "&&=&=1&epoch"]
BROKEN_URLS = ["epoch=%00&seq=1", "epoch={epoch}&seq=1%00", "epoch={epoch}&seq=%zz", "epoch={epoch}&seq=1%"]


async def reopen(connect, relay, left):
    return await connect(relay, epoch=left.epoch, seq=left.seq)


async def test_with_nothing_missed_to_is_one_before_from(relay, pusher, connect):
    await settle(relay, pusher)
    left = await connect(relay)
    back = await reopen(connect, relay, left)
    assert back.first.type == "sync:resume"
    assert back.first.data == {"from": left.seq + 1, "to": left.seq}
    assert (back.first.seq, back.epoch) == (left.seq, left.epoch)
    pusher.broadcast("tick")
    assert (await back.next_event()).seq == left.seq + 1


async def test_what_was_missed_follows_and_then_live_events(relay, pusher, connect):
    stayed, left = await connect(relay), await connect(relay)
    pusher.broadcast("before")
    await left.read_to_type("before")
    await left.leave()
    for number in range(50):
        pusher.broadcast("missed", number)
    position = await settle(relay, pusher)
    back = await reopen(connect, relay, left)
    while back.first.data["to"] < position:  # another shard may be a moment behind
        back = await reopen(connect, relay, left)
    assert back.first.data == {"from": left.seq + 1, "to": position}
    pusher.broadcast("live")
    await back.read_to_type("live")
    await stayed.read_to_seq(back.seq)
    assert [m.text for m in left.events() + back.events()] == [m.text for m in stayed.events()]


async def test_a_resume_from_zero_replays_the_whole_log(relay, pusher, connect):
    first = await connect(relay)
    for number in range(100):
        pusher.broadcast("count", number)
    await first.read_to_seq(100)
    back = await connect(relay, epoch=first.epoch, seq=0)
    await back.read_to_seq(100)
    assert [m.text for m in back.events()] == [m.text for m in first.events()]


async def test_the_order_of_the_parameters_is_free(relay, connect):
    left = await connect(relay)
    back = await connect(relay, seq=left.seq, heartbeat=10, epoch=left.epoch)
    assert back.first.type == "sync:resume"


async def test_the_oldest_event_in_the_log_can_still_be_resumed(start_relay, push_to, connect):
    relay = start_relay("--log-events", "10")
    pusher = push_to(relay)
    watcher = await connect(relay)
    for number in range(200):
        pusher.broadcast("count", number)
    await watcher.read_to_seq(200)
    back = await connect(relay, epoch=watcher.epoch, seq=190)
    assert (back.first.type, back.first.data["from"]) == ("sync:resume", 191)
    await back.read_to_seq(200)  # another shard may be a moment behind


@pytest.mark.parametrize("window", [("--log-events", "10"), ("--log-bytes", "64KiB")], ids=["events", "bytes"])
async def test_a_position_that_left_the_log_gets_a_snapshot(start_relay, push_to, connect, window):
    relay = start_relay(*window)
    pusher = push_to(relay)
    left = await connect(relay)
    pusher.broadcast("first")
    await left.read_to_type("first")
    for number in range(300):
        pusher.broadcast("count", [number, "x" * 1000])
    position = await settle(relay, pusher)
    back = await reopen(connect, relay, left)
    assert back.first.type == "sync:full" and back.first.seq == position
    assert relay.metrics().value("snapshots_sent_total", reason="resume_failed") == 1


async def test_a_position_of_another_epoch_gets_a_snapshot(relay, pusher, connect):
    position = await settle(relay, pusher)
    back = await connect(relay, epoch="0123456789abcdef", seq=position)
    assert back.first.type == "sync:full"


async def test_a_position_ahead_of_the_log_gets_a_snapshot(relay, pusher, connect):
    left = await connect(relay)
    for ahead in (1, 1000, 2**53, 2**63, 2**64 - 1):
        back = await connect(relay, epoch=left.epoch, seq=left.seq + ahead)
        assert back.first.type == "sync:full", ahead


@pytest.mark.parametrize("query", BAD_QUERIES)
async def test_an_unparseable_position_gets_a_snapshot(relay, pusher, query):
    await settle(relay, pusher)
    path = "/ws/sync?" + query.replace("{epoch}", relay.health()["epoch"])
    with RawClient(relay.port) as client:
        assert client.upgrade(path=path).read_text().startswith('{"type":"sync:full"')


@pytest.mark.parametrize("query", BROKEN_URLS)
async def test_a_url_that_is_not_one_gets_a_snapshot_or_a_refusal(relay, query):
    """RFC 3986 has no such URL, so refusing the request is right, too; a resume would not be."""
    with RawClient(relay.port) as client:
        client.send(upgrade_request("/ws/sync?" + query.replace("{epoch}", relay.health()["epoch"])))
        try:
            status, _ = client.read_head()
        except (EOFError, ConnectionResetError):
            return
        assert status == 400 or client.read_text().startswith('{"type":"sync:full"')


async def test_after_a_restart_an_old_position_gets_a_snapshot(start_relay, push_to, connect):
    relay = start_relay()
    left = await connect(relay)
    relay.kill()
    assert await left.read_to_end() in (1001, 1006)
    again = start_relay()
    back = await reopen(connect, again, left)
    assert back.first.type == "sync:full" and back.epoch != left.epoch


async def test_resumes_are_counted(relay, connect):
    left = await connect(relay)
    for _ in range(3):
        await reopen(connect, relay, left)
    assert relay.metrics().value("resumes_total") == 3


async def test_coming_and_going_a_hundred_times_misses_nothing(relay, pusher, connect):
    stayed = await connect(relay)
    client, seen = await connect(relay), []
    for number in range(100):
        pusher.broadcast("count", number)
        pusher.broadcast("count", number)
        await client.next_event()
        await client.abort()
        seen += client.events()
        client = await SyncClient.open(relay, **client.position)
    await stayed.read_to_seq(200)
    await client.read_to_seq(200)
    assert [m.text for m in seen + client.events()] == [m.text for m in stayed.events()]
    await client.leave()


class Readers:
    """Clients that take all they get, so that the shards have something to do while one comes back."""

    def __init__(self, port, count):
        self._clients = [RawClient(port).upgrade() for _ in range(count)]
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._read, daemon=True)

    def __enter__(self):
        self._thread.start()

    def __exit__(self, *_):
        self._over.set()
        self._thread.join()
        for client in self._clients:
            client.close()

    def _read(self):
        with select.epoll() as ready:
            for client in self._clients:
                ready.register(client.socket, select.EPOLLIN)
            sockets = {client.socket.fileno(): client.socket for client in self._clients}
            while not self._over.is_set():
                for number, _ in ready.poll(0.1):
                    sockets[number].recv(2**20)


def publish_until(over, endpoint, channels):
    pusher = Pusher(endpoint)
    while not over.is_set():
        pusher.push({"op": "broadcast", "type": "count", "data": "x" * 4000, **channels})
    pusher.close()


class Hopper:
    """Goes from one open connection to the next as soon as it has heard something, with all its positions."""

    def __init__(self, relay, names):
        self._port, self._epoch, self._at = relay.port, relay.health()["epoch"], dict.fromkeys(names, 0)
        self.resumes = 0
        self._ready = [RawClient(self._port) for _ in range(4)]  # some at every shard
        self._client = self._come_back()

    def hop(self):
        self._take(self._client.read_text())
        left, self._client = self._client, self._come_back()
        left.close()

    def close(self):
        for client in (self._client, *self._ready):
            client.close()

    def _come_back(self):
        client = self._ready.pop(0)
        client.send(upgrade_request("/ws/sync?" + "&".join(
            f"channel={name},{self._epoch},{seq}" for name, seq in self._at.items())))
        client.read_head()
        begun = set()
        while begun != set(self._at):
            begun.add(self._take(client.read_text()))
        self._ready.append(RawClient(self._port))
        return client

    def _take(self, text):
        message = json.loads(text)
        kind, name, seq = message["type"], message.get("channel", ""), message["seq"]
        before = self._at[name]
        if kind == "sync:full":  # it was too long ago for the small window
            assert seq > before, f"{name!r} goes back from {before} to {seq}"
        else:
            assert seq == before + (kind == "count"), f"{kind} {seq} of {name!r} behind {before}"
            self.resumes += kind == "sync:resume"
        self._at[name] = seq
        return name


@pytest.mark.parametrize("names", [("",), ("", "room:1", "room:2")], ids=["one channel", "several channels"])
def test_who_comes_back_to_another_shard_at_once_hears_nothing_twice(start_relay, names):
    """It has the newest event of one shard while that is still on its way to the others, which a small window and a
    crowd hold up."""
    relay = start_relay("--shards", 3, "--log-bytes", "1MiB", "--open-channels", "*")
    over, channels = threading.Event(), {} if names == ("",) else {"channels": list(names)}
    publishing = threading.Thread(target=publish_until, args=(over, relay.endpoint, channels))
    with Readers(relay.port, 60):
        hopper = Hopper(relay, names)
        publishing.start()
        try:
            while hopper.resumes < 300:
                hopper.hop()
        finally:
            over.set()
            publishing.join()
            hopper.close()


async def test_a_position_that_was_made_up_costs_its_client_a_second_and_nobody_else_anything(relay, pusher, connect):
    left, other = await connect(relay), await connect(relay)
    loop = asyncio.get_running_loop()
    began = loop.time()
    waiting = [asyncio.create_task(connect(relay, epoch=left.epoch, seq=left.seq + ahead)) for ahead in (1_000_000, 2**63)]
    while not all(task.done() for task in waiting):
        asked = loop.time()
        pusher.broadcast("tick")
        await other.next_event()
        assert loop.time() - asked < 1
        await asyncio.wait(waiting, timeout=0.05)
    assert loop.time() - began < 3  # a second on a machine that is not busy
    assert {task.result().first.type for task in waiting} == {"sync:full"}
