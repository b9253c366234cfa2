"""A position never gets a second meaning: where something confirmed may be missing, the epoch is a new one."""

import os
import shutil
import struct

import pytest

from control_peer import ControlPeer

DATABASE, WAL, NOTE, MARK = "syncrelay.db", "syncrelay.db-wal", "syncrelay.note", "syncrelay.mark"
LOST = "something stored may be missing"
BOOT_AT, BOOT_BYTES, SUM_AT = 56, 48, 152  # in the note


@pytest.fixture
def start(start_relay, data_dir):
    return lambda *arguments, **how: start_relay("--data", data_dir, *arguments, **how)


def ask(relay, command):
    peer = ControlPeer(relay.ready["control"][0])
    try:
        return peer.ask(command)
    finally:
        peer.close()


def publish(relay, *numbers):
    """Confirmed one by one, each with a key of its own and an id."""
    peer = ControlPeer(relay.ready["control"][0])
    for n in numbers:
        peer.confirm({"op": "broadcast", "type": "x", "data": n, "set": {f"k{n}": n}, "id": f"{n}"})
    peer.close()


async def check_new_epoch(relay, connect, before, numbers, why):
    """State and ids are those of `numbers`; who comes with the old position gets a snapshot; the log says why."""
    after = ask(relay, {"op": "state"})
    assert after["epoch"] != before["epoch"]
    assert {k: v for k, v in after["state"].items() if k.startswith("k")} == {f"k{n}": n for n in numbers}
    client = await connect(relay, epoch=before["epoch"], seq=before["seq"])
    assert client.first.type == "sync:full" and client.first.data == after["state"]
    assert all(ask(relay, {"op": "set", "key": "k", "value": 0, "id": f"{n}"}).get("duplicate") for n in numbers)
    line = relay.logged(LOST)
    assert why in line, line


async def check_goes_on(relay, connect, before):
    assert LOST not in relay.log_of_start()
    client = await connect(relay, epoch=before["epoch"], seq=0)
    assert client.first.type == "sync:resume"
    await client.read_to_seq(before["seq"])
    assert ask(relay, {"op": "state"}) == {**before, "clients": 1}


def crc64(content):
    """CRC-64/XZ."""
    value = ~0 & (1 << 64) - 1
    for byte in content:
        value ^= byte
        for _ in range(8):
            value = value >> 1 ^ (0xC96C5795D7870F42 if value & 1 else 0)
    return value ^ (1 << 64) - 1


def pretend_another_boot(data_dir):
    """What the next start finds is what it would find if the machine had started anew since."""
    content = bytearray((data_dir / NOTE).read_bytes())
    content[BOOT_AT:BOOT_AT + BOOT_BYTES] = b"another".ljust(BOOT_BYTES, b"\0")
    content[SUM_AT:SUM_AT + 8] = struct.pack("=Q", crc64(content[:SUM_AT]))
    with (data_dir / NOTE).open("r+b") as file:
        file.write(content)


# What goes on.


@pytest.mark.parametrize("durability", ["process", "power"])
@pytest.mark.parametrize("end", ["stop", "kill"])
async def test_on_the_same_boot_clients_resume_after_any_end(start, connect, end, durability):
    before = None
    for number in range(3):
        relay = start("--durability", durability)
        publish(relay, number)
        before = {**ask(relay, {"op": "state"}), **({"epoch": before["epoch"]} if before else {})}
        getattr(relay, end)()
    await check_goes_on(start("--durability", durability), connect, before)


@pytest.mark.parametrize(("durability", "end"), [("process", "stop"), ("power", "stop"), ("power", "kill")])
async def test_after_another_boot_clients_resume_when_nothing_can_be_missing(start, connect, data_dir, durability, end):
    relay = start("--durability", durability)
    publish(relay, 1, 2)
    before = ask(relay, {"op": "state"})
    getattr(relay, end)()
    pretend_another_boot(data_dir)
    await check_goes_on(start(), connect, before)


async def test_a_directory_that_was_only_moved_goes_on(start_relay, connect, runtime_dir):
    relay = start_relay("--data", runtime_dir / "data")
    publish(relay, 1, 2)
    before = ask(relay, {"op": "state"})
    relay.kill()
    (runtime_dir / "data").rename(runtime_dir / "moved")
    await check_goes_on(start_relay("--data", runtime_dir / "moved"), connect, before)


# What may be missing.


async def test_a_power_cut_with_durability_process_means_a_new_epoch(start, connect, data_dir):
    relay = start()
    publish(relay, 1, 2)
    before = ask(relay, {"op": "state"})
    relay.kill()
    pretend_another_boot(data_dir)
    again = start()
    await check_new_epoch(again, connect, before, [1, 2], "--durability process")
    settled = ask(again, {"op": "state"})
    again.kill()
    await check_goes_on(start(), connect, settled)


