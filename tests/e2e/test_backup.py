"""`syncrelay backup FILE`, with a relay and without; restoring is putting the file at DIR/syncrelay.db."""

import os
import shutil
import sqlite3
import threading

import pytest
import zmq

from control_peer import ControlPeer
from fake_relay import one_answer
from relay_process import run_relay
from test_continuity import DATABASE, WAL, ask, check_new_epoch, publish
from test_storage_faults import make_version_1, set_back


@pytest.fixture
def start(start_relay, data_dir):
    return lambda *arguments, **how: start_relay("--data", data_dir, *arguments, **how)


def backup(runtime_dir, file, *arguments):
    return run_relay("backup", file, *arguments, runtime_dir=runtime_dir, seconds=30)


def check_backup(result, file):
    assert result.returncode == 0, result
    assert file.stat().st_mode & 0o777 == 0o600
    assert sorted(path.name for path in file.parent.iterdir() if file.name in path.name) == [file.name]
    database = sqlite3.connect(f"file:{file}?mode=ro&immutable=1", uri=True)
    assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    database.close()


def restore(file, data_dir):
    shutil.rmtree(data_dir)
    data_dir.mkdir(mode=0o700)
    shutil.copy(file, data_dir / DATABASE)


@pytest.mark.parametrize("running", [True, False])
async def test_a_backup_is_restored_under_a_new_epoch(start_relay, connect, data_dir, runtime_dir, running):
    file = runtime_dir / "backup.db"
    relay = start_relay("--data", data_dir)
    publish(relay, 1, 2)
    if running:
        check_backup(backup(runtime_dir, file), file)
    else:
        relay.kill()
        check_backup(backup(runtime_dir, file, "--data", data_dir), file)
        relay = start_relay("--data", data_dir)
    publish(relay, 3)
    before = ask(relay, {"op": "state"})
    relay.stop()
    assert not (data_dir / "syncrelay.backup").exists()
    restore(file, data_dir)
    again = start_relay("--data", data_dir)
    await check_new_epoch(again, connect, before, [1, 2], "the database comes from a backup")
    settled = ask(again, {"op": "state"})
    publish(again, 4)
    again.kill()
    once_more = start_relay("--data", data_dir)
    assert ask(once_more, {"op": "state"})["epoch"] == settled["epoch"]


async def test_two_relays_from_one_backup_have_two_epochs(start_relay, data_dir, runtime_dir):
    file = runtime_dir / "backup.db"
    relay = start_relay("--data", data_dir)
    publish(relay, 1)
    assert backup(runtime_dir, file).returncode == 0
    epochs = {ask(relay, {"op": "state"})["epoch"]}
    for name in ("a", "b"):
        (runtime_dir / name).mkdir(mode=0o700)
        shutil.copy(file, runtime_dir / name / DATABASE)
        restored = start_relay("--data", runtime_dir / name, runtime_dir=runtime_dir / f"run-{name}")
        epochs.add(ask(restored, {"op": "state"})["epoch"])
    assert len(epochs) == 3


def test_a_backup_under_load_is_whole_and_holds_all_that_was_confirmed_before(start, data_dir, runtime_dir):
    relay, done, count = start(), threading.Event(), [0]
    for n in range(200):
        assert ask(relay, {"op": "set", "key": f"big{n}", "value": "x" * 20_000, "notify": False})["ok"]

    def load():
        peer = ControlPeer(relay.ready["control"][0])
        while not done.is_set():
            count[0] += 1
            peer.confirm({"op": "broadcast", "type": "x", "data": "y" * 3000, "set": {"n": count[0]}, "id": f"{count[0]}"})
        peer.close()

    worker = threading.Thread(target=load)
    worker.start()
    try:
        confirmed = []
        for number in range(3):
            confirmed.append(ask(relay, {"op": "state", "key": "n"})["state"].get("n", 0))
            assert backup(runtime_dir, runtime_dir / f"{number}.db").returncode == 0
    finally:
        done.set()
        worker.join()
    relay.stop()
    for number, at_least in enumerate(confirmed):
        shutil.rmtree(data_dir)
        data_dir.mkdir(mode=0o700)
        shutil.copy(runtime_dir / f"{number}.db", data_dir / DATABASE)
        relay = start()
        state = ask(relay, {"op": "state"})
        assert state["state"]["n"] >= at_least and state["seq"] == state["state"]["n"]
        assert len(state["state"]["big199"]) == 20_000
        relay.stop()


def test_requests_that_come_while_a_backup_is_under_way_are_answered_with_it(start):
    relay = start()
    for n in range(50):
        assert ask(relay, {"op": "set", "key": f"big{n}", "value": "x" * 50_000})["ok"]
    dealer = ControlPeer(relay.ready["control"][0], zmq.DEALER)
    for _ in range(5):
        dealer.send({"op": "backup"})
    dealer.send({"op": "state", "key": "none"})
    answers = [dealer.receive() for _ in range(6)]
    assert all(a["ok"] for a in answers) and sum("backup" in a for a in answers) == 5
    dealer.close()


