from __future__ import annotations

import time
from pathlib import Path
from typing import AsyncIterator

import pytest
from pull_peer import PullPeer
from real_relay import RealRelay

from syncrelay import InvalidValue, Relay
from syncrelay.compat import SyncManager, sync_manager


@pytest.fixture
async def manager(fake: PullPeer) -> AsyncIterator[SyncManager]:
    fake.start()
    with Relay(fake.endpoint) as relay:
        yield SyncManager(relay)


SILENT = {"notify": False}


def test_at_first_both_values_are_none(endpoint: str) -> None:
    with Relay(endpoint) as relay:
        assert SyncManager(relay).get_current_state() == {"comparison": None, "radio": None}


async def test_the_setters_store_and_send_no_event(fake: PullPeer, manager: SyncManager) -> None:
    manager.set_comparison_state({"a": 1, "b": 2}, prefetched=[3])
    manager.set_comparison_state({"a": 4, "b": 5})
    manager.set_radio_state({"track": 7})
    assert fake.receive(3) == [
        {"op": "set", "key": "comparison", "value": {"pair": {"a": 1, "b": 2}, "prefetched": [3]}, **SILENT},
        {"op": "set", "key": "comparison", "value": {"pair": {"a": 4, "b": 5}, "prefetched": None}, **SILENT},
        {"op": "set", "key": "radio", "value": {"track": 7}, **SILENT},
    ]
    assert manager.get_current_state() == {
        "comparison": {"pair": {"a": 4, "b": 5}, "prefetched": None},
        "radio": {"track": 7},
    }
    assert manager.current_comparison == {"pair": {"a": 4, "b": 5}, "prefetched": None}
    assert manager.current_radio == {"track": 7}


async def test_a_broadcast_carries_type_and_data(fake: PullPeer, manager: SyncManager) -> None:
    await manager.broadcast("comparison:advanced", {"winner": 1})
    await manager.broadcast(event_type="radio:stopped", data=None)
    assert fake.receive(2) == [
        {"op": "broadcast", "type": "comparison:advanced", "data": {"winner": 1}},
        {"op": "broadcast", "type": "radio:stopped"},
    ]


async def test_state_and_event_keep_their_order(fake: PullPeer, manager: SyncManager) -> None:
    for track in range(200):
        manager.set_radio_state(track)
        await manager.broadcast("radio:started", track)
    assert [c.get("value", c.get("data")) for c in fake.receive(400)] == [n // 2 for n in range(400)]


async def test_a_refused_value_is_not_remembered_either(manager: SyncManager) -> None:
    with pytest.raises(InvalidValue, match="value.score is NaN"):
        manager.set_radio_state({"score": float("nan")})
    assert manager.current_radio is None


async def test_without_a_relay_nothing_fails(endpoint: str) -> None:
    with Relay(endpoint, when_full="drop_oldest", max_queue_commands=10, close_timeout=0) as relay:
        manager = SyncManager(relay)
        for track in range(100):
            manager.set_radio_state(track)
            await manager.broadcast("radio:started", track)
        assert manager.get_current_state()["radio"] == 99


async def test_the_ready_made_manager_finds_the_relay_by_the_environment(
    fake: PullPeer, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SYNCRELAY_RUNTIME_DIR", str(directory))
    monkeypatch.delenv("SYNCRELAY_COMMANDS", raising=False)
    fake.start()
    try:
        await sync_manager.broadcast("t", 1)
        assert fake.receive()[0]["data"] == 1
    finally:
        sync_manager.relay.close()
        sync_manager._slot.clear()


def test_the_state_is_what_all_workers_have_set(real: RealRelay) -> None:
    real.start()
    with Relay(real.endpoint) as relay, Relay(real.endpoint) as other:
        manager = SyncManager(relay)
        other.set("comparison", {"pair": [1, 2], "prefetched": None}, confirm=True)
        for track in range(20):
            manager.set_radio_state(track)
            assert manager.get_current_state() == {"comparison": {"pair": [1, 2], "prefetched": None}, "radio": track}
        assert manager.current_comparison is None  # what this process has set


def test_both_keys_are_there_whatever_the_relay_is_configured_with(real: RealRelay) -> None:
    real.options = ("--state-key", "other")
    real.start()
    with Relay(real.endpoint) as relay:
        assert SyncManager(relay).get_current_state() == {"comparison": None, "radio": None, "other": None}


def test_without_a_relay_the_state_is_what_this_process_has_set_and_the_wait_is_short(endpoint: str) -> None:
    with Relay(endpoint, close_timeout=0) as relay:
        manager = SyncManager(relay)
        manager.set_radio_state(7)
        begin = time.monotonic()
        for _ in range(100):
            assert manager.get_current_state() == {"comparison": None, "radio": 7}
        assert 0.5 <= time.monotonic() - begin < 3  # the first call found out
    assert manager.get_current_state()["radio"] == 7  # and closed


def test_a_relay_that_comes_back_is_asked_again(real: RealRelay, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("syncrelay.compat._RESPITE", 0.0)
    with Relay(real.endpoint) as relay:
        manager = SyncManager(relay)
        assert manager.get_current_state() == {"comparison": None, "radio": None}
        real.start()
        relay.set("radio", "from elsewhere", confirm=True)
        assert manager.get_current_state()["radio"] == "from elsewhere"
