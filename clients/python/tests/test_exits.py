"""Processes that live shortly, or end in ways of their own, deliver what they sent."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, AsyncIterator, Iterator

import pytest
from modules import require
from pull_peer import DEADLINE, PullPeer, wait_until
from real_relay import RealRelay

from syncrelay import AsyncRelay, FlushTimeout, InvalidEndpoint, Relay, lifespan
from syncrelay.testing import FakeRelay

SOURCE = Path(__file__).parent.parent / "src"
TESTS = Path(__file__).parent


def start(*command: str, directory: Path, log: str = "log", stdout: int = subprocess.DEVNULL, **environment: str) -> subprocess.Popen[str]:
    path = os.pathsep.join((str(SOURCE), str(directory)))
    with open(directory / log, "w") as file:
        return subprocess.Popen(
            [sys.executable, *command], cwd=directory, stdout=stdout, stderr=file, text=True, start_new_session=True,
            env={**os.environ, "PYTHONPATH": path, **environment},
        )  # fmt: skip


def numbers(commands: list[Any]) -> list[int]:
    return [command["data"] for command in commands]


# Celery


TASKS = """
import os, celery, syncrelay
from syncrelay.celery import flush_after_tasks

relay = syncrelay.Relay(os.environ["ENDPOINT"])
app = celery.Celery("tasks", broker="filesystem://")
app.conf.update(broker_transport_options={"data_folder_in": "queue", "data_folder_out": "queue"}, task_ignore_result=True)
if "FLUSH" in os.environ:
    flush_after_tasks(relay)

@app.task
def push(number):
    relay.broadcast("n", number)

@app.task
def push_and_be_killed(number):
    relay.broadcast("n", number)

@celery.signals.task_postrun.connect(weak=False)
def kill(task, **_):
    if task.name.endswith("killed"):
        with open("pid", "w") as file:
            file.write(f"{os.getpid()} ")
        os.kill(os.getpid(), 9)
"""


@pytest.fixture
def tasks(directory: Path) -> Path:
    require("celery")
    (directory / "tasks.py").write_text(TASKS)
    (directory / "queue").mkdir()
    return directory


def celery_worker(directory: Path, *options: str, **environment: str) -> subprocess.Popen[str]:
    quiet = ("--without-gossip", "--without-mingle", "--without-heartbeat")
    return start("-m", "celery", "-A", "tasks", "worker", "-P", "prefork", *quiet, *options, directory=directory, **environment)


def ask_for(directory: Path, task: str, count: int, **environment: str) -> None:
    script = f"import tasks\nfor number in range({count}): tasks.{task}.delay(number)"
    assert start("-c", script, directory=directory, log="ask.log", **environment).wait(DEADLINE) == 0


def test_children_of_celery_that_live_for_one_task_deliver_all_of_it(tasks: Path, endpoint: str, fake: PullPeer) -> None:
    fake.start()
    ask_for(tasks, "push", 12, ENDPOINT=endpoint)
    worker = celery_worker(tasks, "-c", "6", "--max-tasks-per-child", "1", ENDPOINT=endpoint)
    try:
        assert sorted(numbers(fake.receive(12))) == list(range(12))
    finally:
        worker.terminate()
        assert worker.wait(DEADLINE) == 0


def test_a_task_that_is_flushed_has_delivered_before_its_process_is_killed(tasks: Path, real: RealRelay) -> None:
    real.start()
    with Relay(real.endpoint) as relay:
        epoch = relay.stats()["epoch"]
        ask_for(tasks, "push_and_be_killed", 1, ENDPOINT=real.endpoint)
        worker = celery_worker(tasks, "-c", "1", FLUSH="1", ENDPOINT=real.endpoint)
        try:
            pid = tasks / "pid"
            wait_until(lambda: pid.exists() and pid.read_text().endswith(" "), "the task is over")
            wait_until(lambda: has_ended(int(pid.read_text())), "its process was killed")
            assert numbers(real.log(epoch)) == [0]
        finally:
            os.killpg(worker.pid, signal.SIGKILL)  # in order it would wait for the lost task
            worker.wait(DEADLINE)


def has_ended(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def test_a_billiard_child_that_returns_at_once_delivers(directory: Path, endpoint: str, fake: PullPeer) -> None:
    require("billiard")
    fake.start()
    script = (
        "import os, billiard, syncrelay\nrelay = syncrelay.Relay(os.environ['ENDPOINT'])\nrelay.broadcast('n', 0)\n"
        "def child():\n  for n in range(1, 200): relay.broadcast('n', n)\n"
        "process = billiard.Process(target=child)\nprocess.start()\nprocess.join()\n"
    )
    assert start("-c", script, directory=directory, ENDPOINT=endpoint).wait(DEADLINE) == 0
    assert sorted(numbers(fake.receive(200))) == list(range(200))


# Servers that raise the signal again


APP = """
import os, syncrelay
from contextlib import asynccontextmanager
from starlette.applications import Starlette

