"""What backends with an in-process sync manager came to need after their first hour."""

from __future__ import annotations

import inspect
import subprocess
import sys
import threading
from pathlib import Path
from typing import Iterator

import pytest
from modules import require
from pull_peer import DEADLINE, PullPeer, wait_until
from real_relay import RealRelay

from syncrelay import InvalidEndpoint, Relay
from syncrelay.compat import SyncManager
from syncrelay.testing import FakeRelay

SOURCE = Path(__file__).parent.parent / "src"
SILENT = {"notify": False}


@pytest.fixture
def relay() -> FakeRelay:
    return FakeRelay()


@pytest.fixture
def manager(relay: FakeRelay) -> SyncManager:
    return SyncManager(relay, grace=0.05)


@pytest.fixture
def patient(relay: FakeRelay) -> Iterator[SyncManager]:
    manager = SyncManager(relay, grace=60)
    yield manager
    for timer in manager._devices._timers.values():
        timer.cancel()


def test_keywords_of_the_comparison_are_members_of_its_value(manager: SyncManager, relay: FakeRelay) -> None:
    manager.set_comparison_state([1, 2], prefetched=[3], session_id="s", round=4)
    assert manager.current_comparison == {"pair": [1, 2], "prefetched": [3], "session_id": "s", "round": 4}
    assert relay.stored["comparison"] == manager.current_comparison and relay.events == []


def test_every_key_has_a_setter_that_stores_and_tells_nothing(manager: SyncManager, relay: FakeRelay) -> None:
    manager.set_playback_state({"playing": True})
    manager.set_queue_state([1, 2])
    manager.set_now_playing_state(track=7, position=1.5)
    manager.set_session_state({"id": 1}, session_id="s")
    manager.set_state("key with spaces", None)
    manager.set_radio_state({"track": 7}, session_id="s")
    expected = {
        "comparison": None, "playback": {"playing": True}, "queue": [1, 2], "now_playing": {"track": 7, "position": 1.5},
        "session": {"id": 1, "session_id": "s"}, "key with spaces": None, "radio": {"track": 7, "session_id": "s"},
    }  # fmt: skip
    assert relay.stored == expected == manager.get_current_state()
    assert all(command["notify"] is False for command in relay.commands) and relay.events == []
    relay.go_away()
    assert manager.get_current_state() == expected


def test_keywords_need_a_value_with_members(manager: SyncManager) -> None:
    with pytest.raises(TypeError, match="the value of 'radio' is a NoneType, which has no members: session_id"):
        manager.set_radio_state(None, session_id="s")
    with pytest.raises(TypeError, match="set_playback_state needs a value"):
        manager.set_playback_state()


def test_a_mistyped_name_is_an_attribute_error_that_names_the_rule(manager: SyncManager) -> None:
    with pytest.raises(AttributeError, match=r"SyncManager has no 'brodcast'; for any key there is set_<key>_state"):
        manager.brodcast("t")  # type: ignore[call-arg]
    assert not hasattr(manager, "set__state")


def test_a_state_that_is_refused_is_not_remembered(manager: SyncManager) -> None:
    with pytest.raises(ValueError, match="value.a is NaN"):
        manager.set_playback_state(a=float("nan"))
    assert "playback" not in manager.get_current_state()


async def test_an_event_alone_and_an_update_of_the_comparison(manager: SyncManager, relay: FakeRelay) -> None:
    await manager.broadcast("library:scanned", {"tracks": 7})
    await manager.broadcast_comparison_update([1, 2], session_id="s")
    await manager.broadcast_comparison_update()
    await manager.broadcast_comparison_update([3, 4], [5], event_type="comparison:started")
    first = {"pair": [1, 2], "prefetched": None, "session_id": "s"}
    second = {"pair": [3, 4], "prefetched": [5]}
    assert [(event["type"], event["data"], event.get("set")) for event in relay.events] == [
        ("library:scanned", {"tracks": 7}, None), ("comparison:updated", first, None),
        ("comparison:updated", first, None), ("comparison:started", second, None),
    ]  # fmt: skip
    assert relay.stored["comparison"] == manager.current_comparison == second


def test_tabs_share_a_device_which_is_gone_some_time_after_the_last(manager: SyncManager, relay: FakeRelay) -> None:
    gone: list[tuple[str, object]] = []
    over = threading.Event()

    def on_gone(device: str) -> None:
        gone.append((device, relay.stored["devices"]))
        over.set()

    manager.on_device_gone = on_gone
    manager.register_device("phone", name="Ada's", platform="x")
    manager.register_device("phone", platform="y")
    manager.register_device("desk")
    both = {"phone": {"name": "Ada's", "platform": "y"}, "desk": {}}
    assert manager.devices == relay.stored["devices"] == manager.get_current_state()["devices"] == both
    manager.unregister_device("phone")
    assert manager._devices._timers == {}
    manager.unregister_device("phone")
    assert "phone" in manager.devices
    assert over.wait(20)
    assert gone == [("phone", {"desk": {}})] and manager.devices == {"desk": {}}
    assert relay.events == []
    relay.go_away()
    assert manager.get_current_state()["devices"] == {"desk": {}}


