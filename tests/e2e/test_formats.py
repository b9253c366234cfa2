"""A database that an earlier version of its format left behind is taken over whole, or left as it is."""

import os
import pathlib
import shutil
import signal
import sqlite3
import struct

import pytest

from relay_process import RelayExited, run_relay
from test_continuity import DATABASE, LOST, MARK, NOTE, ask, crc64, publish
from test_storage_faults import HOW_TO_GO_ON

VERSION_2 = pathlib.Path(__file__).parent / "data" / "version2.sql"
VERSION_3 = pathlib.Path(__file__).parent / "data" / "version3.sql"
CRASH_BINARY = os.environ.get("SYNCRELAY_CRASH_BINARY")
EPOCH, SEQ, COMMITS = "49271674f1f1f80d", 9, 9
STATE = {
    "comparison": None, "radio": {"n": 1.5}, "silent": [1, 2], "é🎈": {"n": 1.5, "t": "é🎈\x7f\0"},
    'odd " \\ \0 \x7f é 🎈': '\0\1 " \\ é 🎈\u2028',
}
RAW = '{ "n" : 1.50, "t":"é🎈\x7f\\u0000" }'.encode()  # of the key é🎈
IDS = {"a": 1, "b": 1, "c": 2, "d": 3, "e": 4, "burst0": 5, "burst1": 6, "burst2": 7, "raw": 8, "f": 9}


@pytest.fixture
def start(start_relay, data_dir):
    return lambda *arguments, **how: start_relay("--data", data_dir, *arguments, **how)


def write_note(data_dir, epoch=EPOCH, commits=COMMITS, seq=SEQ):
    """What a run of that version says of itself that ended in order."""
    mark = (data_dir / MARK).stat()
    content = struct.pack("=8s48s48sQQQQQII", b"syncnot1", epoch.encode(), b"a boot", commits, seq,
                          (data_dir / DATABASE).stat().st_ino, mark.st_ino, mark.st_ctime_ns, False, False)
    (data_dir / NOTE).write_bytes(content + struct.pack("=Q", crc64(content)))


def make_version_2(data_dir):
    data_dir.mkdir(mode=0o700)
    database = sqlite3.connect(data_dir / DATABASE)
    database.executescript("PRAGMA journal_mode = WAL;" + VERSION_2.read_text())
    database.close()
    (data_dir / MARK).touch()
    write_note(data_dir)


@pytest.fixture
def version_2(data_dir):
    make_version_2(data_dir)
    return data_dir / DATABASE


def change(path, statement):
    with sqlite3.connect(path) as database:
        database.execute(statement)
    database.close()


def format_of(path):
    """By a look that leaves no trace, also after a kill."""
    seen = path.parent.with_name("seen")
    shutil.copytree(path.parent, seen)
    with sqlite3.connect(seen / DATABASE) as database:
        found = database.execute("PRAGMA user_version").fetchone()[0]
        tables = {name for (name,) in database.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}
    database.close()
    shutil.rmtree(seen)
    assert ("channels" in tables) == (found >= 3) and ("members" in tables) == ("inbox" in tables) == (found == 4)
    assert not any(name.startswith("old") for name in tables)
    return found


def check_contents(relay):
    after = ask(relay, {"op": "state"})
    assert after["state"] == STATE and after["seq"] == SEQ
    for name, seq in IDS.items():
        answer = ask(relay, {"op": "set", "key": "k", "value": 0, "id": name})
        assert answer["duplicate"] and answer["seq"] == seq
    return after


def stored_messages():
    """The texts of the events, as version 2 stored their frames."""
    database = sqlite3.connect(":memory:")
    database.executescript(VERSION_2.read_text())
    wire = b"".join(row[0] for row in database.execute("SELECT wire FROM events ORDER BY first"))
    database.close()
    texts = []
    while wire:
        size, at = (wire[1], 2) if wire[1] < 126 else (int.from_bytes(wire[2:4], "big"), 4)
        texts.append(wire[at:at + size].decode())
        wire = wire[at + size:]
    return texts


async def check_goes_on(relay, connect):
    """Epoch, contents and window are those of version 2, to the byte."""
    assert LOST not in relay.log_of_start()
    assert check_contents(relay)["epoch"] == EPOCH
    client = await connect(relay, epoch=EPOCH, seq=0)
    assert client.first.type == "sync:resume"
    await client.read_to_seq(SEQ)
    assert [m.text for m in client.events()] == stored_messages()


async def test_nothing_is_lost_of_a_database_of_version_2(start, connect, data_dir, version_2):
    relay = start()
    await check_goes_on(relay, connect)
    publish(relay, "new")
    assert ask(relay, {"op": "state"})["seq"] == SEQ + 1
    relay.kill()
    again = start()
    assert ask(again, {"op": "state"})["state"] == {**STATE, "knew": "new"} and LOST not in again.log_of_start()
    client = await connect(again, epoch=EPOCH, seq=4)
    assert client.first.type == "sync:resume"
    await client.read_to_seq(SEQ + 1)
    assert [m.text for m in client.events()][:-1] == stored_messages()[4:]
    again.stop()
    database = sqlite3.connect(version_2)
    assert RAW in {value for (value,) in database.execute("SELECT value FROM state")}
    database.close()