def test_a_file_that_is_there_is_never_overwritten(start, runtime_dir):
    relay = start()
    publish(relay, 1)
    file = runtime_dir / "precious"
    file.write_text("precious")
    result = backup(runtime_dir, file)
    assert result.returncode == 1 and str(file) in result.stderr and file.read_text() == "precious"


def test_a_relay_without_data_has_nothing_to_back_up(start_relay, runtime_dir):
    start_relay()
    result = backup(runtime_dir, runtime_dir / "file")
    assert result.returncode == 1 and "no --data" in result.stderr and not (runtime_dir / "file").exists()


def test_a_damaged_database_makes_no_backup(start, data_dir, runtime_dir):
    relay = start()
    publish(relay, *range(20))
    relay.stop()
    with sqlite3.connect(data_dir / DATABASE) as database:
        database.execute("UPDATE state SET value = CAST('7' AS BLOB) WHERE key = CAST('k3' AS BLOB)")
    database.close()
    result = backup(runtime_dir, runtime_dir / "file", "--data", data_dir)
    assert result.returncode == 1 and "damaged" in result.stderr and not (runtime_dir / "file").exists()


def test_a_restored_backup_beside_the_log_of_another_database_is_refused(start, data_dir, runtime_dir):
    relay = start()
    publish(relay, 1)
    assert backup(runtime_dir, runtime_dir / "file").returncode == 0
    relay.kill()
    shutil.copy(runtime_dir / "file", data_dir / DATABASE)
    result = run_relay("--port", "0", "--data", data_dir, runtime_dir=runtime_dir / "other")
    assert result.returncode == 1 and str(data_dir / WAL) in result.stderr
    (data_dir / WAL).unlink()
    assert ask(start(), {"op": "state"})["seq"] == 1


def test_a_backup_of_a_directory_is_never_that_of_another_relay(start_relay, data_dir, runtime_dir):
    """`mine` answers in the runtime directory that is asked; `other` keeps the directory that is named."""
    mine = start_relay("--data", data_dir)
    other = start_relay("--data", runtime_dir / "other", runtime_dir=runtime_dir / "run-other")
    publish(mine, 1)
    publish(other, 2)
    file = runtime_dir / "file"
    refused = backup(runtime_dir, file, "--data", runtime_dir / "other")
    assert refused.returncode == 1 and not file.exists(), refused
    assert str(data_dir) in refused.stderr and f"not {runtime_dir / 'other'}" in refused.stderr, refused
    assert mine.ready["control"][0] in refused.stderr and "--runtime-dir" in refused.stderr, refused
    assert not (data_dir / "syncrelay.backup").exists()
    check_backup(backup(runtime_dir, file, "--data", runtime_dir / "other", "--runtime-dir", runtime_dir / "run-other"), file)
    database = sqlite3.connect(file)
    assert database.execute("SELECT key FROM state").fetchall() == [(b"k2",)]
    database.close()


def test_a_directory_that_the_relay_keeps_may_be_given_by_any_of_its_names(start_relay, data_dir, runtime_dir):
    publish(start_relay("--data", data_dir), 1)
    (runtime_dir / "link").symlink_to(data_dir)
    for number, arguments in enumerate([("--data", data_dir), ("--data", runtime_dir / "link"), ()]):
        result = run_relay("backup", runtime_dir / f"file{number}", *arguments, runtime_dir=runtime_dir,
                           env={"SYNCRELAY_DATA": str(data_dir)}, seconds=30)
        check_backup(result, runtime_dir / f"file{number}")


@pytest.mark.parametrize(("there", "why"), [(False, "No such file"), (True, "there is no database in")])
def test_a_directory_without_a_database_is_no_other_one(start, runtime_dir, there, why):
    publish(start(), 1)
    if there:
        (runtime_dir / "none").mkdir()
    result = backup(runtime_dir, runtime_dir / "file", "--data", runtime_dir / "none")
    assert result.returncode == 1 and why in result.stderr and str(runtime_dir / "none") in result.stderr, result
    assert not (runtime_dir / "file").exists() and not list(runtime_dir.glob("none/*"))


def test_without_a_relay_and_without_a_directory_the_message_says_what_to_give(runtime_dir):
    result = run_relay("backup", runtime_dir / "file", "--timeout", "1s", runtime_dir=runtime_dir)
    assert result.returncode == 1, result
    assert result.stderr.splitlines()[-1].endswith("without a running relay give --data DIR"), result


def test_a_relay_with_a_relative_directory_is_backed_up_from_anywhere(start_relay, runtime_dir):
    relay = start_relay("--data", "data", launcher=("env", f"--chdir={runtime_dir}"))
    publish(relay, 1)
    check_backup(backup(runtime_dir, runtime_dir / "file", "--data", runtime_dir / "data"), runtime_dir / "file")


