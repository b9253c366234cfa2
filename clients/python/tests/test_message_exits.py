"""What a process held is given back when it ends, and its forks leave it alone."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Callable, Iterator

import pytest
from inbox_peer import InboxPeer
from modules import require
from pull_peer import DEADLINE, wait_until

SOURCE = Path(__file__).parent.parent / "src"
TESTS = Path(__file__).parent
BEGIN = "import signal, sys, time, threading, syncrelay\nsignal.signal(signal.SIGINT, signal.default_int_handler)\n"
BEGIN += "relay = syncrelay.Relay(sys.argv[1])\n"
SLOW = """
@relay.on("say")
def say(message):
    relay.broadcast("begun", message.data)
    if message.data == "slow":
        time.sleep(0.5)
    if message.data == "stuck":
        time.sleep(3600)
    relay.broadcast("said", message.data)
"""


@pytest.fixture
def peer(directory: Path) -> Iterator[InboxPeer]:
    with InboxPeer(directory) as peer:
        yield peer.start()


class Program:
    def __init__(self, *command: str, directory: Path) -> None:
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join((str(SOURCE), str(directory)))}
        self._process = subprocess.Popen(
            [sys.executable, *command], cwd=directory, env=environment, text=True, stdin=subprocess.PIPE,
            stdout=subprocess.PIPE
        )  # fmt: skip

    def line(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()

    def signal(self, number: int) -> None:
        self._process.send_signal(number)

    def ended(self) -> int:
        output, _ = self._process.communicate(timeout=DEADLINE)
        self.output = output
        return self._process.returncode


@pytest.fixture
def run(directory: Path, peer: InboxPeer) -> Iterator[Callable[[str], Program]]:
    running: list[Program] = []

    def start(script: str) -> Program:
        running.append(Program("-c", BEGIN + script, peer.endpoint, directory=directory))
        return running[-1]

    yield start
    for program in running:
        if program._process.poll() is None:
            program._process.kill()
            program.ended()


def begun(peer: InboxPeer, *data: str) -> None:
    wait_until(lambda: [each for each in peer.events() if each in data] == list(data), f"{data} have begun")


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 0), (signal.SIGINT, -signal.SIGINT)])
def test_run_ends_by_a_signal_when_its_handlers_have(peer: InboxPeer, run: Callable[[str], Program], number: int, code: int) -> None:
    program = run(SLOW + "relay.run()\nprint('over')")
    peer.say("say", "slow")
    begun(peer, "slow")
    program.signal(number)
    assert program.ended() == code
    assert peer.events() == ["slow", "slow"] and peer.unhandled() == []
    assert program.output == ("over\n" if code == 0 else "")


def test_run_gives_back_what_does_not_end_in_time(peer: InboxPeer, run: Callable[[str], Program]) -> None:
    program = run(SLOW + "relay.run(grace=0.1)")
    peer.say("say", "stuck")
    begun(peer, "stuck")
    program.signal(signal.SIGTERM)
    assert program.ended() == 0
    assert peer.free() == ["stuck"]
    peer.say("say", "next")
    assert peer.unhandled() == [("stuck", 1), ("next", 0)]


def test_a_program_that_ends_beside_its_handlers_gives_back(peer: InboxPeer, run: Callable[[str], Program]) -> None:
    program = run(SLOW + "relay.start()\nsys.stdin.readline()")
    peer.say("say", "stuck")
    begun(peer, "stuck")
    assert program.ended() == 0
    assert peer.free() == ["stuck"]


def test_close_on_sigterm_gives_back_what_a_loop_holds(peer: InboxPeer, run: Callable[[str], Program]) -> None:
    script = "syncrelay.close_on_sigterm()\nfor message in relay.messages():\n    print('held', flush=True)\n"
    program = run(script + "    time.sleep(3600)")
    peer.say("say", 1)
    assert program.line() == "held"
    program.signal(signal.SIGTERM)
    assert program.ended() == -signal.SIGTERM
    assert peer.free() == [1]


def test_an_interrupted_loop_gives_back_what_comes_too_late(peer: InboxPeer, run: Callable[[str], Program]) -> None:
    program = run("print('up', flush=True)\nfor message in relay.messages(): pass")
    assert program.line() == "up"
    wait_until(lambda: peer.ops("receive"), "it waits")
    program.signal(signal.SIGINT)
    peer.say("say", 1)
    assert program.ended() == -signal.SIGINT
    assert peer.free() == [1]


def test_a_fork_leaves_alone_what_its_parent_holds(peer: InboxPeer, run: Callable[[str], Program]) -> None:
    script = """
