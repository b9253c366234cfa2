"""The lines of "Ends of a process" in the README about pools, exec and interrupts."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest
from pull_peer import DEADLINE, PullPeer
from real_relay import RealRelay
from test_exits import numbers, start

from syncrelay import Relay

TASKS = """
import multiprocessing, os, sys
from concurrent.futures import ProcessPoolExecutor
import syncrelay
relay = syncrelay.Relay(os.environ["ENDPOINT"])

def push(number):
    relay.broadcast("n", number)

def push_and_flush(number):
    relay.broadcast("n", number)
    relay.flush(confirm=True)

def closed_and_joined():
    pool = multiprocessing.get_context("fork").Pool(2)
    pool.map(push, range(20))
    pool.close()
    pool.join()

def flushed():
    with multiprocessing.get_context("fork").Pool(2) as pool:
        pool.map(push_and_flush, range(20))

def executor():
    with ProcessPoolExecutor(2, multiprocessing.get_context("fork")) as pool:
        list(pool.map(push, range(20)))

def replaced():
    for number in range(20): relay.broadcast("n", number)
    relay.flush(confirm=True)
    os.execv(sys.executable, [sys.executable, "-c", ""])

globals()[sys.argv[1]]()
"""


@pytest.mark.parametrize("way", ["closed_and_joined", "flushed", "executor", "replaced"])
def test_what_the_readme_says_to_do_with_pools_and_exec_delivers(directory: Path, real: RealRelay, way: str) -> None:
    real.start()
    with Relay(real.endpoint) as relay:
        epoch = relay.stats()["epoch"]
        assert start("-c", TASKS, way, directory=directory, ENDPOINT=real.endpoint).wait(DEADLINE) == 0
        assert sorted(numbers(real.log(epoch))) == list(range(20))


def test_a_program_that_is_interrupted_or_fails_delivers(directory: Path, endpoint: str, fake: PullPeer) -> None:
    fake.start()
    script = "import os, signal, syncrelay\nsignal.signal(signal.SIGINT, signal.default_int_handler)\n"
    script += "relay = syncrelay.Relay(os.environ['ENDPOINT'])\n"
    script += "for number in range(100): relay.broadcast('n', number)\n"
    for end in ("signal.raise_signal(signal.SIGINT)", "raise SystemExit(1)", "1 / 0"):
        assert start("-c", script + end, directory=directory, ENDPOINT=endpoint).wait(DEADLINE) in (1, -signal.SIGINT)
        assert numbers(fake.receive(100)) == list(range(100))
