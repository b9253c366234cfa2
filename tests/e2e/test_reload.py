"""What SIGHUP has read again, as docs/protocol.md lists it, and what it has not; and logs for systemd's journal."""

import os
import pathlib
import re
import signal

import pytest

from deadline import wait_until
from relay_process import REPOSITORY

HERE = pathlib.Path(__file__).resolve().parent

# Each row of the table, and the test that its words are true.
ROWS = {
    "`--token-key`, `--token-jwks`": "test_a_bad_file_is_told_and_the_keys_before_stay",
    "`--tls-cert` with `--tls-key`": "test_a_newer_pair_is_for_those_who_come_and_nobody_is_dropped",
    "`--admin-token`": "test_the_token_is_read_again_when_its_file_changes",
    "`--curve-clients`": "test_a_key_that_is_taken_out_ends_its_connections",
    "everything else (`--config`, options, `--curve-key`)": "test_what_is_not_listed_stays_as_it_was",
}


def table():
    text = (REPOSITORY / "docs" / "protocol.md").read_text()
    begin = text.index("| what | from then on |")
    rows = text[begin:].split("\n- ", 1)[0].splitlines()[2:]
    return [row.strip().strip("|").split("|")[0].strip() for row in rows]


def test_each_row_of_the_table_has_a_test():
    assert table() == list(ROWS)
    tests = "".join(file.read_text() for file in HERE.glob("test_*.py"))
    for name in ROWS.values():
        assert re.search(rf"^(async )?def {name}\(", tests, re.MULTILINE), name


async def test_what_is_not_listed_stays_as_it_was(start_relay, connect, tmp_path):
    config = tmp_path / "relay.toml"
    config.write_text("max-clients = 1\n")
    relay = start_relay("--config", config)
    here = await connect(relay)
    config.write_text("max-clients = 2\n")
    relay.signal(signal.SIGHUP)
    for _ in range(3):  # it lives, and goes on as before
        assert relay.health()["clients"] == 1
    with pytest.raises(Exception, match="503"):
        await connect(relay)
    assert here.connection.open


def log_lines(start_relay, tmp_path, journal, *options):
    """What the relay leaves on a standard error that JOURNAL_STREAM names, or does not."""
    file = tmp_path / "stderr"
    with file.open("wb") as stream:
        status = os.fstat(stream.fileno())
        name = f"{status.st_dev}:{status.st_ino if journal else status.st_ino + 1}"
        relay = start_relay(*options, log_to=stream.fileno(), env={"JOURNAL_STREAM": name})
    wait_until(lambda: "ready" in file.read_text(), "it says so")
    assert relay.stop() == 0
    return file.read_text().splitlines()


def test_lines_for_the_journal_have_their_priority_and_no_time(start_relay, tmp_path):
    lines = log_lines(start_relay, tmp_path, True)
    assert lines and all(re.match(r"<[3467]>[^\d\s]", line) for line in lines), lines


@pytest.mark.parametrize("journal,options,form", [
    (False, (), r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} (info|warning) "),
    (True, ("--log-format", "text"), r"\d{4}-\d\d-\d\d "),
    (True, ("--log-format", "json"), r'\{"ts":'),
    (False, ("--log-format", "journal"), r"<[46]>"),
], ids=["elsewhere", "text", "json", "by force"])
def test_the_form_of_lines_is_what_was_asked_for(start_relay, tmp_path, journal, options, form):
    lines = log_lines(start_relay, tmp_path, journal, *options)
    assert lines and all(re.match(form, line) for line in lines), lines
