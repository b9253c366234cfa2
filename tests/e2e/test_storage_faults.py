"""Damage is never served, a refusal is true for ever, and what is deleted confirms nothing."""

import asyncio
import pathlib
import random
import shutil
import sqlite3

import pytest
import zmq

from control_peer import ControlPeer
from deadline import until
from relay_process import RelayExited, run_relay
from sync_fault import SyncFault
from test_continuity import DATABASE, LOST, WAL, ask, check_new_epoch, flip, publish

VERSION_1 = pathlib.Path(__file__).parent / "data" / "version1.sql"
HOW_TO_GO_ON = "put a backup in its place"


@pytest.fixture
def start(start_relay, data_dir):
    return lambda *arguments, **how: start_relay("--data", data_dir, *arguments, **how)


@pytest.fixture
def fault(runtime_dir):
    if not SyncFault.is_possible():
        pytest.skip("no C compiler")
    return SyncFault(runtime_dir)


def refused_start(data_dir, runtime_dir):
    """What a relay says that must not start."""
    result = run_relay("--port", "0", "--data", data_dir, runtime_dir=runtime_dir / "other")
    assert result.returncode == 1, result
    return result.stderr.replace('\\"', '"')


# Damage.


async def test_no_flipped_bit_of_the_database_is_served(start_relay, data_dir, runtime_dir):
    """Each start is refused with what to do, or what it serves is right to the last byte."""
    relay = start_relay("--data", data_dir)
    for n in range(12):
        assert ask(relay, {"op": "broadcast", "type": "x", "data": f"{n}" * 150, "set": {f"k{n}": [n] * 40}, "id": f"{n}"})["ok"]
    right = ask(relay, {"op": "state"})
    relay.stop()
    whole = (data_dir / DATABASE).read_bytes()
    used = [at for at, byte in enumerate(whole) if byte]
    draw, refused = random.Random(7), 0
    for number in range(60):
        offset = draw.choice(used)
        flip(data_dir / DATABASE, offset, draw.randrange(8))
        try:
            relay = start_relay("--data", data_dir)
        except RelayExited as exited:
            refused += 1
            assert "exit code 1," in str(exited) and str(data_dir / DATABASE) in str(exited), (offset, exited)
        else:
            assert ask(relay, {"op": "state"})["state"] == right["state"], offset
            assert all(ask(relay, {"op": "set", "key": "k", "value": 0, "id": f"{n}"}).get("duplicate")
                       for n in range(12)), offset
            relay.stop()
        with (data_dir / DATABASE).open("r+b") as file:
            file.truncate(0)
            file.write(whole)
    assert refused > 20


TABLES = {
    "state": ("UPDATE state SET value = CAST('{\"cut' AS BLOB) WHERE key = CAST('k1' AS BLOB)", 'key "k1" (table state)'),
    "a key less": ("DELETE FROM state WHERE key = CAST('k1' AS BLOB)", "table state has not the rows"),
    "events": ("UPDATE events SET wire = substr(wire, 2) WHERE first = 2", "events 2 to 2 (table events)"),
    "events less": ("DELETE FROM events WHERE first = 2", "table events"),
    "ids": ("UPDATE ids SET records = substr(records, 2) WHERE batch = 1", "the ids of batch 1 (table ids)"),
    "ids less": ("DELETE FROM ids WHERE batch = 1", "table ids"),
    "position": ("UPDATE position SET seq = seq + 1", "table position"),
}


@pytest.mark.parametrize("table", TABLES)
def test_what_is_damaged_is_named_and_how_to_go_on(start, data_dir, runtime_dir, table):
    relay = start()
    publish(relay, 0, 1, 2)
    relay.stop()
    statement, named = TABLES[table]
    with sqlite3.connect(data_dir / DATABASE) as database:
        database.execute(statement)
    database.close()
    said = refused_start(data_dir, runtime_dir)
    assert named in said and HOW_TO_GO_ON in said and str(data_dir / DATABASE) in said


