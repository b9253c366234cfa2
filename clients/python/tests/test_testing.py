"""FakeRelay, and that it keeps the rules of the real relay."""

from __future__ import annotations

import json
import re
import threading
from pathlib import Path
from typing import Any

import pytest
from real_relay import RealRelay

from syncrelay import (
    AsyncRelay,
    Client,
    CommandRejected,
    ConfirmTimeout,
    FlushTimeout,
    InvalidValue,
    Relay,
    RelayClosed,
    RelayUnavailable,
)
from syncrelay.compat import SyncManager
from syncrelay.testing import REJECTION_CODES, FakeRelay

ROOT = Path(__file__).parents[3]


def use_all(relay: Relay) -> list[Any]:
    """Calls of every kind; returns all they return, but for what differs from relay to relay."""
    seen: list[Any] = []
    for confirm in (False, True):
        seen += [
            relay.set("radio", {"a": {"b": 1, "c": (1, 2)}}, confirm=confirm),
            relay.merge("radio", {"a": {"b": None, "d": 3}, "e": None}, confirm=confirm),
            relay.merge("new", {"x": {"y": None}}, confirm=confirm),
            relay.merge("new", [1], confirm=confirm),
            relay.delete("radio", confirm=confirm),
            relay.set("k", 1, notify=False, confirm=confirm),
            relay.delete("k", notify=False, confirm=confirm),
            relay.delete("k", confirm=confirm),
            relay.broadcast("t", confirm=confirm),
            relay.broadcast("t", {"d": 1}, set={"radio": 1, "s": [None]}, confirm=confirm),
            relay.broadcast("t", set={"s": "ü"}, notify=False, confirm=confirm),
            relay.broadcast("once", confirm=confirm, id="i"),
            relay.state(),
        ]
    seen += [relay.state("s"), relay.state("no such key"), relay.clients(), relay.stats()["seq"]]
    return [(each.seq, each.duplicate) if hasattr(each, "seq") else each for each in seen]


def without_ts(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{name: value for name, value in event.items() if name != "ts"} for event in events]


def test_it_answers_and_publishes_as_the_real_one(real: RealRelay) -> None:
    real.start()
    fake = FakeRelay()
    with Relay(real.endpoint) as relay:
        assert use_all(fake) == use_all(relay)
        log = real.log(relay.stats()["epoch"])
    assert without_ts(fake.events) == without_ts(log)
    assert len(log) == 19


def merge_vectors() -> list[dict[str, str | None]]:
    path = ROOT / "tests" / "vectors" / "merge_patches.json"
    vectors: list[dict[str, str | None]] = json.loads(path.read_text())["vectors"] if path.exists() else []
    return vectors


@pytest.mark.parametrize("vector", merge_vectors(), ids=lambda vector: vector["name"])
def test_it_merges_as_the_vectors_say(vector: dict[str, str]) -> None:
    fake = FakeRelay()
    if vector["target"] is not None:
        fake.set("k", json.loads(vector["target"]))
    fake.merge("k", json.loads(vector["patch"]))
    assert fake.stored["k"] == json.loads(vector["result"])


def test_it_records_commands_without_their_ids() -> None:
    fake = FakeRelay()
    fake.set("radio", 7)
    fake.broadcast("t", (1, 2), confirm=True)
    assert fake.commands == [
        {"op": "set", "key": "radio", "value": 7},
        {"op": "broadcast", "type": "t", "data": [1, 2]},
    ]


def test_what_it_shows_is_a_copy() -> None:
    fake = FakeRelay()
    fake.set("radio", {"a": 1})
    fake.stored["radio"]["a"] = 2
    fake.commands[0]["value"]["a"] = 3
    assert fake.state("radio") == {"a": 1}


def test_it_checks_values_as_a_relay_does() -> None:
    with pytest.raises(InvalidValue, match="value.score is NaN"):
        FakeRelay().set("radio", {"score": float("nan")})


