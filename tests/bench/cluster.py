"""What relays that share a Redis cost besides a burst and a delay, which scripts/bench measures; prints one JSON object.

    cluster.py idle --rate 1000 --seconds 10       CPU of relays, of which one has no clients, and of Redis
    cluster.py join --rate 5000 --seconds 5        a relay that comes while so many commands a second come in: until it is ready
    cluster.py memory --rate 5000 --seconds 20     what the log holds in Redis at most
    cluster.py checkpoint --mib 256                how late confirmed commands are answered while that state is written

The relay is $SYNCRELAY_BINARY, else build/syncrelay; Redis is redis-server.
"""

import argparse
import contextlib
import json
import pathlib
import statistics
import sys
import tempfile
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "surroundings"), str(HERE.parent / "e2e")]

from clients import Clients, cpu_seconds  # noqa: E402
from control_peer import ControlPeer  # noqa: E402
from pusher import Pusher  # noqa: E402
from redis_process import Redis  # noqa: E402
from relay_process import RelayProcess  # noqa: E402

LOG, INFO = "{syncrelay}:log", "{syncrelay}:info"
TICK = 0.005  # seconds; what is due is sent together
PATIENCE = 60.0
MIB = 1 << 20


class Cluster:
    """A Redis, and relays that come to it."""

    def __init__(self, stack):
        self._stack = stack
        self.redis = Redis()
        stack.callback(self.redis.dispose)

    def relay(self, *options):
        return start(self._stack, "--cluster", self.redis.url(), *options)

    def log(self):
        """Entries in it, their bytes in memory, and all that Redis holds."""
        info = dict(line.split(":", 1) for line in self.redis.cli("INFO", "memory").splitlines() if ":" in line)
        return {"entries": int(self.redis.cli("XLEN", LOG)),
                "log_mib": round(int(self.redis.cli("MEMORY", "USAGE", LOG, "SAMPLES", "0")) / MIB, 1),
                "redis_mib": round(int(info["used_memory"]) / MIB, 1)}

    def newest_checkpoint(self):
        return self.redis.cli("HGET", INFO, "newest")


def start(stack, *options):
    directory = stack.enter_context(tempfile.TemporaryDirectory(prefix="syncrelay-cluster-"))
    relay = RelayProcess("--shards", "1", *options, runtime_dir=directory)
    stack.callback(relay.dispose)
    return relay


def crowd(stack, relay, count):
    """Clients that read all that comes, on a thread of their own."""
    clients, over = Clients(relay.port), threading.Event()
    for number in range(count):
        clients.open(number, "")

    def listen():
        while not over.is_set():
            clients.listen(0.05)

    thread = threading.Thread(target=listen)
    thread.start()
    stack.callback(lambda: (over.set(), thread.join()))


def push_steadily(relay, rate, seconds, data, look=lambda: None):
    """Commands at that rate; `look` is called about four times a second."""
    pusher, sent, begun = Pusher(relay.endpoint), 0, time.monotonic()
    next_look = begun
    while (now := time.monotonic()) < begun + seconds:
        while sent < (now - begun) * rate:
            pusher.set(f"k{sent % 1000}", data)
            sent += 1
        if now >= next_look:
            next_look = now + 0.25
            look()
        time.sleep(TICK)
    pusher.close()
    return sent


def until(condition, what):
    end = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(what)
        time.sleep(TICK)


def measure_idle(options):
    """CPU in per cent of one core."""
    result = {}
    with contextlib.ExitStack() as stack:
        cluster = Cluster(stack)
        relays = [cluster.relay() for _ in range(options.relays)]
        for relay in relays[:-1]:
            crowd(stack, relay, options.clients)
        pids = {**{f"relay {number}": relay.pid for number, relay in enumerate(relays)}, "redis": cluster.redis.process.pid}
        result["cluster, the last without clients"] = cpu_of(pids, relays[0], options)
    with contextlib.ExitStack() as stack:
        relay = start(stack)
        crowd(stack, relay, options.clients)
        result["single relay"] = cpu_of({"relay": relay.pid}, relay, options)
    return result


