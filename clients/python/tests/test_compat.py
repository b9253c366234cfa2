from __future__ import annotations

from pathlib import Path
from typing import AsyncIterator

import pytest
from fake_relay import FakeRelay

from syncrelay import InvalidValue, Relay
from syncrelay.compat import SyncManager, sync_manager


@pytest.fixture
async def manager(fake: FakeRelay) -> AsyncIterator[SyncManager]:
    fake.start()
    with Relay(fake.endpoint) as relay:
        yield SyncManager(relay)


def test_at_first_both_values_are_none() -> None:
    assert SyncManager().get_current_state() == {"comparison": None, "radio": None}


async def test_the_setters_store_and_send_no_event(fake: FakeRelay, manager: SyncManager) -> None:
    manager.set_comparison_state({"a": 1, "b": 2}, prefetched=[3])
    manager.set_comparison_state({"a": 4, "b": 5})
    manager.set_radio_state({"track": 7})
    assert fake.receive(3) == [
        {"op": "set", "key": "comparison", "value": {"pair": {"a": 1, "b": 2}, "prefetched": [3]}},
        {"op": "set", "key": "comparison", "value": {"pair": {"a": 4, "b": 5}, "prefetched": None}},
        {"op": "set", "key": "radio", "value": {"track": 7}},
    ]
    assert manager.get_current_state() == {
        "comparison": {"pair": {"a": 4, "b": 5}, "prefetched": None},
        "radio": {"track": 7},
    }
    assert manager.current_comparison == {"pair": {"a": 4, "b": 5}, "prefetched": None}
    assert manager.current_radio == {"track": 7}


async def test_a_broadcast_carries_type_and_data(fake: FakeRelay, manager: SyncManager) -> None:
    await manager.broadcast("comparison:advanced", {"winner": 1})
    await manager.broadcast(event_type="radio:stopped", data=None)
    assert fake.receive(2) == [
        {"op": "broadcast", "type": "comparison:advanced", "data": {"winner": 1}},
        {"op": "broadcast", "type": "radio:stopped"},
    ]


async def test_state_and_event_keep_their_order(fake: FakeRelay, manager: SyncManager) -> None:
    for track in range(200):
        manager.set_radio_state(track)
        await manager.broadcast("radio:started", track)
    assert [c.get("value", c.get("data")) for c in fake.receive(400)] == [n // 2 for n in range(400)]


async def test_a_refused_value_is_not_remembered_either(manager: SyncManager) -> None:
    with pytest.raises(InvalidValue, match="value.score is NaN"):
        manager.set_radio_state({"score": float("nan")})
    assert manager.get_current_state()["radio"] is None


async def test_without_a_relay_nothing_fails(endpoint: str) -> None:
    with Relay(endpoint, when_full="drop_oldest", max_queue_commands=10, close_timeout=0) as relay:
        manager = SyncManager(relay)
        for track in range(100):
            manager.set_radio_state(track)
            await manager.broadcast("radio:started", track)
        assert manager.get_current_state()["radio"] == 99


async def test_the_ready_made_manager_finds_the_relay_by_the_environment(
    fake: FakeRelay, directory: Path, monkeypatch: pytest.MonkeyPatch
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
