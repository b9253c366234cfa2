"""A database that an earlier version of its format left behind is taken over whole, or left as it is."""

import dataclasses
import json
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

DATA = pathlib.Path(__file__).parent / "data"
CRASH_BINARY = os.environ.get("SYNCRELAY_CRASH_BINARY")
PRESENT = 4


@dataclasses.dataclass(frozen=True)
class Version:
    """What a relay of this format left when it ended in order, what is in it, and what damages it how."""

    format: int
    epoch: str
    seq: int
    commits: int
    state: dict
    ids: dict  # and the position of each
    damages: dict  # by name; a statement, and what the relay says then
    channels: dict = dataclasses.field(default_factory=dict)  # state and position of the others

    @property
    def script(self):
        return (DATA / f"version{self.format}.sql").read_text()

    def make(self, directory):
        """Returns its path."""
        directory.mkdir(mode=0o700)
        path = directory / DATABASE
        database = sqlite3.connect(path)
        database.executescript("PRAGMA journal_mode = WAL;" + self.script)
        database.close()
        (directory / MARK).touch()
        self.write_note(directory)
        return path

    def write_note(self, directory):
        """What the last run says of itself."""
        mark = (directory / MARK).stat()
        content = struct.pack("=8s48s48sQQQQQII", b"syncnot1", self.epoch.encode(), b"a boot", self.commits, self.seq,
                              (directory / DATABASE).stat().st_ino, mark.st_ino, mark.st_ctime_ns, False, False)
        (directory / NOTE).write_bytes(content + struct.pack("=Q", crc64(content)))

    def check_contents(self, relay):
        """Returns its answer about the state."""
        after = ask(relay, {"op": "state"})
        assert after["state"] == self.state and after["seq"] == self.seq
        for name, (state, seq) in self.channels.items():
            channel = ask(relay, {"op": "state", "channel": name})
            assert channel["state"] == state and channel["seq"] == seq
            assert all(version > after["versions"]["radio"] for version in channel["versions"].values())
            assert ask(relay, {"op": "members", "channel": name})["members"] == {}
        assert ask(relay, {"op": "receive"})["events"] == []
        for name, seq in self.ids.items():
            answer = ask(relay, {"op": "set", "key": "k", "value": 0, "id": name})
            assert answer["duplicate"] and answer["seq"] == seq
        return after

    def stored_messages(self):
        """The texts of the default channel's events, in the frames that were stored."""
        database = sqlite3.connect(":memory:")
        database.executescript(self.script)
        wire = b"".join(row[0] for row in database.execute("SELECT wire FROM events ORDER BY first"))
        database.close()
        texts = []
        while wire:
            size, at = (wire[1], 2) if wire[1] < 126 else (int.from_bytes(wire[2:4], "big"), 4)
            texts.append(wire[at:at + size].decode())
            wire = wire[at + size:]
        return [text for text in texts if "channel" not in json.loads(text)]

    async def check_goes_on(self, relay, connect):
        """Epoch, contents and window are what they were, to the byte."""
        assert LOST not in relay.log_of_start()
        assert self.check_contents(relay)["epoch"] == self.epoch
        client = await connect(relay, epoch=self.epoch, seq=0)
        assert client.first.type == "sync:resume"
        await client.read_to_seq(self.seq)
        assert [m.text for m in client.events()] == self.stored_messages()