relay = syncrelay.{kind}(os.environ["ENDPOINT"])

@asynccontextmanager
async def own(app):
    yield
    for number in range(500):
        {push}

app = Starlette()
app.router.lifespan_context = syncrelay.lifespan(relay, own)
"""


@pytest.mark.parametrize(
    ("kind", "push"), [("Relay", "relay.broadcast('n', number)"), ("AsyncRelay", "await relay.broadcast('n', number)")]
)
def test_an_application_whose_server_raises_sigterm_again_has_delivered_all(
    directory: Path, real: RealRelay, kind: str, push: str
) -> None:
    require("starlette")
    real.start()
    (directory / "application.py").write_text(APP.format(kind=kind, push=push))
    with Relay(real.endpoint) as relay:
        epoch = relay.stats()["epoch"]
        command = (str(TESTS / "asgi_server.py"), "application")
        server = start(*command, directory=directory, stdout=subprocess.PIPE, ENDPOINT=real.endpoint)
        assert server.stdout is not None and server.stdout.readline() == "ready\n", (directory / "log").read_text()
        server.terminate()
        assert server.wait(DEADLINE) == -signal.SIGTERM
        server.stdout.close()
        assert numbers(real.log(epoch)) == list(range(500))


@pytest.fixture
def gunicorn(directory: Path, endpoint: str) -> Iterator[subprocess.Popen[str]]:
    require("gunicorn")
    (directory / "app.py").write_text(
        "import os, syncrelay\nrelay = syncrelay.Relay(os.environ['ENDPOINT'])\n"
        "def app(environ, start_response):\n"
        "  for number in range(200): relay.broadcast('n', number)\n"
        "  start_response('200 OK', [])\n  return [b'']\n"
    )
    command = ("-m", "gunicorn", "--preload", "--max-requests", "1", "-b", "127.0.0.1:0", "app:app")
    server = start(*command, directory=directory, ENDPOINT=endpoint)
    yield server
    server.terminate()
    assert server.wait(DEADLINE) == 0


def test_a_gunicorn_worker_that_lives_for_one_request_delivers_all_of_it(
    gunicorn: subprocess.Popen[str], directory: Path, fake: PullPeer
) -> None:
    import urllib.request

    fake.start()
    log = directory / "log"
    wait_until(lambda: "Listening at: " in log.read_text(), "gunicorn listens")
    url = log.read_text().partition("Listening at: ")[2].split()[0]
    urllib.request.urlopen(url, timeout=DEADLINE).close()
    wait_until(lambda: "Worker exiting" in log.read_text(), "the worker has ended")
    assert numbers(fake.receive(200)) == list(range(200))


# SIGTERM without a server


SIGTERM = """
import os, signal, sys, syncrelay, time
relay = syncrelay.Relay(os.environ["ENDPOINT"], close_timeout=float(sys.argv[1]))
syncrelay.close_on_sigterm()
for number in range(300):
    relay.broadcast("n", number)
