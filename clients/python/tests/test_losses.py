"""What a confirmed flush says after a connection has broken."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
from pull_peer import DEADLINE, PullPeer, wait_until
from real_relay import RealRelay
from router_peer import RouterPeer

from syncrelay import AsyncRelay, FlushTimeout, PossibleLoss, Relay, RelayClosed, lifespan
from syncrelay.testing import FakeRelay


def lose_five(durable: RealRelay, relay: Relay) -> None:
    relay.set("a", 1, confirm=True)
    durable.freeze()
    for number in range(5):
        relay.set(f"lost{number}", number)
    relay.flush()
    durable.kill()
    durable.start()


def test_a_confirmed_flush_does_not_vouch_for_what_a_broken_connection_carried(durable: RealRelay) -> None:
    durable.start()
    with Relay(durable.endpoint) as relay:
        lose_five(durable, relay)
        with pytest.raises(PossibleLoss, match="may be lost"):
            relay.flush(DEADLINE, confirm=True)
        assert not [key for key in relay.state() if key.startswith("lost")]
        relay.set("again", 1)
        relay.flush(DEADLINE, confirm=True)  # it was told once
        assert relay.state("again") == 1


async def test_so_does_the_async_one_and_a_lifespan_logs_it(durable: RealRelay, caplog: pytest.LogCaptureFixture) -> None:
    durable.start()
    with Relay(durable.endpoint, close_timeout=DEADLINE) as relay:
        lose_five(durable, relay)
        with pytest.raises(PossibleLoss):
            await AsyncRelay(relay=relay).flush(DEADLINE, confirm=True)
        lose_five(durable, relay)
        async with lifespan(relay)(None):
            pass
    assert "some of that may be lost" in caplog.text


def test_a_connection_that_broke_with_everything_taken_is_no_loss(durable: RealRelay) -> None:
    durable.start()
    with Relay(durable.endpoint) as relay:
        relay.set("a", 1)
        relay.flush(DEADLINE, confirm=True)
        durable.kill()
        wait_until(lambda: relay._sender._outbox._try_send is None, "the client noticed")
        durable.start()
        relay.set("b", 1)
        relay.flush(DEADLINE, confirm=True)
        assert relay.state() == {"a": 1, "b": 1, "comparison": None, "radio": None}


def test_a_flush_that_nobody_answers_names_the_control_endpoint(fake: PullPeer) -> None:
    fake.start()
    with Relay(fake.endpoint, close_timeout=0) as relay:
        relay.broadcast("n", 1)
        relay.flush()
        with pytest.raises(FlushTimeout, match=r"at ipc://.*control\.sock within 0.1 s: no socket file"):
            relay.flush(0.1, confirm=True)


async def test_a_confirmed_flush_of_a_closed_relay_says_so_also_when_nothing_was_sent(endpoint: str) -> None:
    for relay in (Relay(endpoint), FakeRelay()):
        relay.close()
        with pytest.raises(RelayClosed):
            relay.flush(confirm=True)
        with pytest.raises(RelayClosed):
            await AsyncRelay(relay=relay).flush(confirm=True)


def test_a_hook_for_epochs_that_nobody_can_be_asked_for_is_in_the_log(
    fake: PullPeer, directory: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("syncrelay.control._EPOCH_PATIENCE", 0.05)
    caplog.set_level(logging.WARNING)
    fake.start()
    control = f"ipc://{directory}/elsewhere.sock"
    with Relay(fake.endpoint, control=control, on_new_epoch=print, close_timeout=0) as relay:
        relay.broadcast("n", 1)
        wait_until(lambda: f"control endpoint {control} (no socket file there" in caplog.text, "the log has it")
        assert "on_new_epoch is not called" in caplog.text


def test_a_relay_that_answers_for_its_epoch_is_not_complained_about(
    fake: PullPeer, control: RouterPeer, caplog: pytest.LogCaptureFixture
) -> None:
    fake.start()
    control.start()
    with Relay(fake.endpoint, on_new_epoch=print, close_timeout=0) as relay:
        relay.broadcast("n", 1)
        envelope, _ = control.receive()
        control.answer(envelope)
        io = relay._sender._io
        assert io is not None
        wait_until(lambda: not io._control._epoch_unknown, "the answer was taken")
        assert io._control._epoch_due == float("inf") and "on_new_epoch" not in caplog.text
