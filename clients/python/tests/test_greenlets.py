"""Programs in which gevent or eventlet has replaced the threads."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import urllib.request
from pathlib import Path
from typing import Iterator

import pytest
from modules import require
from pull_peer import DEADLINE, PullPeer, wait_until
from real_relay import RealRelay
from router_peer import RouterPeer

SOURCE = Path(__file__).parent.parent / "src"
GEVENT = "import gevent.monkey; gevent.monkey.patch_all()\nimport sys, gevent, syncrelay\n"

APP = """
import json, os
import syncrelay

relay = syncrelay.Relay(os.environ["ENDPOINT"])

def app(environ, start_response):
    if environ["PATH_INFO"] == "/confirmed":
        text = relay.set("radio", 7, confirm=True, timeout=15).epoch
    else:
        relay.broadcast("quick", environ["PATH_INFO"])
        text = "quick"
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [text.encode()]
"""


def python(script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", script, *arguments],
        env={**os.environ, "PYTHONPATH": str(SOURCE)}, capture_output=True, text=True, timeout=DEADLINE,
    )  # fmt: skip


class Gunicorn:
    """Serves APP with one worker, which takes requests in greenlets."""

    def __init__(self, directory: Path, worker_class: str, endpoint: str) -> None:
        (directory / "app.py").write_text(APP)
        self._socket = directory / "http.sock"
        self.log = directory / "gunicorn.log"
        environment = {**os.environ, "PYTHONPATH": str(SOURCE), "ENDPOINT": endpoint}
        command = [sys.executable, "-m", "gunicorn", "-k", worker_class, "-b", "127.0.0.1:0", "app:app"]
        with open(self.log, "w") as log:
            self._process = subprocess.Popen(command, cwd=directory, env=environment, stderr=log)

    def url(self) -> str:
        wait_until(lambda: "Listening at: " in self.log.read_text(), "gunicorn listens")
        return self.log.read_text().partition("Listening at: ")[2].split()[0]

    def get(self, path: str) -> str:
        with urllib.request.urlopen(self.url() + path, timeout=DEADLINE) as answer:
            text: str = answer.read().decode()
            return text

    def stop(self) -> int:
        self._process.terminate()
        return self._process.wait(DEADLINE)


@pytest.fixture
def gevent_server(directory: Path, endpoint: str) -> Iterator[Gunicorn]:
    require("gunicorn")
    require("gevent")
    server = Gunicorn(directory, "gevent", endpoint)
    yield server
    server.stop()


def test_under_gunicorn_with_gevent_other_requests_go_on_while_a_confirmed_call_waits(
    gevent_server: Gunicorn, fake: PullPeer, control: RouterPeer
) -> None:
    fake.start()
    control.start()
    answers: list[str] = []
    waiting = [
        threading.Thread(target=lambda: answers.append(gevent_server.get("/confirmed"))) for _ in range(3)
    ]
    for thread in waiting:
        thread.start()
    asked = [control.receive() for _ in range(3)]
    assert [gevent_server.get(f"/{number}") for number in range(5)] == ["quick"] * 5
    assert [command["data"] for command in fake.receive(5)] == [f"/{number}" for number in range(5)]
    assert answers == []
    for envelope, request in asked:
        assert request["op"] == "set"
        control.answer(envelope, epoch="abc")
    for thread in waiting:
        thread.join(DEADLINE)
    assert answers == ["abc"] * 3
    assert "Traceback" not in gevent_server.log.read_text()


def test_what_a_gevent_worker_has_queued_is_sent_when_it_ends(gevent_server: Gunicorn, fake: PullPeer) -> None:
    for number in range(20):
        assert gevent_server.get(f"/{number}") == "quick"
    fake.start()
    assert gevent_server.stop() == 0
    assert [command["data"] for command in fake.receive(20)] == [f"/{number}" for number in range(20)]


def test_in_a_patched_process_everything_works_and_the_hub_goes_on(real: RealRelay) -> None:
    require("gevent")
    real.start()
    script = GEVENT + (
        "ticks = []\n"
        "def tick():\n  while True: ticks.append(1); gevent.sleep(0.001)\n"
        "gevent.spawn(tick)\n"
        "with syncrelay.Relay(sys.argv[1]) as r:\n"
        "  r.set('radio', 0)\n"
        "  jobs = [gevent.spawn(r.set, 'radio', n, confirm=True) for n in range(50)]\n"
        "  gevent.joinall(jobs, raise_error=True)\n"
        "  r.flush()\n"
        "  positions = {job.value.seq for job in jobs}\n"
        "  assert positions == set(range(2, 52)), positions\n"
        "  assert r.state('radio') in range(50) and r.stats()['seq'] == 51\n"
        "  assert r.clients() == []\n"
        "  assert ticks\n"
        "print('done')\n"
    )
    done = python(script, real.endpoint)
    assert (done.stdout, done.stderr, done.returncode) == ("done\n", "", 0)


def test_in_a_patched_process_timeouts_are_kept_and_others_run_meanwhile(endpoint: str) -> None:
    require("gevent")
    script = GEVENT + (
        "ticks = []\n"
        "def tick():\n  while True: ticks.append(1); gevent.sleep(0.01)\n"
        "gevent.spawn(tick)\n"
        "r = syncrelay.Relay(sys.argv[1], close_timeout=0.2)\n"
        "try: r.set('radio', 1, confirm=True, timeout=0.5)\n"
        "except syncrelay.ConfirmTimeout as e: print(e.sent)\n"
        "r.set('radio', 2)\n"
        "try: r.flush(timeout=0.5)\n"
        "except syncrelay.FlushTimeout: print('flush')\n"
        "print(len(ticks) > 20)\n"
    )
    done = python(script, endpoint)
    assert done.stdout.split() == ["False", "flush", "True"]
    assert "closed with 1 commands unsent" in done.stderr and "Traceback" not in done.stderr


def test_a_relay_made_and_used_before_the_patch_goes_on_after_it(real: RealRelay) -> None:
    require("gevent")
    real.start()
    script = (
        "import sys, syncrelay\nr = syncrelay.Relay(sys.argv[1])\nr.set('radio', 1, confirm=True)\n"
        + GEVENT + "print(r.set('radio', 2, confirm=True).seq, r.state('radio'))\nr.flush()\nr.close()\n"
    )  # fmt: skip
    done = python(script, real.endpoint)
    assert (done.stdout, done.stderr, done.returncode) == ("2 2\n", "", 0)


def test_in_a_patched_process_a_forked_child_and_a_thread_of_the_pool_can_ask(real: RealRelay) -> None:
    require("gevent")
    real.start()
    script = GEVENT + (
        "import os\n"
        "r = syncrelay.Relay(sys.argv[1])\n"
        "r.set('radio', 1, confirm=True)\n"
        "print(gevent.get_hub().threadpool.apply(lambda: r.set('radio', 2, confirm=True).seq), flush=True)\n"
        "pid = os.fork()\n"
        "if pid == 0:\n  print(r.set('radio', 3, confirm=True).seq, flush=True); r.close(); os._exit(0)\n"
        "os.waitpid(pid, 0)\n"
        "print(r.set('radio', 4, confirm=True).seq)\n"
    )
    done = python(script, real.endpoint)
    assert (done.stdout.split(), done.returncode) == (["2", "3", "4"], 0), done.stderr


def test_a_log_handler_that_waits_in_a_greenlet_holds_up_neither_the_client_nor_its_log(endpoint: str) -> None:
    require("gevent")
    script = GEVENT + (
        "import logging\nlines = []\n"
        "class Slow(logging.Handler):\n"
        "  def emit(self, record):\n"
        "    gevent.sleep(0.01)\n"
        "    if record.name == 'syncrelay': lines.append(record.getMessage().partition(' ipc')[0])\n"
        "def wait(count):\n  while len(lines) < count: gevent.sleep(0.005)\n"
        "logging.getLogger().addHandler(Slow())\n"
        "def talk():\n  while True: logging.warning('x'); gevent.sleep(0.005)\n"
        "for _ in range(2): gevent.spawn(talk)\n"
        "r = syncrelay.Relay(sys.argv[1], close_timeout=0.2)\n"
        "r.set('radio', 1)\n"
        "wait(1)\n"
        "r.close()\n"
        "wait(2)\n"
        "print(*lines, sep='\\n')\n"
    )
    done = python(script, endpoint)
    assert done.stdout.splitlines() == ["relay unreachable at", "closed with 1 commands unsent to"], done.stderr


def test_under_eventlet_the_first_call_says_what_to_do(endpoint: str) -> None:
    require("eventlet")
    script = "import eventlet; eventlet.monkey_patch()\nimport sys, syncrelay\n"
    script += "for call in (lambda: r.set('radio', 1), lambda: r.set('radio', 1, confirm=True), lambda: r.state()):\n"
    script += "  r = syncrelay.Relay(sys.argv[1])\n"
    script += "  try: call()\n  except syncrelay.UnsupportedThreads as e: print(e)\n  r.close()"
    done = python(script, endpoint)
    lines = done.stdout.splitlines()
    assert len(lines) == 3 and done.stderr == ""
    assert all("eventlet.monkey_patch(thread=False)" in line and "gunicorn -k gthread" in line for line in lines)


def test_eventlet_that_comes_after_the_first_command_is_refused_by_what_waits(real: RealRelay) -> None:
    require("eventlet")
    real.start()
    script = "import sys, syncrelay\nr = syncrelay.Relay(sys.argv[1], close_timeout=0)\nr.set('radio', 1, confirm=True)\n"
    script += "import eventlet; eventlet.monkey_patch()\n"
    script += "for call in (r.state, r.flush, lambda: r.set('radio', 2, confirm=True)):\n"
    script += "  try: call()\n  except syncrelay.UnsupportedThreads: print('refused')\nr.close()"
    done = python(script, real.endpoint)
    assert (done.stdout.split(), done.returncode) == (["refused"] * 3, 0), done.stderr


def test_with_eventlet_that_left_the_threads_alone_it_works_as_advised(real: RealRelay) -> None:
    require("eventlet")
    real.start()
    script = "import eventlet; eventlet.monkey_patch(thread=False)\nimport sys, syncrelay\n"
    script += "with syncrelay.Relay(sys.argv[1]) as r:\n  r.set('radio', 1)\n  r.flush()\n"
    script += "  print(r.set('radio', 2, confirm=True).seq, r.state('radio'))\n"
    done = python(script, real.endpoint)
    assert (done.stdout, done.returncode) == ("2 2\n", 0), done.stderr