VERSIONS = [
    Version(
        2, "49271674f1f1f80d", 9, 9,
        state={
            "comparison": None, "radio": {"n": 1.5}, "silent": [1, 2], "é🎈": {"n": 1.5, "t": "é🎈\x7f\0"},
            'odd " \\ \0 \x7f é 🎈': '\0\1 " \\ é 🎈\u2028',
        },
        ids={"a": 1, "b": 1, "c": 2, "d": 3, "e": 4, "burst0": 5, "burst1": 6, "burst2": 7, "raw": 8, "f": 9},
        damages={
            "state": ("UPDATE state SET value = CAST('7' AS BLOB) WHERE key = CAST('radio' AS BLOB)",
                      'key "radio" (table state)'),
            "a key less": ("DELETE FROM state WHERE key = CAST('radio' AS BLOB)", "table state has not the rows"),
            "events": ("UPDATE events SET wire = substr(wire, 2) WHERE first = 2", "events 2 to 2 (table events)"),
            "ids": ("UPDATE ids SET records = substr(records, 2) WHERE batch = 3", "the ids of batch 3 (table ids)"),
            "ids less": ("DELETE FROM ids WHERE batch = 3", "table ids has not the rows"),
            "position": ("UPDATE position SET seq = seq + 1", "table position"),
        },
    ),
    Version(  # had channels, and no members
        3, "c5bfe139e44badba", 4, 8,
        state={"comparison": None, "radio": {"n": 1.5}, 'odd " \\ \0 é 🎈': '\0 " é 🎈\u2028', "silent": [1, 2]},
        ids={"a": 1, "b": 2, "c": 2, "e": 4},
        channels={"room:1": ({"lock": 1}, 2), "old": ({}, 2)},
        damages={
            "state": ("UPDATE state SET version = version + 1 WHERE key = CAST('lock' AS BLOB)",
                      'key "lock" of channel "room:1" (table state)'),
            "a key less": ("DELETE FROM state WHERE key = CAST('radio' AS BLOB)", "table state has not the rows"),
            "channels": ("UPDATE channels SET last = 3 WHERE name = CAST('room:1' AS BLOB)",
                         'channel "room:1" (table channels)'),
            "a channel less": ("DELETE FROM channels WHERE name = CAST('room:2' AS BLOB)", "table channels has not the rows"),
            "tombstones": ("UPDATE tombstones SET last = 7", "(table tombstones)"),
            "a tombstone less": ("DELETE FROM tombstones", "table tombstones has not the rows"),
            "events": ("UPDATE events SET runs = x'00' WHERE first = 4", "events 4 to 6 (table events)"),
            "ids": ("UPDATE ids SET records = substr(records, 2) WHERE batch = 3", "the ids of batch 3 (table ids)"),
            "position": ("UPDATE position SET version = version + 1", "table position"),
        },
    ),
]
VERSION_2 = VERSIONS[0]
RAW = '{ "n" : 1.50, "t":"é🎈\x7f\\u0000" }'.encode()  # of the key é🎈 in version 2
DAMAGES = [pytest.param(version, damage, id=f"{version.format}: {damage}") for version in VERSIONS for damage in version.damages]

each_version = pytest.mark.parametrize("version", VERSIONS, ids=lambda version: str(version.format))


@pytest.fixture
def start(start_relay, data_dir):
    return lambda *arguments, **how: start_relay("--data", data_dir, *arguments, **how)


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
    assert ("channels" in tables) == (found >= 3) and ("members" in tables) == ("inbox" in tables) == (found == PRESENT)
    assert not any(name.startswith("old") for name in tables)
    return found


@each_version
async def test_nothing_is_lost_of_a_database_of_an_earlier_version(start, connect, data_dir, version):
    path = version.make(data_dir)
    relay = start()
    await version.check_goes_on(relay, connect)
    publish(relay, "new")
    assert ask(relay, {"op": "state"})["seq"] == version.seq + 1
    relay.kill()
    again = start()
    assert ask(again, {"op": "state"})["state"] == {**version.state, "knew": "new"} and LOST not in again.log_of_start()
    client = await connect(again, epoch=version.epoch, seq=2)
    assert client.first.type == "sync:resume"
    await client.read_to_seq(version.seq + 1)
    assert [m.text for m in client.events()][:-1] == version.stored_messages()[2:]
    again.stop()
    assert format_of(path) == PRESENT