def test_a_database_of_version_1_is_backed_up_as_it_is_and_restored_as_usual(start, data_dir, runtime_dir):
    make_version_1(data_dir)
    before = (data_dir / DATABASE).read_bytes()
    check_backup(backup(runtime_dir, runtime_dir / "file", "--data", data_dir), runtime_dir / "file")
    assert (data_dir / DATABASE).read_bytes() == before
    restore(runtime_dir / "file", data_dir)
    after = ask(start(), {"op": "state"})
    assert after["seq"] == 3 and after["state"] == {"comparison": None, "radio": {"n": 1.5}, "silent": [1, 2]}


def test_a_damaged_database_of_version_1_makes_no_backup(data_dir, runtime_dir):
    make_version_1(data_dir)
    with (data_dir / DATABASE).open("r+b") as file:
        file.seek(4096)  # the second page: the root of the first table
        file.write(b"\xff" * 64)
    result = backup(runtime_dir, runtime_dir / "file", "--data", data_dir)
    assert result.returncode == 1 and str(data_dir / DATABASE) in result.stderr, result
    assert not (runtime_dir / "file").exists()


async def test_a_database_that_was_set_back_is_backed_up_and_restored(start, connect, data_dir, runtime_dir):
    relay = start()
    publish(relay, 1, 2)
    before = ask(relay, {"op": "state"})
    relay.stop()
    set_back(data_dir)
    check_backup(backup(runtime_dir, runtime_dir / "file", "--data", data_dir), runtime_dir / "file")
    restore(runtime_dir / "file", data_dir)
    await check_new_epoch(start(), connect, before, [1, 2], "the database comes from a backup")


# What an answer names is taken only when it is a backup

def other_name(path, made):
    made.rename(path.with_name("id_rsa"))
    return path.with_name("id_rsa")


def other_content(path, made):
    made.write_text("precious" * 100)
    return path


def live_database(path, made):
    database = sqlite3.connect(made)
    database.execute("PRAGMA application_id = 0")
    database.close()
    return path


def link_to_it(path, made):
    path.symlink_to(made.rename(path.with_name("precious")))
    return path


def second_name(path, made):
    os.link(made, path.with_name("precious"))
    return path


def pipe(path, made):
    made.unlink()
    os.mkfifo(path)
    return path


def directory(path, made):
    made.unlink()
    path.mkdir()
    return path


def of_another_user(path, made):
    if os.geteuid() != 0:
        pytest.skip("only root can give files away")
    os.chown(made, 65_534, 65_534)
    return path


@pytest.mark.parametrize("keeps_other", [False, True], ids=["taken", "refused"])
@pytest.mark.parametrize("bait", [other_name, other_content, live_database, link_to_it, second_name, pipe, directory, of_another_user])
def test_a_file_that_is_no_backup_of_the_relay_stays_whatever_the_relay_answers(start, data_dir, runtime_dir, bait, keeps_other):
    relay = start()
    publish(relay, 1)
    assert ask(relay, {"op": "backup"})["ok"]
    relay.kill()
    (runtime_dir / "control.sock").unlink()
    victim = runtime_dir / "victim"
    victim.mkdir()
    made = (data_dir / "syncrelay.backup").rename(victim / "syncrelay.backup")
    named = bait(victim / "syncrelay.backup", made)
    before = sorted((path.name, path.lstat()[:6]) for path in victim.iterdir())
    arguments = ()
    if keeps_other:  # a directory whose lock is held, so that the relay is asked
        relay = start(runtime_dir=runtime_dir / "elsewhere")
        arguments = ("--data", data_dir)
    with one_answer(runtime_dir, {"ok": True, "backup": str(named)}):
        result = backup(runtime_dir, runtime_dir / "file", *arguments)
    assert result.returncode == 1 and f"cannot take the backup {named}" in result.stderr, result
    assert sorted((path.name, path.lstat()[:6]) for path in victim.iterdir()) == before
    assert not (runtime_dir / "file").exists() and not (runtime_dir / "file.part").exists()


def test_a_backup_that_finds_no_place_is_not_lost(start, data_dir, runtime_dir):
    publish(start(), 1)
    file, made = runtime_dir / "file", data_dir / "syncrelay.backup"
    file.symlink_to(runtime_dir / "nowhere")  # a name that is taken, though it leads to no file
    result = backup(runtime_dir, file)
    assert result.returncode == 1 and "File exists" in result.stderr and str(made) in result.stderr, result
    assert file.is_symlink() and not (runtime_dir / "file.part").exists()
    database = sqlite3.connect(f"file:{made}?mode=ro&immutable=1", uri=True)
    assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    database.close()
    file.unlink()
    check_backup(backup(runtime_dir, file), file)
    assert not made.exists()