def cpu_of(pids, relay, options):
    before = {name: cpu_seconds(pid) for name, pid in pids.items()}
    push_steadily(relay, options.rate, options.seconds, "x" * options.bytes)
    return {name: round((cpu_seconds(pid) - before[name]) / options.seconds * 100, 1) for name, pid in pids.items()}


def measure_join(options):
    with contextlib.ExitStack() as stack:
        cluster = Cluster(stack)
        first = cluster.relay()
        pushing = threading.Thread(
            target=push_steadily, args=(first, options.rate, 2 * options.seconds, "x" * options.bytes))
        pushing.start()
        time.sleep(options.seconds)
        behind, begun = cluster.log()["entries"], time.monotonic()
        relay = cluster.relay()
        ready = time.monotonic() - begun
        until(lambda: relay.health()["seq"] >= first.health()["seq"], "the newcomer is where the first one is")
        level = time.monotonic() - begun
        pushing.join()
        return {"entries_behind": behind, "ready_seconds": round(ready, 2), "level_seconds": round(level, 2)}


def measure_memory(options):
    looks = []
    with contextlib.ExitStack() as stack:
        cluster = Cluster(stack)
        relay = cluster.relay()
        sent = push_steadily(relay, options.rate, options.seconds, "x" * options.bytes, lambda: looks.append(cluster.log()))
        most = {name: max(look[name] for look in looks) for name in looks[0]}
        return {"commands": sent, "most": most, "at_the_end": cluster.log()}


def measure_checkpoint(options):
    with contextlib.ExitStack() as stack:
        cluster = Cluster(stack)
        relay = cluster.relay("--max-state", f"{2 * options.mib}MiB")
        pusher, keys = Pusher(relay.endpoint), 100_000
        for number in range(keys):
            pusher.set(f"key-{number}", "x" * (options.mib * MIB // keys))
        peer = ControlPeer(relay.ready["control"][0])
        stack.callback(peer.close)
        pusher.hand_over()
        before, times = settled_checkpoint(cluster, peer), []
        while len(times) < 3000 or cluster_is_at(cluster, before, times):
            times.append(ask(peer))
        during = sorted(times)
        return {"rss_mib": relay.rss() // MIB, "peak_rss_mib": relay.peak_rss() // MIB, "commands": len(times),
                "answered_ms": {"median": round(statistics.median(during), 2),
                                "p999": round(during[int(len(during) * 0.999)], 1), "max": round(during[-1], 1)}}


def ask(peer):
    """Milliseconds until the answer."""
    begun = time.perf_counter()
    peer.confirm({"op": "set", "key": "key-1", "value": 1}, 60.0)
    return (time.perf_counter() - begun) * 1000


def settled_checkpoint(cluster, peer):
    """The newest one, when what filled the state is part of it."""
    ask(peer)
    until(lambda: cluster.redis.cli("HEXISTS", INFO, "turn") == "0", "no checkpoint is being written")
    return cluster.newest_checkpoint()


def cluster_is_at(cluster, checkpoint, times):
    """Looked at now and then, since that takes its time."""
    if len(times) > 1_000_000:
        raise TimeoutError("a checkpoint")
    return len(times) % 200 != 0 or cluster.newest_checkpoint() == checkpoint


def main():
    measures = {"idle": measure_idle, "join": measure_join, "memory": measure_memory, "checkpoint": measure_checkpoint}
    parser = argparse.ArgumentParser(prog="cluster.py", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("measure", choices=measures)
    parser.add_argument("--rate", type=int, default=1000, help="commands a second")
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--bytes", type=int, default=200, help="of each command's value")
    parser.add_argument("--relays", type=int, default=3)
    parser.add_argument("--clients", type=int, default=100, help="of each relay that has some")
    parser.add_argument("--mib", type=int, default=256, help="of state")
    options = parser.parse_args()
    print(json.dumps({options.measure: measures[options.measure](options)}))


if __name__ == "__main__":
    main()