"""


def test_a_program_that_asked_for_it_delivers_before_sigterm_ends_it(directory: Path, endpoint: str, fake: PullPeer) -> None:
    # Short naps: a signal that comes between Python's look for one and the call that waits is seen at the next look only.
    script = SIGTERM + "print('ready', flush=True)\nwhile True: time.sleep(0.1)\n"
    process = start("-c", script, "20", directory=directory, stdout=subprocess.PIPE, ENDPOINT=endpoint)
    assert process.stdout is not None and process.stdout.readline() == "ready\n"
    process.terminate()
    fake.start()
    assert numbers(fake.receive(300)) == list(range(300))
    assert process.wait(DEADLINE) == -signal.SIGTERM
    process.stdout.close()


def test_a_signal_that_is_raised_again_delivers_when_that_was_asked_for_before_it_was_taken_over(
    directory: Path, endpoint: str, fake: PullPeer
) -> None:
    fake.start()
    script = SIGTERM + (
        "before = signal.signal(signal.SIGTERM, lambda *_: None)\nsignal.raise_signal(signal.SIGTERM)\n"
        "signal.signal(signal.SIGTERM, before)\nsignal.raise_signal(signal.SIGTERM)\n"
    )
    assert start("-c", script, "20", directory=directory, ENDPOINT=endpoint).wait(DEADLINE) == -signal.SIGTERM
    assert numbers(fake.receive(300)) == list(range(300))


def test_without_a_relay_sigterm_is_held_up_for_no_longer_than_the_timeout(directory: Path, endpoint: str) -> None:
    script = SIGTERM + "with relay._sender._outbox._lock: signal.raise_signal(signal.SIGTERM)\n"
    for lines in (script, SIGTERM + "signal.raise_signal(signal.SIGTERM)\n"):
        begin = time.monotonic()
        assert start("-c", lines, "0.2", directory=directory, ENDPOINT=endpoint).wait(DEADLINE) == -signal.SIGTERM
        assert time.monotonic() - begin < 5


def test_sigterm_that_somebody_else_handles_is_left_alone(directory: Path) -> None:
    script = "import signal, syncrelay\nsignal.signal(signal.SIGTERM, print)\nsyncrelay.close_on_sigterm()"
    assert start("-c", script, directory=directory).wait(DEADLINE) == 1
    assert "SIGTERM does not end this process at once: <built-in function print> has it" in (directory / "log").read_text()


# What they are made of


def test_what_a_confirmed_flush_returned_from_outlives_kill_9(directory: Path, real: RealRelay) -> None:
    real.start()
    script = "import os, syncrelay\nrelay = syncrelay.Relay(os.environ['ENDPOINT'])\n"
    script += "for number in range(1000): relay.broadcast('n', number)\nrelay.flush(confirm=True)\nos.kill(os.getpid(), 9)"
    with Relay(real.endpoint) as relay:
        epoch = relay.stats()["epoch"]
        assert start("-c", script, directory=directory, ENDPOINT=real.endpoint).wait(DEADLINE) == -signal.SIGKILL
        assert numbers(real.log(epoch)) == list(range(1000))


async def test_a_confirmed_flush_that_is_late_says_so_as_any_other(fake: PullPeer) -> None:
    fake.start()
    with Relay(fake.endpoint) as relay:
        relay.flush(confirm=True)  # nothing was sent, so nobody is asked
        await AsyncRelay(relay=relay).flush(confirm=True)
        relay.broadcast("n", 1)
        with pytest.raises(FlushTimeout):
            relay.flush(0.05, confirm=True)
        with pytest.raises(FlushTimeout):
            await AsyncRelay(relay=relay).flush(0.05, confirm=True)
    with Relay("tcp://127.0.0.1:9", close_timeout=0) as relay:
        relay.broadcast("n", 1)
        with pytest.raises(InvalidEndpoint, match="control"):
            relay.flush(confirm=True)


async def test_the_lifespan_passes_on_what_the_applications_own_one_yields_and_raises() -> None:
    events: list[object] = []

    @asynccontextmanager
    async def own(app: object) -> AsyncIterator[dict[str, int]]:
        events.append(app)
        try:
            yield {"a": 1}
        finally:
            relay.broadcast("last")

    with FakeRelay() as relay:
        async with lifespan(relay, own)("the app") as state:
            assert state == {"a": 1}
        assert events == ["the app"] and relay.commands == [{"op": "broadcast", "type": "last"}]
        async with lifespan(relay)("the app") as state:
            assert state is None
        with pytest.raises(ZeroDivisionError):
            async with lifespan(relay, own)("the app"):
                raise ZeroDivisionError
        relay.broadcast("the relay is still open")


async def test_a_lifespan_ends_in_time_while_the_relay_is_away_and_says_so(
    endpoint: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with AsyncRelay(endpoint, close_timeout=0.1) as relay:
        begin = time.monotonic()
        async with lifespan(relay)(None):
            await relay.broadcast("n", 1)
        assert time.monotonic() - begin < 2
        assert "the application ends, perhaps with commands unsent" in caplog.text
        await relay.close()
        async with lifespan(relay)(None):
            pass  # its end finds the relay closed, which is no error


def test_sigterm_says_how_much_a_hanging_relay_may_have_left_inside_zeromq(
    directory: Path, endpoint: str, fake: PullPeer
) -> None:
    fake.start(read_ahead=1)
    script = (
        "import os, signal, syncrelay\nrelay = syncrelay.Relay(os.environ['ENDPOINT'], close_timeout=0.2)\n"
        "syncrelay.close_on_sigterm()\nfor number in range(20): relay.broadcast('n', 'x' * 300_000)\n"
        "relay.flush()\nsignal.raise_signal(signal.SIGTERM)"
    )
    assert start("-c", script, directory=directory, ENDPOINT=endpoint).wait(DEADLINE) == -signal.SIGTERM
    assert "closed with 0 commands unsent and up to 20 more inside ZeroMQ" in (directory / "log").read_text()


async def test_handlers_that_a_lifespan_would_silence_run_or_are_spoken_of(caplog: pytest.LogCaptureFixture) -> None:
    require("fastapi")
    from fastapi import FastAPI

    events: list[str] = []
    with FakeRelay() as relay:
        app = FastAPI()
        app.on_event("startup")(lambda: events.append("startup"))
        app.on_event("shutdown")(lambda: relay.broadcast("shutdown"))
        app.router.lifespan_context = lifespan(relay, app.router.lifespan_context)
        async with app.router.lifespan_context(app):
            assert events == ["startup"]
        assert relay.commands == [{"op": "broadcast", "type": "shutdown"}] and caplog.text == ""
        async with lifespan(relay)(app):
            assert "the application has on_event handlers, which its lifespan takes the place of" in caplog.text
        assert events == ["startup"]