def test_a_tab_that_comes_back_within_the_grace_keeps_the_device(patient: SyncManager, relay: FakeRelay) -> None:
    patient.register_device("phone")
    patient.unregister_device("phone")
    timer = patient._devices._timers["phone"]
    patient.register_device("phone")
    patient._devices._expire("phone", timer)  # as if it had run out in that very moment
    assert patient.devices == relay.stored["devices"] == {"phone": {}}


def test_who_is_not_registered_may_leave_and_a_failing_hook_is_in_the_log(
    manager: SyncManager, caplog: pytest.LogCaptureFixture
) -> None:
    manager.on_device_gone = lambda device: 1 / 0
    manager.unregister_device("nobody")
    manager.register_device("phone")
    manager.unregister_device("phone")
    manager.unregister_device("phone")
    wait_until(lambda: "on_device_gone failed for 'phone'" in caplog.text, "the log has it")
    assert manager.devices == {}


def test_the_devices_of_other_workers_are_left_alone(real: RealRelay) -> None:
    real.start()
    with Relay(real.endpoint) as one, Relay(real.endpoint) as two:
        first, second = SyncManager(one, grace=0.01), SyncManager(two)
        second.register_device("desk")
        two.flush(confirm=True)
        first.register_device("phone")
        assert first.get_current_state()["devices"] == {"desk": {}, "phone": {}}
        first.unregister_device("phone")
        wait_until(lambda: first.devices == {}, "the grace is over")
        wait_until(lambda: first.get_current_state()["devices"] == {"desk": {}}, "the state follows")


def test_a_state_that_nobody_can_be_asked_for_is_an_error_and_not_an_old_value(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SYNCRELAY_CONTROL", raising=False)
    with Relay("tcp://127.0.0.1:9", close_timeout=0) as relay:
        with pytest.raises(InvalidEndpoint, match="control"):
            SyncManager(relay).get_current_state()


def test_mypy_knows_every_setter_and_finds_a_mistyped_name(directory: Path, mypy_cache: Path) -> None:
    require("mypy")
    script = directory / "backend.py"
    script.write_text(
        "from syncrelay.compat import sync_manager\n"
        "sync_manager.set_playback_state({'playing': True})\n"
        "sync_manager.set_playback_state(playing=True)\n"
        "sync_manager.set_comparison_state(1, session_id='s')\n"
        "sync_manager.brodcast('t', 1)\n"
    )
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--cache-dir", str(mypy_cache), str(script)],
        env={"MYPYPATH": str(SOURCE)}, capture_output=True, text=True,
    )  # fmt: skip
    errors = [line for line in done.stdout.splitlines() if ": error:" in line]
    assert len(errors) == 1 and ":5: error: Too many" in errors[0], done.stdout


async def test_the_original_signatures_are_kept(fake: PullPeer) -> None:
    parameters = list(inspect.signature(SyncManager.set_comparison_state).parameters)
    assert parameters[:3] == ["self", "pair", "prefetched"]
    assert list(inspect.signature(SyncManager.broadcast).parameters) == ["self", "event_type", "data"]
    fake.start()
    with Relay(fake.endpoint) as relay:
        manager = SyncManager(relay)
        manager.set_radio_state(now_playing=1)
        await manager.broadcast(event_type="t", data=2)
    assert fake.receive(2)[0] == {"op": "set", "key": "radio", "value": 1, **SILENT}


def test_at_the_end_of_the_process_the_grace_ends_and_devices_with_tabs_stay(directory: Path, real: RealRelay) -> None:
    real.start()
    script = (
        "from syncrelay.compat import sync_manager\nfor device in ('phone', 'desk'): sync_manager.register_device(device)\n"
        "sync_manager.on_device_gone = print\nsync_manager.unregister_device('phone')"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], env={"PYTHONPATH": str(SOURCE), "SYNCRELAY_RUNTIME_DIR": str(directory)},
        capture_output=True, text=True, timeout=DEADLINE,
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    with Relay(real.endpoint) as relay:
        assert relay.state("devices") == {"desk": {}}


def test_a_forked_child_that_ends_leaves_the_devices_of_its_parent(patient: SyncManager) -> None:
    import multiprocessing

    patient.register_device("phone")
    patient.unregister_device("phone")
    queue = multiprocessing.get_context("fork").SimpleQueue()

    def child() -> None:
        patient._devices.end_grace()
        queue.put(list(patient.devices))

    process = multiprocessing.get_context("fork").Process(target=child)
    process.start()
    process.join(DEADLINE)
    assert queue.get() == ["phone"]
    patient._devices.end_grace()
    assert patient.devices == {}