import os
for message in relay.messages():
    child = os.fork()
    if child == 0:
        relay.broadcast("child", None, confirm=True)
        message.done()
        del message
        relay.flush(confirm=True)
        sys.exit()  # its iterator goes, too
    os.waitpid(child, 0)
    print("waited", flush=True)
    sys.stdin.readline()
    break
"""
    program = run(script)
    peer.say("say", 1)
    assert program.line() == "waited"
    assert not peer.ops("done") and not peer.ops("release")
    assert program.ended() == 0
    assert len(peer.ops("release")) == 1


def test_a_fork_starts_handlers_of_its_own_where_it_wants_them(peer: InboxPeer, run: Callable[[str], Program]) -> None:
    script = """
import os
@relay.on("say")
def say(message):
    relay.broadcast("said", os.getpid())
relay.start()
while relay.state().get("k") != 1: pass
relay.stop()
child = os.fork()
if child == 0:
    relay.start()
    sys.stdin.readline()
    while relay.state().get("k") != 2: pass
    relay.stop()
    sys.exit()
print(os.getpid(), child, flush=True)
os.waitpid(child, 0)
"""
    program = run(script)
    peer.say("say", 1)
    peer.wait_until_handled()
    with peer._lock:
        peer.relay.answer({"op": "set", "key": "k", "value": 1})
    parent, child = map(int, program.line().split())
    peer.say("say", 2)
    peer.wait_until_handled()
    assert peer.events()[0] == parent and peer.events()[-1] == child
    with peer._lock:
        peer.relay.answer({"op": "set", "key": "k", "value": 2})
    assert program.ended() == 0


def test_a_server_that_kills_itself_gives_back_before(peer: InboxPeer, directory: Path) -> None:
    require("fastapi")
    (directory / "application.py").write_text(
        f"""
import asyncio, fastapi, syncrelay
relay = syncrelay.AsyncRelay({peer.endpoint!r})
app = fastapi.FastAPI()
app.router.lifespan_context = syncrelay.lifespan(relay, app.router.lifespan_context, grace=0.3)

@relay.on("say")
async def say(message):
    await relay.broadcast("begun", message.data)
    if message.data == "stuck":
        await asyncio.sleep(3600)
"""
    )
    server = Program(str(TESTS / "asgi_server.py"), "application", directory=directory)
    assert server.line() == "ready"
    peer.say("say", "quick")
    peer.wait_until_handled()
    peer.say("say", "stuck")
    begun(peer, "quick", "stuck")
    server.signal(signal.SIGTERM)
    assert server.ended() == -signal.SIGTERM
    assert peer.free() == ["stuck"]
    peer.say("say", "later")
    assert peer.unhandled()[-1] == ("later", 0)


def test_under_gevent_loops_and_handlers_let_other_greenlets_run(peer: InboxPeer, directory: Path) -> None:
    require("gevent")
    script = """
import gevent.monkey; gevent.monkey.patch_all()
import sys, time, gevent, syncrelay
relay = syncrelay.Relay(sys.argv[1])
@relay.on("say")
def say(message):
    time.sleep(0.01)
    relay.broadcast("said", message.data)
ticks = []
def tick():
    while True:
        ticks.append(1)
        gevent.sleep(0.001)
gevent.spawn(tick)
for message in relay.messages():
    print("loop", message.data, flush=True)
    message.done()
    break
begin = len(ticks)
relay.start()
while relay.state().get("k") != 1: gevent.sleep(0.01)
relay.close()
print(len(ticks) - begin > 3, flush=True)
"""
    peer.say("say", 1)
    program = Program("-c", script, peer.endpoint, directory=directory)
    assert program.line() == "loop 1"
    peer.say("say", 2)
    peer.wait_until_handled()
    with peer._lock:
        peer.relay.answer({"op": "set", "key": "k", "value": 1})
    assert program.ended() == 0 and program.output == "True\n"
    assert peer.events() == [2, {"k": 1}]
