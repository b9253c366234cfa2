"""Standard output and standard error that nobody reads, that are read slowly, broken or closed."""

import contextlib
import fcntl
import json
import os
import signal
import subprocess

import pytest

from deadline import until, wait_until
from fan_out import stuck_client
from raw_client import RawClient, upgrade_request
from relay_process import binary, environment

PIPE_BYTES = 4096
DEBUG_LOG = ("--log-level", "debug", "--log-format", "json")
QUEUED_LINES = 8192
EXIT_SECONDS = 8.0
signals = pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "SIGINT"])


class SmallPipe:
    """A pipe with room for one page. The relay gets `write_end`."""

    def __init__(self):
        self.read_end, self.write_end = os.pipe()
        fcntl.fcntl(self.write_end, fcntl.F_SETPIPE_SZ, PIPE_BYTES)

    def fill(self):
        os.write(self.write_end, b"." * (PIPE_BYTES - 1) + b"\n")
        return self

    def read(self):
        return os.read(self.read_end, PIPE_BYTES).decode()

    def rest(self):
        """Up to the relay's end."""
        self.close_write_end()
        with os.fdopen(self.read_end, closefd=False) as stream:
            return stream.read()

    def break_it(self):
        os.close(self.read_end)
        self.read_end = None
        return self

    def close_write_end(self):
        if self.write_end is not None:
            os.close(self.write_end)
        self.write_end = None

    def close(self):
        self.close_write_end()
        if self.read_end is not None:
            os.close(self.read_end)


@pytest.fixture
def pipe():
    made = SmallPipe()
    yield made
    made.close()


def log_lines(port, count):
    """A refused upgrade is a line."""
    for _ in range(count):
        with RawClient(port) as client:
            client.send(upgrade_request("/nothing"))
            assert client.read_head()[0] == 404


def lines_dropped(relay):
    return relay.metrics().value("log_lines_dropped_total")


async def exit_code(relay, seconds=EXIT_SECONDS):
    await until(lambda: relay.exit_code() is not None, "it has exited", seconds)
    return relay.exit_code()


@contextlib.contextmanager
def unread_relay(runtime_dir, *arguments, launcher=(), **streams):
    """A relay whose ready line nobody waits for. It has to end by itself."""
    process = subprocess.Popen([*launcher, binary(), "--host", "127.0.0.1", "--port", "0", *arguments], text=True,
                               env=environment(runtime_dir), **streams)
    try:
        yield process
        process.send_signal(signal.SIGTERM)
        assert process.wait(EXIT_SECONDS) == 0
    finally:
        process.kill()
        process.wait()


def ready_by_its_log(process):
    """The fields of the log line that follows the ready line."""
    return next(fields for fields in map(json.loads, process.stderr) if fields["message"] == "ready")


@signals
async def test_with_a_full_log_pipe_it_serves_on_and_a_signal_ends_it(start_relay, push_to, connect, pipe, number):
    relay = start_relay(*DEBUG_LOG, "--drain-timeout", "1s", log_to=pipe.fill().write_end)
    log_lines(relay.port, 600)
    client = await connect(relay)
    push_to(relay).broadcast("still", "here")
    assert (await client.next_event()).data == "here"
    relay.signal(number)
    assert await client.read_to_end() == 1001
    assert await exit_code(relay) == 0


@signals
async def test_with_a_full_log_pipe_a_second_signal_ends_it_at_once(start_relay, push_to, connect, pipe, number):
    relay = start_relay(*DEBUG_LOG, "--drain-timeout", "60s", log_to=pipe.fill().write_end)
    log_lines(relay.port, 600)
    with await stuck_client(relay, push_to(relay), connect):
        relay.signal(signal.SIGTERM)
        await until(lambda: relay.http().status == 503, "it is draining")
        relay.signal(number)
        assert await exit_code(relay) == 1


def test_log_lines_beyond_the_bound_are_dropped_and_counted(start_relay, pipe):
    """One line is on its way into the pipe, 8,192 wait."""
    relay = start_relay(*DEBUG_LOG, "--drain-timeout", "1s", log_to=pipe.fill().write_end)
    log_lines(relay.port, 100)
    assert lines_dropped(relay) == 0
    log_lines(relay.port, QUEUED_LINES)
    assert 90 <= lines_dropped(relay) <= 110


async def test_a_log_that_is_read_slowly_loses_nothing(start_relay, pipe):
    relay = start_relay(*DEBUG_LOG, log_to=pipe.write_end)
    log_lines(relay.port, 600)
    pipe.close_write_end()
    relay.signal(signal.SIGTERM)
    lines = pipe.rest().splitlines()
    assert await exit_code(relay) == 0
    assert sum(json.loads(line)["message"] == "request refused" for line in lines) == 600
    assert json.loads(lines[-1])["message"] == "stopped"


async def test_a_log_that_another_process_made_non_blocking_loses_nothing(start_relay, pipe):
    """O_NONBLOCK belongs to all that share the pipe."""
    os.set_blocking(pipe.write_end, False)
    relay = start_relay(*DEBUG_LOG, log_to=pipe.write_end)
    log_lines(relay.port, 600)
    relay.signal(signal.SIGTERM)
    lines = pipe.rest().splitlines()
    assert await exit_code(relay) == 0
    assert sum(json.loads(line)["message"] == "request refused" for line in lines) == 600


def test_a_log_pipe_whose_reader_is_gone_does_no_harm(start_relay, pipe):
    relay = start_relay(*DEBUG_LOG, log_to=pipe.break_it().write_end)
    log_lines(relay.port, 10)
    wait_until(lambda: lines_dropped(relay) >= 10, "the lines are counted")
    assert relay.stop() == 0


def test_a_full_standard_output_holds_up_neither_the_start_nor_the_stop(runtime_dir, pipe):
    with unread_relay(runtime_dir, *DEBUG_LOG, stdout=pipe.fill().write_end, stderr=subprocess.PIPE) as process:
        with process.stderr:
            log_lines(ready_by_its_log(process)["port"], 1)


def test_a_ready_line_that_found_no_room_comes_when_there_is_some(runtime_dir, pipe):
    with unread_relay(runtime_dir, *DEBUG_LOG, stdout=pipe.fill().write_end, stderr=subprocess.PIPE) as process:
        with process.stderr:
            said = ready_by_its_log(process)
        assert pipe.read().strip(".") == "\n"
        assert json.loads(pipe.read())["port"] == said["port"]


def test_a_standard_output_whose_reader_is_gone_does_no_harm(runtime_dir, pipe):
    with unread_relay(runtime_dir, *DEBUG_LOG, stdout=pipe.break_it().write_end, stderr=subprocess.PIPE) as process:
        with process.stderr:
            log_lines(ready_by_its_log(process)["port"], 1)


def test_no_file_and_no_socket_takes_the_place_of_a_closed_stream(runtime_dir):
    """Log lines and the ready line would go into it."""
    closed = ("sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh")
    with unread_relay(runtime_dir, "--data", runtime_dir / "data", launcher=closed) as process:
        wait_until(lambda: (runtime_dir / "commands.sock").is_socket(), "it listens")
        assert [os.readlink(f"/proc/{process.pid}/fd/{number}") for number in range(3)] == ["/dev/null"] * 3
