"""End to end: the real binary, real ZeroMQ and WebSocket peers, one relay per test.

The binary is $SYNCRELAY_BINARY, else build/syncrelay. Run: `/usr/bin/python3 -m pytest tests/e2e`, also with `-n 2`.
Every relay has a free port and a runtime directory of its own. Every wait has a deadline (deadline.py); nothing sleeps.
A relay that ends by a signal, exits with an unknown code or shows a sanitizer's finding fails its test at the end.
"""

import pathlib
import shutil
import signal
import sys
import tempfile

import pytest

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "surroundings")]

import small_disk  # noqa: E402
from channel_client import ChannelClient  # noqa: E402
from control_peer import control_peers  # noqa: E402
from fake_relay import FakeControl  # noqa: E402
from proxy import FaultProxy  # noqa: E402
from pusher import Pusher  # noqa: E402
from redis_fixtures import start_redis, start_sentinel  # noqa: E402, F401
from relay_process import RelayProcess, is_sanitized  # noqa: E402
from shell import Shell  # noqa: E402
from tls_pair import TlsPair  # noqa: E402
from ws_client import SyncClient  # noqa: E402

HANG_SECONDS = 60
HEAVY_HANG_SECONDS = 240


@pytest.fixture(autouse=True)
def watchdog(request):
    """Turns a hang that escaped every deadline into a failure with a traceback."""
    def expire(*_):
        raise TimeoutError("the test hangs")
    heavy = request.node.get_closest_marker("heavy") is not None
    previous = signal.signal(signal.SIGALRM, expire)
    signal.alarm(HEAVY_HANG_SECONDS if heavy else HANG_SECONDS)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, previous)


@pytest.fixture
def runtime_dir():
    """Short, because the path of a unix socket ends at 107 bytes."""
    path = pathlib.Path(tempfile.mkdtemp(prefix="syncrelay-e2e-"))
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture
def data_dir(runtime_dir):
    return runtime_dir / "data"


@pytest.fixture
def disk(data_dir):
    """A file system of its own for the data, which is soon full."""
    if why := small_disk.unavailable():
        pytest.skip(why)
    made = small_disk.SmallDisk(data_dir, "3m")
    yield made
    made.close()


@pytest.fixture
def start_relay(runtime_dir):
    """Starts relays; several in one test share its runtime directory unless told otherwise."""
    relays = []

    def start(*arguments, **how):
        relays.append(RelayProcess(*arguments, **{"runtime_dir": runtime_dir, **how}))
        return relays[-1]

    yield start
    for relay in relays:
        relay.dispose()


@pytest.fixture
def relay(start_relay):
    return start_relay()


@pytest.fixture
def redis(start_redis):
    return start_redis()


@pytest.fixture
def join(start_redis, start_relay, runtime_dir, request):
    """join("a"): a relay of the cluster, with a runtime directory of that name; `url`: where its Redis is, if it is not the
    `redis` of the test. Depends on start_redis, so as to end before the servers."""
    def start(name, *options, url=None, **how):
        directory = pathlib.Path(runtime_dir) / name
        directory.mkdir(mode=0o700, exist_ok=True)
        url = url or request.getfixturevalue("redis").url()
        return start_relay("--cluster", url, *options, runtime_dir=directory, **how)
    return start


@pytest.fixture
def push_to():
    """Opens PUSH sockets: push_to(relay) or push_to(endpoint)."""
    pushers = []

    def connect(target):
        pushers.append(Pusher(getattr(target, "endpoint", target)))
        return pushers[-1]

    yield connect
    for pusher in pushers:
        pusher.close()


@pytest.fixture
def pusher(relay, push_to):
    return push_to(relay)


@pytest.fixture
def peer_of():
    """peer_of(relay): a peer of its control socket."""
    with control_peers() as connect:
        yield connect


@pytest.fixture
async def connect(start_relay):
    """Opens clients that are gone before the relay is stopped."""
    clients = []

    async def open_client(relay, **how):
        clients.append(await SyncClient.open(relay, **how))
        return clients[-1]

    yield open_client
    for client in clients:
        await client.abort()


@pytest.fixture
async def proxy(relay):
    started = await FaultProxy(relay.port).start()
    yield started
    await started.stop()


@pytest.fixture
def memory_is_measurable():
    if is_sanitized():
        pytest.skip("a sanitizer keeps freed memory: bounds on memory mean nothing")


@pytest.fixture
def time_is_measurable():
    if is_sanitized():
        pytest.skip("a sanitizer makes some work much slower than other: bounds on time mean nothing")


@pytest.fixture
def shell(relay):
    return Shell(relay.runtime_dir, relay.port)


@pytest.fixture
def start():
    """Starts commands that are ended with the test."""
    running = []

    def start_in(shell, *arguments):
        running.append(shell.start(*arguments))
        return running[-1]

    yield start_in
    for command in running:
        command.end()


@pytest.fixture
def control(runtime_dir):
    """Answers in the relay's place."""
    control = FakeControl(runtime_dir)
    yield control
    control.close()


@pytest.fixture
async def follow():
    """follow(relay, *channels): a client that has the first message of each of them; with `id` it has said who it is."""
    clients = []

    async def open_client(relay, *channels, id=None, info=None, **query):
        client = await ChannelClient.open(relay, *channels, **query)
        clients.append(client)
        await client.begun(*[c if isinstance(c, str) else c[0] for c in channels] or [""])
        if id:
            await client.hello(id, **({"info": info} if info else {}))
        return client

    yield open_client
    for client in clients:
        await client.abort()


@pytest.fixture
def pair(tmp_path):
    """A certificate and its key, in files."""
    return TlsPair(tmp_path)


@pytest.fixture
def tls_relay(start_relay, pair):
    return start_relay(*pair.options)
