"""The relay is killed while the Python client pushes: what was sent while it was down arrives."""

import asyncio
import logging
import pathlib
import threading

import pytest

from deadline import until
from ws_client import SyncClient

SOURCE = pathlib.Path(__file__).resolve().parents[2] / "clients" / "python" / "src"
DOWN = 500


@pytest.fixture
def backend(start_relay, runtime_dir, monkeypatch):
    """The relay's own Python client, configured by nothing but the runtime directory."""
    monkeypatch.syspath_prepend(str(SOURCE))
    monkeypatch.setenv("SYNCRELAY_RUNTIME_DIR", str(runtime_dir))
    from syncrelay import Relay
    with Relay(close_timeout=0.5) as client:
        yield client


async def wait_for_keys(relay, keys):
    """A snapshot that holds all these keys, within a deadline."""
    async with asyncio.timeout(10):
        while True:
            client = await SyncClient.open(relay)
            await client.leave()
            if keys <= set(client.first.data):
                return client.first


async def kill_and_notice(relay, caplog):
    """Returns when the backend's log says that the relay is away."""
    relay.kill()
    await until(lambda: "unreachable" in caplog.text, "the backend notices", 10)


async def test_what_was_sent_while_the_relay_was_down_arrives(start_relay, backend, caplog):
    caplog.set_level(logging.INFO, "syncrelay")
    relay = start_relay()
    backend.set("before", True)
    await wait_for_keys(relay, {"before"})
    await kill_and_notice(relay, caplog)
    for number in range(DOWN):
        backend.set(f"down:{number}", number)
    again = start_relay()
    snapshot = await wait_for_keys(again, {f"down:{n}" for n in range(DOWN)})
    assert all(snapshot.data[f"down:{n}"] == n for n in range(DOWN))
    await until(lambda: "again" in caplog.text, "the log says that it is back")


async def test_kill_9_while_a_backend_pushes_without_a_pause(start_relay, backend, caplog, connect):
    """Three kills; clients come back with a snapshot, and nothing pushed after the last noticed kill is missing."""
    caplog.set_level(logging.INFO, "syncrelay")
    done, pace, pushed = threading.Event(), threading.Semaphore(0), []

    def push():
        while not done.is_set():
            if pace.acquire(timeout=0.05):
                backend.broadcast("count", len(pushed), set={"latest": len(pushed)})
                pushed.append(len(pushed))

    worker = threading.Thread(target=push)
    worker.start()
    try:
        epochs = set()
        for _ in range(3):
            relay = start_relay()
            client = await connect(relay)
            epochs.add(client.epoch)
            pace.release(2000)
            for _ in range(100):
                await client.next_event()
            caplog.clear()
            await kill_and_notice(relay, caplog)
            assert await client.read_to_end() == 1006
            numbers = [m.data for m in client.events()]
            assert numbers == sorted(set(numbers)), "in order, none twice"
        # A killed relay may have held all that was pushed before.
        pace.release(100)
        await until(lambda: len(pushed) == 3 * 2000 + 100, "the last of them are pushed", 10)
    finally:
        done.set()
        worker.join()
    assert len(epochs) == 3
    backend.set("last", "word")
    again = start_relay()
    snapshot = await wait_for_keys(again, {"last", "latest"})
    assert snapshot.data["latest"] == len(pushed) - 1


async def test_clients_see_the_relay_die_and_find_the_next_one(start_relay, backend, connect):
    relay = start_relay()
    client = await connect(relay)
    relay.kill()
    assert await client.read_to_end() == 1006
    back = await connect(start_relay(), **client.position)
    assert back.first.type == "sync:full"
