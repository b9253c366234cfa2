"""The log that relays share, against real redis-server processes: each test has its own, and kills, pauses, empties or
promotes them. The program that takes a relay's part is $SYNCRELAY_LOG_DRIVER, else build/tests/cluster/log_driver.

After every test all relays are judged: what two of them were told under one epoch is one history, of which each has the
beginning; and no text is in it twice.
"""

import pathlib
import signal
import sys

import pytest

HERE = pathlib.Path(__file__).resolve().parent
# Redis processes, and from the e2e suite how to wait.
sys.path[:0] = [str(HERE), str(HERE.parent / "surroundings"), str(HERE.parent / "e2e")]

from driver import Driver  # noqa: E402
from fake_sentinel import FakeSentinel  # noqa: E402
from judge import judge  # noqa: E402
from redis_process import Redis  # noqa: E402

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
def start_redis():
    servers = []

    def start(*options, **how):
        servers.append(Redis(*options, **how))
        return servers[-1]

    yield start
    for server in servers:
        server.dispose()


@pytest.fixture
def redis(start_redis):
    return start_redis()


@pytest.fixture
def start_sentinel():
    """start_sentinel(redis): says to its relays that this is the master."""
    sentinels = []

    def start(master):
        sentinels.append(FakeSentinel(master))
        return sentinels[-1]

    yield start
    for sentinel in sentinels:
        sentinel.dispose()


@pytest.fixture
def join(start_redis):
    """join(redis, sentinel or url, setting=…): a relay of the cluster. Depends on start_redis, to end before the servers."""
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