DAMAGES = {
    "cut off": lambda path: os.truncate(path, path.stat().st_size - 1),
    "cut in half": lambda path: os.truncate(path, path.stat().st_size // 2),
    "empty": lambda path: os.truncate(path, 0),
    "gone": lambda path: path.unlink(),
    "a bit flipped at the end": lambda path: flip(path, path.stat().st_size - 100),
    "a bit flipped in the middle": lambda path: flip(path, path.stat().st_size // 2),
    "a bit flipped in the header": lambda path: flip(path, 17),
}


def flip(path, offset, bit=3):
    with path.open("r+b") as file:
        file.seek(offset)
        byte = file.read(1)[0]
        file.seek(offset)
        file.write(bytes([byte ^ 1 << bit]))


@pytest.mark.parametrize("damage", DAMAGES)
async def test_a_log_that_lost_commits_means_a_new_epoch(start, connect, data_dir, damage):
    relay = start()
    publish(relay, *range(5))
    relay.stop()  # so that the database is more than its log
    relay = start()
    publish(relay, *range(5, 20))
    before = ask(relay, {"op": "state"})
    relay.kill()
    DAMAGES[damage](data_dir / WAL)
    again = start()
    left = ask(again, {"op": "state"})["seq"]
    assert 5 <= left < 20
    await check_new_epoch(again, connect, before, range(left), f"position 20 was confirmed, the database ends at {left}")


async def test_no_truncation_and_no_flipped_bit_of_the_log_goes_unnoticed(start_relay, data_dir, runtime_dir):
    relay = start_relay("--data", data_dir)
    publish(relay, *range(8))
    before = ask(relay, {"op": "state"})
    relay.kill()
    size = (data_dir / WAL).stat().st_size
    kept = runtime_dir / "kept"
    shutil.copytree(data_dir, kept)
    for number in range(24):
        offset = number * size // 24 + 5
        for name in (DATABASE, WAL, NOTE):  # in place, and the note goes with them
            with (data_dir / name).open("r+b") as file:
                file.truncate(0)
                file.write((kept / name).read_bytes())
        if number % 2:
            os.truncate(data_dir / WAL, offset)
        else:
            flip(data_dir / WAL, offset)
        relay = start_relay("--data", data_dir)
        after = ask(relay, {"op": "state"})
        assert after["epoch"] != before["epoch"] or after == before, number
        relay.kill()


def put_back(source, target):
    """Over the files that are there, with their old times: `cp -a`."""
    for path in source.iterdir():
        shutil.copy2(path, target / path.name)


def replace(source, target):
    shutil.rmtree(target)
    shutil.copytree(source, target)


@pytest.mark.parametrize("how", [put_back, replace])
@pytest.mark.parametrize("end", ["stop", "kill"])
async def test_an_older_copy_of_the_whole_directory_means_a_new_epoch(start, connect, data_dir, runtime_dir, end, how):
    relay = start()
    publish(relay, 1, 2)
    getattr(relay, end)()
    shutil.copytree(data_dir, runtime_dir / "copy")
    relay = start()
    publish(relay, 3, 4, 5)
    before = ask(relay, {"op": "state"})
    getattr(relay, end)()
    how(runtime_dir / "copy", data_dir)
    await check_new_epoch(start(), connect, before, [1, 2], "copy")


async def test_an_older_copy_of_the_database_alone_means_a_new_epoch(start, connect, data_dir, runtime_dir):
    relay = start()
    publish(relay, 1, 2)
    relay.stop()
    shutil.copy2(data_dir / DATABASE, runtime_dir / "copy")
    relay = start()
    publish(relay, 3, 4, 5)
    before = ask(relay, {"op": "state"})
    relay.stop()
    shutil.copy2(runtime_dir / "copy", data_dir / DATABASE)
    await check_new_epoch(start(), connect, before, [1, 2], "the last 3 commits are missing")


async def test_two_relays_that_go_on_from_one_directory_have_two_epochs(start_relay, data_dir, runtime_dir):
    relay = start_relay("--data", data_dir)
    publish(relay, 1)
    relay.stop()
    shutil.copytree(data_dir, runtime_dir / "copy")
    first = start_relay("--data", data_dir, runtime_dir=runtime_dir / "a")
    second = start_relay("--data", runtime_dir / "copy", runtime_dir=runtime_dir / "b")
    assert ask(first, {"op": "state"})["epoch"] != ask(second, {"op": "state"})["epoch"]


@pytest.mark.parametrize("name", [NOTE, MARK])
async def test_without_note_or_mark_there_is_no_proof(start, connect, data_dir, name):
    relay = start()
    publish(relay, 1)
    before = ask(relay, {"op": "state"})
    relay.stop()
    (data_dir / name).unlink()
    await check_new_epoch(start(), connect, before, [1], "")


def test_nobody_else_may_read_the_files(start, data_dir):
    old = os.umask(0)
    try:
        relay = start()
    finally:
        os.umask(old)
    publish(relay, 1)
    names = {path.name: path.stat().st_mode & 0o777 for path in data_dir.iterdir()}
    assert {DATABASE, WAL, NOTE, MARK, "relay.lock"} <= set(names)
    assert set(names.values()) == {0o600}, names
    relay.stop()
    (data_dir / DATABASE).chmod(0o644)
    start()
    assert (data_dir / DATABASE).stat().st_mode & 0o777 == 0o600