@pytest.mark.parametrize("end", ["stop", "kill"])
def test_a_database_without_a_byte_is_damaged_and_its_log_stays(start, data_dir, runtime_dir, end):
    relay = start()
    publish(relay, 1, 2)
    getattr(relay, end)()
    (data_dir / DATABASE).write_bytes(b"")
    log = (data_dir / WAL).read_bytes() if (data_dir / WAL).exists() else None
    for _ in range(2):
        said = refused_start(data_dir, runtime_dir)
        assert "the database is empty (0 bytes) though position 2 was confirmed" in said
        assert "restore a backup, or move the directory away" in said and str(data_dir / DATABASE) in said
    assert (data_dir / DATABASE).stat().st_size == 0
    assert log is None or (data_dir / WAL).read_bytes() == log


def test_a_database_that_is_gone_means_a_new_epoch_and_a_warning_that_all_is_gone(start, data_dir):
    relay = start()
    publish(relay, 1, 2)
    before = ask(relay, {"op": "state"})
    relay.stop()
    (data_dir / DATABASE).unlink()
    again = start()
    after = ask(again, {"op": "state"})
    assert after["epoch"] != before["epoch"] and after["seq"] == 0
    line = again.logged(LOST)
    assert "ALL state" in line and "position 2 was confirmed" in line, line
    again.stop()
    assert ask(start(), {"op": "state"})["epoch"] == after["epoch"]


# Formats.


def make_version_1(data_dir):
    data_dir.mkdir(mode=0o700)
    database = sqlite3.connect(data_dir / DATABASE)
    database.executescript("PRAGMA journal_mode = WAL;" + VERSION_1.read_text())
    database.close()


@pytest.fixture
def version_1(data_dir):
    make_version_1(data_dir)
    return data_dir / DATABASE


async def test_nothing_is_lost_of_a_database_of_version_1(start, connect, version_1):
    relay = start()
    after = ask(relay, {"op": "state"})
    assert after["seq"] == 3 and after["state"] == {"comparison": None, "radio": {"n": 1.5}, "silent": [1, 2]}
    for name, seq in {"a": 1, "b": 1, "c": 2}.items():
        answer = ask(relay, {"op": "set", "key": "k", "value": 0, "id": name})
        assert answer["duplicate"] and answer["seq"] == seq
    assert after["epoch"] != "c076211bc33894a6" and relay.logged("no note")  # it could not tell what it lost
    client = await connect(relay, epoch=after["epoch"], seq=0)
    await client.read_to_seq(3)
    assert [m.type for m in client.events()] == ["radio:started", "sync:delete", "last"]
    publish(relay, 4)
    relay.kill()
    again = start()
    assert ask(again, {"op": "state"})["epoch"] == after["epoch"] and LOST not in again.log_of_start()


def test_a_database_of_version_1_with_a_value_that_is_no_json_is_refused(version_1, data_dir, runtime_dir):
    with sqlite3.connect(version_1) as database:
        database.execute("UPDATE state SET value = CAST('{\"n\": 1' AS BLOB) WHERE key = CAST('radio' AS BLOB)")
    database.close()
    said = refused_start(data_dir, runtime_dir)
    assert 'key "radio"' in said and HOW_TO_GO_ON in said


def test_the_first_start_on_a_database_of_version_1_says_what_it_did(start, version_1):
    relay = start()
    line = relay.logged(LOST)
    assert "brought from format 1 to 4" in line
    relay.stop()
    assert "from format 1" not in start().log_of_start()


def set_back(data_dir):
    """What version 0.1.0 leaves behind when it is started on a database of this version."""
    with sqlite3.connect(data_dir / DATABASE) as database:
        assert database.execute("PRAGMA user_version").fetchone() == (4,)
        database.execute("PRAGMA user_version = 1")
    database.close()


@pytest.mark.parametrize("migrated", [False, True])
async def test_after_a_rollback_that_failed_nothing_is_lost(start, connect, data_dir, request, migrated):
    if migrated:
        request.getfixturevalue("version_1")
    relay = start()
    publish(relay, 8, 9)
    before = ask(relay, {"op": "state"})
    relay.stop()
    set_back(data_dir)
    again = start()
    await check_new_epoch(again, connect, before, [8, 9], "0.1.0")
    settled = ask(again, {"op": "state"})
    again.kill()
    once_more = start()
    assert ask(once_more, {"op": "state"})["epoch"] == settled["epoch"] and LOST not in once_more.log_of_start()
    once_more.stop()
    with sqlite3.connect(data_dir / DATABASE) as database:
        assert database.execute("PRAGMA user_version").fetchone() == (4,)
    database.close()


