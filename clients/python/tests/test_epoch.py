"""A relay that was restarted without its data, and the backend that fills it again."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from modules import require
from pull_peer import DEADLINE, PullPeer, wait_until
from real_relay import RealRelay
from router_peer import RouterPeer

from syncrelay import AsyncRelay, InvalidEndpoint, Relay
from syncrelay.testing import FakeRelay

SOURCE = Path(__file__).parent.parent / "src"


def restart(real: RealRelay) -> None:
    real.kill()
    real.start()


def epoch_of(real: RealRelay) -> str:
    with Relay(real.endpoint) as relay:
        epoch: str = relay.stats()["epoch"]
        return epoch


def test_a_backend_that_confirms_nothing_learns_of_a_restart_and_fills_the_state_again(real: RealRelay) -> None:
    calls: list[tuple[str, str]] = []

    def fill(epoch: str) -> None:
        relay.set("radio", "again", confirm=True)
        calls.append((epoch, threading.current_thread().name))

    real.start()
    with Relay(real.endpoint, on_new_epoch=fill) as relay:
        relay.set("radio", 1)
        wait_until(lambda: relay._sender._epochs._known, "the first epoch is known")
        for count in range(1, 3):
            restart(real)
            wait_until(lambda: len(calls) == count, "the hook was called")
            assert calls[-1] == (epoch_of(real), "syncrelay-epoch")
            assert relay.state("radio") == "again"


def test_a_restart_that_kept_its_data_is_no_news(durable: RealRelay) -> None:
    calls: list[str] = []
    durable.start()
    with Relay(durable.endpoint, on_new_epoch=calls.append) as relay:
        relay.set("radio", 1)
        wait_until(lambda: relay._sender._epochs._known, "the epoch is known")
        for _ in range(2):
            durable.kill()
            wait_until(lambda: not relay._sender._io or relay._sender._outbox._try_send is None, "the client noticed")
            durable.start()
            relay.set("radio", 2, confirm=True, timeout=DEADLINE)
            wait_until(lambda: not relay._sender._io._control._epoch_unknown, "the relay was asked")  # type: ignore[union-attr]
        assert calls == []


def test_an_epoch_that_was_lost_before_it_was_known_counts_as_another(fake: PullPeer, control: RouterPeer) -> None:
    calls: list[str] = []
    fake.start()
    with Relay(fake.endpoint, on_new_epoch=calls.append, close_timeout=0) as relay:
        relay.broadcast("n", 1)
        fake.receive()
        fake.stop()
        wait_until(lambda: relay._sender._epochs._missed, "the connection ended before the epoch was known")
        fake.start()
        control.start()
        envelope, request = control.receive()
        assert request == {"op": "stats"}
        control.answer(envelope, epoch="second", stats={})
        wait_until(lambda: calls == ["second"], "the hook was called")


def test_who_has_no_hook_asks_nothing(fake: PullPeer, control: RouterPeer) -> None:
    fake.start()
    control.start()
    with Relay(fake.endpoint) as relay:
        relay.broadcast("n", 1)
        relay.flush()
        fake.receive()
        assert control.is_silent(0.3)


def test_a_close_does_not_wait_for_an_epoch_that_nobody_tells(fake: PullPeer, control: RouterPeer) -> None:
    fake.start()
    control.start()
    with Relay(fake.endpoint, on_new_epoch=print, close_timeout=60) as relay:
        relay.broadcast("n", 1)
        control.receive()
    assert fake.receive()[0]["data"] == 1


def test_what_the_hook_raises_is_in_the_log_and_the_next_epoch_calls_it_again(
    real: RealRelay, caplog: pytest.LogCaptureFixture
) -> None:
    calls: list[str] = []

    def fail(epoch: str) -> None:
        calls.append(epoch)
        raise ZeroDivisionError("from the hook")

    real.start()
    with Relay(real.endpoint, on_new_epoch=fail) as relay:
        relay.set("radio", 1)
        wait_until(lambda: relay._sender._epochs._known, "the first epoch is known")
        for count in range(1, 3):
            restart(real)
            wait_until(lambda: len(calls) == count, "the hook was called")
            wait_until(lambda: caplog.text.count("ZeroDivisionError: from the hook") == count, "the log has it")
        assert f"on_new_epoch failed for the epoch {calls[0]}" in caplog.text


def test_a_forked_child_knows_the_epoch_of_its_parent(real: RealRelay) -> None:
    real.start()
    script = (
        "import os, sys, time, syncrelay\ncalls = []\n"
        "r = syncrelay.Relay(sys.argv[1], on_new_epoch=calls.append)\nr.set('radio', 1, confirm=True)\n"
        "while not r._sender._epochs._known: time.sleep(0.01)\n"
        "if os.fork() == 0:\n"
        "  sys.stdin.readline(); r.set('radio', 2)\n"
        "  while not calls: time.sleep(0.01)\n"
        "  print(calls[0], flush=True); r.close(); os._exit(0)\n"
        "r.close(); print('forked', flush=True); os.wait()\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script, real.endpoint], env={**os.environ, "PYTHONPATH": str(SOURCE)},
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None and process.stdout.readline() == "forked\n"
    restart(real)
    output, _ = process.communicate("go\n", timeout=DEADLINE)
    assert output == epoch_of(real) + "\n"


@pytest.mark.parametrize("kind", ["function", "coroutine function"])
async def test_the_async_relay_calls_it_in_the_loop(real: RealRelay, kind: str) -> None:
    calls: list[Any] = []

    def note(epoch: str) -> None:
        calls.append((epoch, asyncio.get_running_loop()))

    async def fill(epoch: str) -> None:
        await relay.set("radio", "again", confirm=True)
        note(epoch)

    real.start()
    async with AsyncRelay(real.endpoint, on_new_epoch=note if kind == "function" else fill) as relay:
        await relay.set("radio", 1, confirm=True)
        await until(lambda: relay._sender._epochs._known)  # type: ignore[attr-defined]
        restart(real)
        await until(lambda: calls)
        assert calls == [((await relay.stats())["epoch"], asyncio.get_running_loop())]
        assert await relay.state("radio") == ("again" if kind != "function" else None)


async def until(condition: Any) -> None:
    end = asyncio.get_running_loop().time() + DEADLINE
    while not condition():
        assert asyncio.get_running_loop().time() < end
        await asyncio.sleep(0.005)


def test_a_loop_that_is_closed_is_named_in_the_log(real: RealRelay, caplog: pytest.LogCaptureFixture) -> None:
    real.start()
    relay = AsyncRelay(real.endpoint, on_new_epoch=print)
    asyncio.run(relay.set("radio", 1, confirm=True))  # type: ignore[arg-type]
    wait_until(lambda: relay._sender._epochs._known, "the first epoch is known")  # type: ignore[attr-defined]
    restart(real)
    wait_until(lambda: "its event loop is closed" in caplog.text, "the log has it")
    asyncio.run(relay.close())


def test_under_gevent_it_runs_in_a_greenlet_and_may_wait(real: RealRelay) -> None:
    require("gevent")
    real.start()
    script = (
        "import gevent.monkey; gevent.monkey.patch_all()\nimport gevent, sys, syncrelay\ncalls = []\n"
        "def fill(epoch):\n"
        "  r.set('radio', 'again', confirm=True); calls.append(type(gevent.getcurrent()).__name__)\n"
        "r = syncrelay.Relay(sys.argv[1], on_new_epoch=fill)\nr.set('radio', 1, confirm=True)\n"
        "while not r._sender._epochs._known: gevent.sleep(0.01)\n"
        "print('known', flush=True)\n"
        "while not calls: gevent.sleep(0.01)\n"
        "print(calls, r.state('radio'))\nr.close()\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script, real.endpoint], env={**os.environ, "PYTHONPATH": str(SOURCE)},
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None and process.stdout.readline() == "known\n"
    restart(real)
    output, _ = process.communicate(timeout=DEADLINE)
    assert output == "['Greenlet'] again\n"


def test_a_hook_without_a_control_endpoint_is_refused_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SYNCRELAY_CONTROL", raising=False)
    with pytest.raises(InvalidEndpoint, match="on_new_epoch needs the control endpoint of the relay at tcp://"):
        Relay("tcp://127.0.0.1:9", on_new_epoch=print)


async def test_the_imitation_restarts_and_calls_the_hook() -> None:
    def fill(epoch: str) -> None:
        epochs.append(epoch)
        relay.set("radio", "again")

    epochs: list[str] = []
    relay = FakeRelay(on_new_epoch=fill)
    before = relay.set("radio", 1, confirm=True, id="a")
    relay.set("other", 1)
    relay.restart()
    assert relay.stored == {"comparison": None, "radio": "again"}
    after = relay.set("radio", 2, confirm=True, id="a")
    assert after.epoch == epochs[0] != before.epoch and not after.duplicate

    async def refill(epoch: str) -> None:
        await AsyncRelay(relay=imitation).set("radio", epoch)

    imitation = FakeRelay(on_new_epoch=refill)
    coroutine: Any = imitation.restart()
    await coroutine
    assert imitation.stored["radio"] == imitation.stats()["epoch"]
    with pytest.raises(ValueError, match="give on_new_epoch to the Relay"):
        AsyncRelay(relay=imitation, on_new_epoch=print)