async def test_it_serves_an_async_relay() -> None:
    fake = FakeRelay()
    async with AsyncRelay(relay=fake) as relay:
        assert (await relay.broadcast("t", confirm=True)).seq == 1
        assert await relay.state() == {"comparison": None, "radio": None}
        fake.go_away()
        with pytest.raises(ConfirmTimeout, match="made it unreachable"):
            await relay.broadcast("t", confirm=True)
        await relay.set("radio", 1)
        with pytest.raises(FlushTimeout):
            await relay.flush()
        fake.come_back()
        await relay.flush()
    assert fake.stored["radio"] == 1


async def test_it_serves_a_sync_manager() -> None:
    fake = FakeRelay()
    manager = SyncManager(fake)
    manager.set_radio_state(7)
    await manager.broadcast("radio:started", 7)
    assert manager.get_current_state() == {"comparison": None, "radio": 7}
    assert [event["type"] for event in fake.events] == ["radio:started"]


def test_it_rejects_as_told() -> None:
    fake = FakeRelay()
    fake.reject("storage_full", "no space", offset=3, times=2)
    with pytest.raises(CommandRejected, match=r"storage_full: no space \(at byte 3\)") as error:
        fake.set("radio", 1, confirm=True)
    assert (error.value.code, error.value.message, error.value.offset) == ("storage_full", "no space", 3)
    fake.set("radio", 2)  # refused without a word
    assert fake.state("radio") is None
    assert fake.set("radio", 3, confirm=True).seq == 1
    assert len(fake.commands) == 1
    with pytest.raises(ValueError, match="storage_full"):
        fake.reject("storage_ful")


def test_while_away_commands_wait_and_confirmed_ones_fail_at_once() -> None:
    fake = FakeRelay(max_queue_commands=2)
    fake.go_away()
    with pytest.raises(ConfirmTimeout, match="not sent and has no effect") as error:
        fake.set("radio", 1, confirm=True, timeout=60)
    assert error.value.sent is False
    fake.broadcast("t", 1)
    fake.broadcast("t", 2)
    with pytest.raises(RelayUnavailable, match="queue is full"):
        fake.broadcast("t", 3)
    assert (fake.queued, fake.events) == (2, [])
    fake.come_back()
    assert [event["data"] for event in fake.events] == [1, 2]


def test_it_drops_the_oldest_if_made_so() -> None:
    fake = FakeRelay(max_queue_commands=1, when_full="drop_oldest")
    fake.go_away()
    fake.broadcast("t", 1)
    fake.broadcast("t", 2)
    fake.come_back()
    assert (fake.dropped, [event["data"] for event in fake.events]) == (1, [2])


def test_a_lost_answer_can_be_repeated_by_its_id() -> None:
    fake = FakeRelay()
    fake.lose_answer()
    with pytest.raises(ConfirmTimeout, match="may or may not") as error:
        fake.broadcast("t", confirm=True, timeout=60)
    assert error.value.sent is True
    again = fake.broadcast("t", confirm=True, id=error.value.id)
    assert (again.seq, again.duplicate, len(fake.events)) == (1, True, 1)


def test_its_clients_are_those_it_was_told() -> None:
    fake = FakeRelay()
    client = Client(id=1, address="127.0.0.1:5", since=1.5, lag=0, bytes=10, last_pong=0.1)
    fake.connect(client)
    assert fake.clients() == [client]
    assert fake.broadcast("t", confirm=True).clients == 1


def test_closed_it_says_so_and_still_shows_what_it_has() -> None:
    with FakeRelay() as fake:
        fake.set("radio", 1)
    with pytest.raises(RelayClosed):
        fake.set("radio", 2)
    with pytest.raises(RelayClosed):
        fake.state()
    assert fake.stored["radio"] == 1


def test_it_starts_no_thread() -> None:
    before = threading.active_count()
    with FakeRelay() as fake:
        fake.set("radio", 1, confirm=True)
        assert threading.active_count() == before


def test_its_codes_are_those_of_the_relay() -> None:
    header = ROOT / "include" / "syncrelay" / "protocol" / "rejection.h"
    if not header.exists():
        pytest.skip("the relay's sources are not here")
    names = re.search(r"kRejectReasonNames = \{(.*?)\}", header.read_text(), re.DOTALL)
    assert names is not None
    assert set(re.findall(r'"(\w+)"', names[1])) == REJECTION_CODES