@pytest.mark.parametrize("version", [0, 1, 2, 3, 4])
def test_the_database_of_another_program_is_refused_as_such_untouched(data_dir, runtime_dir, version):
    data_dir.mkdir(mode=0o700)
    with sqlite3.connect(data_dir / DATABASE) as database:
        database.executescript(f"CREATE TABLE songs (name); PRAGMA user_version = {version};")
    database.close()
    before = (data_dir / DATABASE).read_bytes()
    assert "it is the database of another program" in refused_start(data_dir, runtime_dir)
    assert (data_dir / DATABASE).read_bytes() == before


@pytest.mark.parametrize("with_log", [False, True])
def test_a_database_of_a_later_version_is_refused_untouched(start, data_dir, runtime_dir, with_log):
    relay = start()
    publish(relay, 1)
    relay.stop()
    database = sqlite3.connect(data_dir / DATABASE)
    database.execute("PRAGMA user_version = 5")
    if with_log:  # as after a kill: what says so has not reached the file yet
        shutil.copytree(data_dir, runtime_dir / "kept")
        database.close()
        data_dir = runtime_dir / "kept"
    else:
        database.close()
    before = {path.name: path.read_bytes() for path in data_dir.iterdir() if DATABASE in path.name}
    said = refused_start(data_dir, runtime_dir)
    assert "format 5" in said and "knows 4" in said
    after = {path.name: path.read_bytes() for path in data_dir.iterdir() if DATABASE in path.name}
    assert after[DATABASE] == before[DATABASE] and after.get(WAL, b"") == before.get(WAL, b"")


# A disk that fails.


@pytest.mark.parametrize("times", [1, 2, 1000])
def test_what_was_refused_because_a_sync_failed_is_not_there_after_a_crash(start, fault, times):
    """Unless the answer says that it cannot be known: then an id makes sending it again safe."""
    relay = start("--durability", "power", env=fault.environment())
    publish(relay, 0)
    fault.fail(times)
    answer = ask(relay, {"op": "broadcast", "type": "x", "data": 1, "set": {"k1": 1}, "id": "1"})
    assert not answer["ok"] and fault.left() < times
    code = answer["error"]["code"]
    assert code == ("storage_failed" if times == 1 else "storage_uncertain"), answer
    relay.kill()
    fault.fail(0)
    again = start("--durability", "power")
    there = "k1" in ask(again, {"op": "state"})["state"]
    assert not (there and code == "storage_failed")
    assert ask(again, {"op": "set", "key": "k1", "value": 1, "id": "1"}).get("duplicate", False) == there


def test_until_the_disk_can_be_written_again_nothing_else_is_taken(start, fault):
    relay = start("--durability", "power", env=fault.environment())
    publish(relay, 0)
    before = ask(relay, {"op": "state"})
    fault.fail(10**6)
    command = {"op": "broadcast", "type": "x", "data": 1, "set": {"k1": 1}, "id": "1"}
    assert ask(relay, command)["error"]["code"] == "storage_uncertain"
    for n in (2, 3):
        refused = ask(relay, {"op": "broadcast", "type": "x", "set": {f"k{n}": n}, "id": f"{n}"})
        assert refused["error"]["code"] == "storage_failed"
    assert ask(relay, {"op": "broadcast", "type": "x", "id": "0"})["duplicate"]
    assert ask(relay, {"op": "state"}) == before
    fault.fail(0)
    assert ask(relay, command)["seq"] == before["seq"] + 1
    relay.kill()
    again = start("--durability", "power")
    state = ask(again, {"op": "state"})
    assert {k for k in state["state"] if k.startswith("k")} == {"k0", "k1"} and state["epoch"] == before["epoch"]


