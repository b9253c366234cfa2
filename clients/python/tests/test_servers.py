"""Handlers in the servers that people run them in: restarts lose nothing and do nothing twice, and deaths come again."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Callable, Iterator

import pytest
from modules import missing, require
from pull_peer import DEADLINE, wait_until
from real_relay import BINARY, RealRelay

from syncrelay import Relay

SOURCE = Path(__file__).parent.parent / "src"

# Handlers; {begin} and {end} are what tells a coroutine function from a function.
HANDLERS = """
import asyncio, os, time, threading, syncrelay

relay = syncrelay.Relay(os.environ["ENDPOINT"])

@relay.on("say")
{begin}def say(message):
    relay.broadcast("said", [message.id, message.data, message.attempt, os.getpid()])

@relay.on("slow")
{begin}def slow(message):
    relay.broadcast("begun", os.getpid())
    {sleep}(0.7)
    relay.broadcast("said", [message.id, message.data, message.attempt, os.getpid()])

@relay.on("once")
{begin}def once(message):
    relay.broadcast("once", message.data, confirm=True, id=f"once-{{message.number}}")
    if message.attempt == 1:
        relay.broadcast("begun", os.getpid())
        {sleep}(3600)
    relay.broadcast("said", [message.id, message.data, message.attempt, os.getpid()])
"""
COROUTINES = HANDLERS.format(begin="async ", sleep="await asyncio.sleep")
FUNCTIONS = HANDLERS.format(begin="", sleep="time.sleep")
ASGI = """
from starlette.applications import Starlette
app = Starlette()
app.router.lifespan_context = syncrelay.lifespan(relay, app.router.lifespan_context, lease=1)
"""
WSGI = """
def app(environ, start_response):
    start_response("200 OK", [])
    return [b""]
"""
HOOKS = """
def post_worker_init(worker):
    import application
    application.relay.start(lease=1)
"""
CELERY = """
import celery
from celery.signals import worker_process_init

app = celery.Celery("application", broker="filesystem://")
app.conf.update(broker_transport_options={"data_folder_in": "queue", "data_folder_out": "queue"}, task_ignore_result=True)

@worker_process_init.connect(weak=False)
def start(**_):
    relay.start(lease=1)