@pytest.mark.parametrize(("point", "left"), [("before_migration", 2), ("after_migration", 4)])
async def test_a_kill_in_the_middle_leaves_the_old_or_the_new(monkeypatch, start, connect, version_2, point, left):
    if not CRASH_BINARY:
        pytest.skip("$SYNCRELAY_CRASH_BINARY names no relay built with -Dcrash_points=true")
    monkeypatch.setenv("SYNCRELAY_BINARY", CRASH_BINARY)
    with pytest.raises(RelayExited, match=f"exit code {-signal.SIGKILL}"):
        start(env={"SYNCRELAY_CRASH_AT": f"{point}:1"})
    assert format_of(version_2) == left
    await check_goes_on(start(), connect)


DAMAGES = {
    "state": ("UPDATE state SET value = CAST('7' AS BLOB) WHERE key = CAST('radio' AS BLOB)", 'key "radio" (table state)'),
    "a key less": ("DELETE FROM state WHERE key = CAST('radio' AS BLOB)", "table state has not the rows"),
    "events": ("UPDATE events SET wire = substr(wire, 2) WHERE first = 2", "events 2 to 2 (table events)"),
    "ids": ("UPDATE ids SET records = substr(records, 2) WHERE batch = 3", "the ids of batch 3 (table ids)"),
    "ids less": ("DELETE FROM ids WHERE batch = 3", "table ids has not the rows"),
    "position": ("UPDATE position SET seq = seq + 1", "table position"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_database_of_version_2_is_named_left_and_not_backed_up(data_dir, runtime_dir, version_2, damage):
    statement, named = DAMAGES[damage]
    change(version_2, statement)
    before = version_2.read_bytes()
    result = run_relay("--port", "0", "--data", data_dir, runtime_dir=runtime_dir / "other")
    said = result.stderr.replace('\\"', '"')
    assert result.returncode == 1 and named in said and HOW_TO_GO_ON in said and str(version_2) in said
    result = run_relay("backup", runtime_dir / "file", "--data", data_dir, runtime_dir=runtime_dir, seconds=30)
    assert result.returncode == 1 and named in result.stderr.replace('\\"', '"')
    assert version_2.read_bytes() == before and not (runtime_dir / "file").exists()


def test_a_database_of_version_2_is_backed_up_as_it_is_and_restored_under_a_new_epoch(start, data_dir, runtime_dir, version_2):
    before = version_2.read_bytes()
    file = runtime_dir / "file"
    assert run_relay("backup", file, "--data", data_dir, runtime_dir=runtime_dir, seconds=30).returncode == 0
    assert version_2.read_bytes() == before
    shutil.rmtree(data_dir)
    data_dir.mkdir(mode=0o700)
    shutil.copy(file, version_2)
    assert format_of(version_2) == 2
    relay = start()
    assert "the database comes from a backup" in relay.logged(LOST)
    settled = check_contents(relay)
    assert settled["epoch"] != EPOCH
    relay.kill()
    again = start()
    assert ask(again, {"op": "state"})["epoch"] == settled["epoch"] and LOST not in again.log_of_start()


def test_a_database_of_version_2_that_was_set_back_is_taken_over_under_a_new_epoch(start, version_2):
    change(version_2, "PRAGMA user_version = 1")
    write_note(version_2.parent)
    relay = start()
    assert "0.1.0" in relay.logged(LOST)
    assert check_contents(relay)["epoch"] != EPOCH
    relay.stop()
    assert format_of(version_2) == 4
    assert LOST not in start().log_of_start()


async def test_without_room_the_old_format_stays_until_there_is_some(start, connect, runtime_dir, disk):
    directory = disk.seen_from_here  # SQLite would take that for a path of its own
    make_version_2(runtime_dir / "made")
    shutil.copy(runtime_dir / "made" / DATABASE, directory)
    (directory / MARK).touch()
    write_note(directory)
    disk.fill()
    with pytest.raises(RelayExited, match="cannot bring it from format 2 to 4, and left it as it is"):
        start(launcher=disk.launcher)
    disk.free()
    await check_goes_on(start(launcher=disk.launcher), connect)


# Version 3 had channels, and no members.

EPOCH_3, SEQ_3, COMMITS_3 = "c5bfe139e44badba", 4, 8
STATE_3 = {"comparison": None, "radio": {"n": 1.5}, 'odd " \\ \0 é 🎈': '\0 " é 🎈\u2028', "silent": [1, 2]}
IDS_3 = {"a": 1, "b": 2, "c": 2, "e": 4}


@pytest.fixture
def version_3(data_dir):
    data_dir.mkdir(mode=0o700)
    database = sqlite3.connect(data_dir / DATABASE)
    database.executescript("PRAGMA journal_mode = WAL;" + VERSION_3.read_text())
    database.close()
    (data_dir / MARK).touch()
    write_note(data_dir, EPOCH_3, COMMITS_3, SEQ_3)
    return data_dir / DATABASE


def check_contents_3(relay):
    after = ask(relay, {"op": "state"})
    assert after["state"] == STATE_3 and after["seq"] == SEQ_3
    room = ask(relay, {"op": "state", "channel": "room:1"})
    assert room["state"] == {"lock": 1} and room["seq"] == 2 and room["versions"]["lock"] > after["versions"]["radio"]
    assert ask(relay, {"op": "state", "channel": "old"})["seq"] == 2
    assert ask(relay, {"op": "members", "channel": "room:1"})["members"] == {}
    assert ask(relay, {"op": "receive"})["events"] == []
    for name, seq in IDS_3.items():
        answer = ask(relay, {"op": "set", "key": "k", "value": 0, "id": name})
        assert answer["duplicate"] and answer["seq"] == seq
    return after


async def test_nothing_is_lost_of_a_database_of_version_3(start, connect, version_3):
    relay = start()
    assert LOST not in relay.log_of_start() and check_contents_3(relay)["epoch"] == EPOCH_3
    client = await connect(relay, epoch=EPOCH_3, seq=0)
    assert client.first.type == "sync:resume"
    await client.read_to_seq(SEQ_3)
    assert [m.type for m in client.events()] == ["radio:started", "sync:set", "said", "last"]
    publish(relay, "new")
    relay.kill()
    again = start()
    assert ask(again, {"op": "state"})["state"] == {**STATE_3, "knew": "new"} and LOST not in again.log_of_start()
    again.stop()
    assert format_of(version_3) == 4


@pytest.mark.parametrize(("point", "left"), [("before_migration", 3), ("after_migration", 4)])
def test_a_kill_in_the_middle_leaves_version_3_or_what_came_of_it(monkeypatch, start, version_3, point, left):
    if not CRASH_BINARY:
        pytest.skip("$SYNCRELAY_CRASH_BINARY names no relay built with -Dcrash_points=true")
    monkeypatch.setenv("SYNCRELAY_BINARY", CRASH_BINARY)
    with pytest.raises(RelayExited, match=f"exit code {-signal.SIGKILL}"):
        start(env={"SYNCRELAY_CRASH_AT": f"{point}:1"})
    assert format_of(version_3) == left
    assert check_contents_3(start())["epoch"] == EPOCH_3


DAMAGES_3 = {
    "state": ("UPDATE state SET version = version + 1 WHERE key = CAST('lock' AS BLOB)",
              'key "lock" of channel "room:1" (table state)'),
    "a key less": ("DELETE FROM state WHERE key = CAST('radio' AS BLOB)", "table state has not the rows"),
    "channels": ("UPDATE channels SET last = 3 WHERE name = CAST('room:1' AS BLOB)", 'channel "room:1" (table channels)'),
    "a channel less": ("DELETE FROM channels WHERE name = CAST('room:2' AS BLOB)", "table channels has not the rows"),
    "tombstones": ("UPDATE tombstones SET last = 7", "(table tombstones)"),
    "a tombstone less": ("DELETE FROM tombstones", "table tombstones has not the rows"),
    "events": ("UPDATE events SET runs = x'00' WHERE first = 4", "events 4 to 6 (table events)"),
    "ids": ("UPDATE ids SET records = substr(records, 2) WHERE batch = 3", "the ids of batch 3 (table ids)"),
    "position": ("UPDATE position SET version = version + 1", "table position"),
}


@pytest.mark.parametrize("damage", DAMAGES_3)
def test_a_damaged_database_of_version_3_is_named_left_and_not_backed_up(data_dir, runtime_dir, version_3, damage):
    statement, named = DAMAGES_3[damage]
    change(version_3, statement)
    before = version_3.read_bytes()
    result = run_relay("--port", "0", "--data", data_dir, runtime_dir=runtime_dir / "other")
    said = result.stderr.replace('\\"', '"')
    assert result.returncode == 1 and named in said and HOW_TO_GO_ON in said and str(version_3) in said
    result = run_relay("backup", runtime_dir / "file", "--data", data_dir, runtime_dir=runtime_dir, seconds=30)
    assert result.returncode == 1 and named in result.stderr.replace('\\"', '"')
    assert version_3.read_bytes() == before and not (runtime_dir / "file").exists()


def test_a_database_of_version_3_is_backed_up_as_it_is_and_restored_under_a_new_epoch(start, data_dir, runtime_dir, version_3):
    before = version_3.read_bytes()
    file = runtime_dir / "file"
    assert run_relay("backup", file, "--data", data_dir, runtime_dir=runtime_dir, seconds=30).returncode == 0
    assert version_3.read_bytes() == before
    shutil.rmtree(data_dir)
    data_dir.mkdir(mode=0o700)
    shutil.copy(file, version_3)
    assert format_of(version_3) == 3
    relay = start()
    assert "the database comes from a backup" in relay.logged(LOST)
    assert check_contents_3(relay)["epoch"] != EPOCH_3
