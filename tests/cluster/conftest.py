"""The log that relays share, against real redis-server processes: each test has its own, and kills, pauses, empties or
promotes them. The program that takes a relay's part is $SYNCRELAY_LOG_DRIVER, else build/tests/cluster/log_driver.

After every test all relays are judged: what two of them were told under one epoch is one history, of which each has the
beginning; and no text is in it twice.
"""

import asyncio
import pathlib
import signal
import sys
import threading

import pytest

HERE = pathlib.Path(__file__).resolve().parent
# Redis processes, and from the e2e suite how to wait.
sys.path[:0] = [str(HERE), str(HERE.parent / "surroundings"), str(HERE.parent / "e2e")]

from driver import Driver  # noqa: E402
from judge import judge  # noqa: E402
from proxy import FaultProxy  # noqa: E402
from redis_fixtures import start_redis, start_sentinel  # noqa: E402, F401

HANG_SECONDS = 180


@pytest.fixture(autouse=True)
def watchdog():
    """Turns a hang that escaped every deadline into a failure with a traceback."""
    def expire(*_):
        raise TimeoutError("the test hangs")
    previous = signal.signal(signal.SIGALRM, expire)
    signal.alarm(HANG_SECONDS)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, previous)


@pytest.fixture
def redis(start_redis):
    return start_redis()


@pytest.fixture
def slow_way(start_redis):
    """slow_way(redis, seconds): a URL by which each chunk takes so long, either way."""
    loop, ways = asyncio.new_event_loop(), []
    thread = threading.Thread(target=loop.run_forever)
    thread.start()

    def run(step):
        return asyncio.run_coroutine_threadsafe(step, loop).result(20)

    def start(redis, seconds):
        ways.append(run(FaultProxy(redis.port).start()))
        ways[-1].delay(seconds)
        return f"redis://127.0.0.1:{ways[-1].port}"

    yield start
    for way in ways:
        run(way.stop())
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


@pytest.fixture
def join(start_redis, slow_way):
    """join(redis, sentinel or url, setting=…): a relay of the cluster. Ends before the servers, and the ways to them."""
    relays = []

    def start(place, **settings):
        quick = {"beat": 200, "silent": 2000, "bid_wait": 600}
        url = place if isinstance(place, str) else place.url
        url = url() if callable(url) else url
        relays.append(Driver(url, **quick | settings))
        return relays[-1]

    yield start
    try:
        judge([relay for relay in relays if relay.process.poll() is None])
    finally:
        for relay in relays:
            relay.dispose()