"""
UVICORN = ("-m", "uvicorn", "application:app", "--port", "0", "--log-level", "warning")
GUNICORN = ("-m", "gunicorn", "-b", "127.0.0.1:0", "--log-level", "warning", "-w", "2", "application:app")
QUIET = ("--without-gossip", "--without-mingle", "--without-heartbeat")
SERVERS = {
    "uvicorn with two workers": (("uvicorn", "starlette"), (*UVICORN, "--workers", "2"), COROUTINES + ASGI),
    "gunicorn with two uvicorn workers": (
        ("gunicorn", "uvicorn", "starlette"), (*GUNICORN, "-k", "uvicorn.workers.UvicornWorker"), COROUTINES + ASGI
    ),
    "gunicorn that forks what it has loaded": (("gunicorn",), (*GUNICORN, "--preload", "-c", "hooks.py"), FUNCTIONS + WSGI),
    "celery": (
        ("celery",), ("-m", "celery", "-A", "application", "worker", "-P", "prefork", "-c", "2", *QUIET), FUNCTIONS + CELERY
    ),
}  # fmt: skip
RELOADING = (("uvicorn", "starlette"), (*UVICORN, "--reload"), COROUTINES + ASGI)


@pytest.fixture
def social(directory: Path) -> Iterator[RealRelay]:
    """Started; clients say who they are."""
    if not BINARY.exists():
        missing(f"no relay at {BINARY}: build it, or set SYNCRELAY_BINARY")
    require("websockets")
    relay = RealRelay(directory, "--anonymous-identity", "--client-rate", "0")
    yield relay.start()
    relay.stop()


class Server:
    """A server in a session of its own, and what its handlers have told of in the relay's log."""

    def __init__(self, social: RealRelay, directory: Path, kind: tuple[tuple[str, ...], tuple[str, ...], str]) -> None:
        modules, self._command, code = kind
        self._workers = 1 if "--reload" in self._command else 2
        self._probes = 0
        for module in modules:
            require(module)
        self._social = social
        self.directory = directory / "served"
        self.directory.mkdir()
        (self.directory / "queue").mkdir()
        (self.directory / "application.py").write_text(code)
        (self.directory / "hooks.py").write_text(HOOKS)
        with Relay(social.endpoint) as relay:
            self._epoch = relay.stats()["epoch"]

    def start(self) -> None:
        path = os.pathsep.join((str(SOURCE), str(self.directory)))
        environment = {**os.environ, "PYTHONPATH": path, "ENDPOINT": self._social.endpoint}
        with open(self.directory / "log", "w") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-B", *self._command], cwd=self.directory, env=environment, stdout=log, stderr=log,
                start_new_session=True,
            )  # fmt: skip
        wait_until(self._all_workers_handle, "all of its workers handle messages")

    def _all_workers_handle(self) -> bool:
        """They ask in turns."""
        self._probes += 1
        try:
            say(self._social, "say", [f"are you there? {self._probes}"], id="probe")
        except NotTaken:
            return False
        wait_until(lambda: [each for each in self.told("said") if each[1].endswith(f" {self._probes}")], "it is handled")
        return len({each[3] for each in self.told("said")}) == self._workers

    @property
    def log(self) -> str:
        return (self.directory / "log").read_text()

    def told(self, type: str) -> list[Any]:
        return [event["data"] for event in self._social.log(self._epoch) if event["type"] == type]

    def said(self) -> list[Any]:
        return [each for each in self.told("said") if each[0] != "probe"]

    def processes(self) -> list[int]:
        """Those of its session that are no zombies."""
        found = []
        for stat in Path("/proc").glob("[0-9]*/stat"):
            try:
                state, _, _, session = stat.read_text().rpartition(")")[2].split()[:4]
            except OSError:
                continue
            if int(session) == self._process.pid and state != "Z":
                found.append(int(stat.parent.name))
        return found

    def terminate(self) -> None:
        self._process.terminate()

    def ended(self) -> int:
        """All of its processes, too."""
        code = self._process.wait(DEADLINE)
        wait_until(lambda: not self.processes(), "all processes have ended")
        return code

    def kill(self) -> None:
        try:
            os.killpg(self._process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self._process.wait(DEADLINE)


@pytest.fixture
def serve(social: RealRelay, directory: Path) -> Iterator[Callable[[Any], Server]]:
    servers: list[Server] = []

    def start(kind: Any) -> Server:
        servers.append(Server(social, directory, kind))
        servers[-1].start()
        return servers[-1]

    yield start
    for server in servers:
        server.kill()


class NotTaken(Exception):
    pass


def say(social: RealRelay, type: str, data: list[Any], id: str = "dev-1") -> None:
    """One after the other, each when the one before is acknowledged. Raises NotTaken while there is no backend."""
    asyncio.run(say_all(social, type, data, id))


async def say_all(social: RealRelay, type: str, data: list[Any], id: str) -> None:
    import websockets

    async with websockets.connect(f"ws://127.0.0.1:{social.port}/ws/sync", max_size=None) as socket:
        hello = {"type": "sync:hello", "id": id, "ref": "hello"}
        for message in [hello, *({"type": type, "data": each, "ref": f"{type}-{each}"} for each in data)]:
            await socket.send(json.dumps(message))
            while True:
                answer = json.loads(await asyncio.wait_for(socket.recv(), DEADLINE))
                if answer.get("ref") == message["ref"]:
                    break
            if answer["type"] != "sync:ack":
                assert answer["code"] == "no_backend", answer
                raise NotTaken


def by(server: Server, id: str) -> list[tuple[Any, int]]:
    """What was handled of this client, and at which attempt."""
    return [(data, attempt) for who, data, attempt, _ in server.said() if who == id]


def pid_that_began(server: Server) -> int:
    wait_until(lambda: server.told("begun"), "a handler has begun")
    return int(server.told("begun")[-1])


def touch(file: Path) -> float:
    """As saving it would; returns when that was, monotonic."""
    stamp = max(time.time(), file.stat().st_mtime + 1)
    os.utime(file, (stamp, stamp))
    return time.monotonic()


def test_reloads_of_uvicorn_lose_nothing_do_nothing_twice_and_leave_nothing(
    social: RealRelay, serve: Callable[[Any], Server]
) -> None:
    server = serve(RELOADING)
    application = server.directory / "application.py"
    workers: set[int] = set()
    count = 0
    for _ in range(3):
        before = len(server.told("begun"))
        say(social, "slow", [f"slow {before}"], id="dev-2")
        wait_until(lambda: len(server.told("begun")) > before, "a handler is under way")
        workers.add(server.told("begun")[-1])
        touched = touch(application)
        end = touched + DEADLINE
        while {each[3] for each in server.said()} <= workers:
            assert time.monotonic() < end, f"it never reloads: {server.log}"
            if time.monotonic() > touched + 2:  # uvicorn takes what it finds at its first look, after its start, for no change
                touched = touch(application)
            say(social, "say", list(range(count, count + 10)))
            count += 10
            wait_until(lambda: len(by(server, "dev-1")) >= count, "they are handled, before the reload or after it")
    wait_until(lambda: len(by(server, "dev-2")) == 3, "all is handled")
    assert by(server, "dev-1") == [(number, 1) for number in range(count)]
    assert by(server, "dev-2") == [("slow 0", 1), ("slow 1", 1), ("slow 2", 1)]
    assert len({each[3] for each in server.said()}) >= 4 and len(server.processes()) <= 3, "supervisor, worker, resource tracker"
    server.terminate()
    assert server.ended() == 0
    assert "Traceback" not in server.log and "syncrelay" not in server.log.replace("/syncrelay/", ""), server.log


@pytest.mark.parametrize("kind", SERVERS)
def test_what_a_worker_was_at_when_it_was_killed_comes_to_the_other_once_more(
    social: RealRelay, serve: Callable[[Any], Server], kind: str
) -> None:
    server = serve(SERVERS[kind])
    say(social, "once", ["x"], id="dev-2")
    pid = pid_that_began(server)
    os.kill(pid, signal.SIGKILL)
    say(social, "say", list(range(10)))
    wait_until(lambda: len(server.said()) == 11, "the others have handled it")
    assert by(server, "dev-2") == [("x", 2)]
    assert [data for data, _ in by(server, "dev-1")] == list(range(10))
    assert pid not in [each[3] for each in server.said() if each[0] == "dev-2"]
    assert server.told("once") == ["x"], "its effect has the message's number for its id"


@pytest.mark.parametrize("kind", SERVERS)
def test_a_server_that_is_stopped_finishes_what_it_is_at(
    social: RealRelay, serve: Callable[[Any], Server], kind: str
) -> None:
    server = serve(SERVERS[kind])
    say(social, "slow", [1], id="dev-2")
    pid_that_began(server)
    server.terminate()
    say(social, "say", [2])
    server.ended()
    assert by(server, "dev-2") == [(1, 1)], server.log
    with Relay(social.endpoint) as relay:
        left = [(message.data, message.attempt) for message in relay.messages(until_empty=True)]
    assert left + by(server, "dev-1") == [(2, 1)], "given back at once, or handled"
    assert "Traceback" not in server.log, server.log