def test_values_of_version_2_stay_as_they_were_to_the_byte(start, data_dir):
    path = VERSION_2.make(data_dir)
    start().stop()
    database = sqlite3.connect(path)
    assert RAW in {value for (value,) in database.execute("SELECT value FROM state")}
    database.close()


@each_version
@pytest.mark.parametrize("point", ["before_migration", "after_migration"])
async def test_a_kill_in_the_middle_leaves_the_old_or_the_new(monkeypatch, start, connect, data_dir, version, point):
    if not CRASH_BINARY:
        pytest.skip("$SYNCRELAY_CRASH_BINARY names no relay built with -Dcrash_points=true")
    path = version.make(data_dir)
    monkeypatch.setenv("SYNCRELAY_BINARY", CRASH_BINARY)
    with pytest.raises(RelayExited, match=f"exit code {-signal.SIGKILL}"):
        start(env={"SYNCRELAY_CRASH_AT": f"{point}:1"})
    assert format_of(path) == (version.format if point == "before_migration" else PRESENT)
    await version.check_goes_on(start(), connect)


@pytest.mark.parametrize(("version", "damage"), DAMAGES)
def test_a_damaged_database_is_named_left_and_not_backed_up(data_dir, runtime_dir, version, damage):
    path = version.make(data_dir)
    statement, named = version.damages[damage]
    change(path, statement)
    before = path.read_bytes()
    result = run_relay("--port", "0", "--data", data_dir, runtime_dir=runtime_dir / "other")
    said = result.stderr.replace('\\"', '"')
    assert result.returncode == 1 and named in said and HOW_TO_GO_ON in said and str(path) in said
    result = run_relay("backup", runtime_dir / "file", "--data", data_dir, runtime_dir=runtime_dir, seconds=30)
    assert result.returncode == 1 and named in result.stderr.replace('\\"', '"')
    assert path.read_bytes() == before and not (runtime_dir / "file").exists()


@each_version
def test_a_database_is_backed_up_as_it_is_and_restored_under_a_new_epoch(start, data_dir, runtime_dir, version):
    path = version.make(data_dir)
    before = path.read_bytes()
    file = runtime_dir / "file"
    assert run_relay("backup", file, "--data", data_dir, runtime_dir=runtime_dir, seconds=30).returncode == 0
    assert path.read_bytes() == before
    shutil.rmtree(data_dir)
    data_dir.mkdir(mode=0o700)
    shutil.copy(file, path)
    assert format_of(path) == version.format
    relay = start()
    assert "the database comes from a backup" in relay.logged(LOST)
    settled = version.check_contents(relay)
    assert settled["epoch"] != version.epoch
    relay.kill()
    again = start()
    assert ask(again, {"op": "state"})["epoch"] == settled["epoch"] and LOST not in again.log_of_start()


def test_a_database_of_version_2_that_was_set_back_is_taken_over_under_a_new_epoch(start, data_dir):
    path = VERSION_2.make(data_dir)
    change(path, "PRAGMA user_version = 1")
    VERSION_2.write_note(data_dir)
    relay = start()
    assert "0.1.0" in relay.logged(LOST)
    assert VERSION_2.check_contents(relay)["epoch"] != VERSION_2.epoch
    relay.stop()
    assert format_of(path) == PRESENT
    assert LOST not in start().log_of_start()


@each_version
async def test_without_room_the_old_format_stays_until_there_is_some(start, connect, runtime_dir, disk, version):
    directory = disk.seen_from_here  # SQLite would take that for a path of its own
    made = version.make(runtime_dir / "made")
    shutil.copy(made, directory)
    (directory / MARK).touch()
    version.write_note(directory)
    disk.fill()
    with pytest.raises(RelayExited, match=f"cannot bring it from format {version.format} to {PRESENT}, and left it as it is"):
        start(launcher=disk.launcher)
    disk.free()
    await version.check_goes_on(start(launcher=disk.launcher), connect)