def test_a_repeated_command_is_not_refused_because_the_disk_is_full(start, disk):
    relay = start(launcher=disk.launcher)
    publish(relay, *range(20))
    disk.fill()
    dealer = ControlPeer(relay.ready["control"][0], zmq.DEALER)
    big = "x" * 60_000
    refused = 0
    for n in range(60):
        dealer.send({"op": "broadcast", "type": "x", "data": big, "set": {"big": big}, "id": f"new{n}"})
        dealer.send({"op": "broadcast", "type": "x", "data": n % 20, "id": f"{n % 20}"})
    for n in range(60):
        refused += not dealer.receive()["ok"]
        again = dealer.receive()
        assert again.get("duplicate") and again["seq"] == n % 20 + 1, again
    assert refused
    dealer.close()
    disk.free()


async def test_a_start_on_a_full_disk_serves_what_is_there(start, connect, disk):
    relay = start(launcher=disk.launcher)
    publish(relay, 1, 2)
    before = ask(relay, {"op": "state"})
    relay.kill()
    disk.fill()
    again = start(launcher=disk.launcher)
    client = await connect(again, epoch=before["epoch"], seq=1)
    assert client.first.type == "sync:resume"
    assert ask(again, {"op": "state"})["state"] == before["state"]
    big = "x" * 100_000
    answer = ask(again, {"op": "broadcast", "type": "x", "data": big, "set": {"k": big}})
    assert answer["error"]["code"] == "storage_full", answer
    disk.free()
    await until(lambda: ask(again, {"op": "broadcast", "type": "x", "data": big})["ok"], "there is room again")


def test_a_backup_on_a_full_disk_says_so_and_is_made_when_there_is_room(start, disk):
    relay = start(launcher=disk.launcher)
    for n in range(4):
        assert ask(relay, {"op": "set", "key": f"big{n}", "value": "x" * 60_000})["ok"]
    disk.fill()
    for _ in range(2):
        answer = ask(relay, {"op": "backup"})
        assert answer.get("error", {}).get("code") == "storage_full", answer
        assert "syncrelay.backup" in answer["error"]["message"]
        assert not list(disk.seen_from_here.glob("syncrelay.backup*"))
    disk.free()
    assert ask(relay, {"op": "backup"})["ok"]


def test_a_start_that_had_no_room_for_a_new_database_leaves_none_that_is_empty(start, disk):
    relay = start(launcher=disk.launcher)
    publish(relay, 1)
    relay.stop()
    (disk.seen_from_here / DATABASE).unlink()
    disk.fill()
    with pytest.raises(RelayExited, match="full"):
        start(launcher=disk.launcher)
    disk.free()
    assert ask(start(launcher=disk.launcher), {"op": "state"})["seq"] == 0


# A directory that is deleted.


RESTART = {DATABASE: "with an empty state", WAL: "without what it held"}


@pytest.mark.parametrize("name", RESTART)
async def test_nothing_is_confirmed_once_the_files_are_gone_until_they_are_back(start, connect, data_dir, runtime_dir, name):
    relay = start()
    publish(relay, 1)
    before = ask(relay, {"op": "state"})
    (data_dir / name).rename(runtime_dir / name)
    refused = ask(relay, {"op": "broadcast", "type": "x", "set": {"k2": 2}})
    assert refused["error"]["code"] == "storage_failed" and str(data_dir / name) in refused["error"]["message"]
    assert f"put it back where it was; a restart begins {RESTART[name]}" in refused["error"]["message"]
    shutil.copy(runtime_dir / name, data_dir / name)
    refused = ask(relay, {"op": "broadcast", "type": "x", "set": {"k2": 2}})
    assert refused["error"]["code"] == "storage_failed" and "with what lies there now" in refused["error"]["message"]
    client = await connect(relay)
    assert client.first.data == before["state"]
    (runtime_dir / name).rename(data_dir / name)
    publish(relay, 3)
    relay.kill()
    again = start()
    assert "k3" in ask(again, {"op": "state"})["state"] and LOST not in again.log_of_start()


async def test_a_deleted_directory_confirms_nothing_and_the_next_start_begins_anew(start, data_dir):
    relay = start()
    publish(relay, 1)
    before = ask(relay, {"op": "state"})
    shutil.rmtree(data_dir)
    for _ in range(2):
        assert ask(relay, {"op": "broadcast", "type": "x"})["error"]["code"] == "storage_failed"
    await asyncio.to_thread(relay.stop)
    again = start()
    after = ask(again, {"op": "state"})
    assert after["epoch"] != before["epoch"] and after["seq"] == 0
