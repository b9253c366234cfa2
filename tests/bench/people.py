"""Loads of those who come, go and speak; prints one JSON object, and fails when a promise was broken.

    people.py flap --members 5000 --seconds 60    members that come and go: memory, CPU, and what a client makes of it
    people.py say --clients 1000 --seconds 30     clients that say something to two workers: loss, time to the `sync:ack`

The relay is $SYNCRELAY_BINARY, else build/syncrelay.
"""

import argparse
import asyncio
import itertools
import json
import multiprocessing
import pathlib
import random
import re
import signal
import statistics
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "e2e"), str(HERE.parents[1] / "clients" / "python" / "src")]

from channel_client import ChannelClient  # noqa: E402
from clients import Clients, cpu_seconds, frame  # noqa: E402
from control_peer import ControlPeer  # noqa: E402
from fold import MEMBER_EVENTS  # noqa: E402
from relay_process import RelayProcess, is_sanitized  # noqa: E402

SETTLE_SECONDS = 30.0
RECONNECTS = 0.2  # how many of those who go close their connection; the others leave their room
AWAY_SECONDS = 0.5
MIB = 1 << 20
ACK = re.compile(rb'\{"type":"sync:(ack|error)","ref":"(\d+)"')


def until(condition, listen, what):
    end = time.monotonic() + SETTLE_SECONDS
    while not condition():
        listen(0.02)
        if time.monotonic() > end:
            raise TimeoutError(what)


# Members that flap.

class Flappers:
    """So many members in rooms of `room_size`; each is an identity with one connection."""

    def __init__(self, port, members, room_size):
        self._clients = Clients(port)
        self._rooms = [f"room:{number // room_size}" for number in range(members)]
        self._connections = {}  # number to its socket
        self.rooms = sorted(set(self._rooms))

    def come(self, number):
        """Connects, or follows its room again."""
        if number not in self._connections:
            hello = json.dumps({"type": "sync:hello", "id": f"dev-{number}", "info": {"name": f"Device {number}"}})
            self._connections[number] = self._clients.open(number, f"?channel={self._rooms[number]}", hello.encode())
        else:
            self._say(number, "sync:subscribe")

    def go(self, number, draw):
        if draw.random() < RECONNECTS:
            self._clients.close(self._connections.pop(number), draw.random() < 0.5)
        else:
            self._say(number, "sync:unsubscribe")

    def _say(self, number, kind):
        self._connections[number].send(frame(json.dumps({"type": kind, "channel": self._rooms[number]}).encode()))

    def listen(self, seconds):
        self._clients.listen(seconds)

    def go_all(self):
        for connection in self._connections.values():
            self._clients.close(connection, clean=True)
        self._connections = {}


def watch(port, rooms, pipe):
    """A client of all rooms in a process of its own; at the end it tells how many events came and who is there."""
    async def run():
        client = await ChannelClient.open(None, *rooms, port=port)
        await client.begun(*rooms)
        pipe.send("ready")
        events = 0
        while not pipe.poll():
            try:
                body = await client.next(0.2)
                events += body["type"] in MEMBER_EVENTS
                client.told.clear()
                for history in client.channels.values():
                    history.messages.clear()
            except asyncio.TimeoutError:
                continue
        pipe.recv()
        skipped = sum(history.skipped for history in client.channels.values())
        pipe.send((events, skipped, {room: client.channels[room].people for room in rooms}))
        await client.abort()
    asyncio.run(run())


def members_of(peer, rooms):
    return {room: peer.confirm({"op": "members", "channel": room})["members"] for room in rooms}


def flap(options, relay):
    flappers = Flappers(relay.port, options.members, options.room_size)
    peer = ControlPeer(relay.ready["control"][0])
    ours, theirs = multiprocessing.Pipe()
    watcher = multiprocessing.Process(target=watch, args=(relay.port, flappers.rooms, theirs), daemon=True)
    watcher.start()  # before there are connections that it would inherit and keep open
    assert ours.poll(SETTLE_SECONDS) and ours.recv() == "ready"
    for number in range(options.members):
        flappers.come(number)
        if number % 50 == 0:
            flappers.listen(0)
    until(lambda: relay.metrics().value("members") == options.members, flappers.listen, "all are members")
    before, cpu, began = relay.rss(), cpu_seconds(relay.pid), time.monotonic()
    joins = relay.metrics().value("events_total")
    flaps, peak = keep_flapping(flappers, options, relay)
    seconds, cpu = time.monotonic() - began, cpu_seconds(relay.pid) - cpu
    until(lambda: relay.metrics().value("members") == options.members, flappers.listen, "all are members again")
    told, events, after = members_of(peer, flappers.rooms), relay.metrics().value("events_total"), relay.rss()
    ours.send("stop")
    until(ours.poll, flappers.listen, "the watcher answers")
    heard, skipped, seen = ours.recv()
    watcher.join()
    assert heard + skipped == events, f"{heard} heard and {skipped} skipped of {events} events"
    assert seen == told, "the watcher made other members of the events than the relay has"
    flappers.go_all()
    until(lambda: not any(members_of(peer, flappers.rooms).values()), time.sleep, "nobody is left")
    assert is_sanitized() or peak < before * 1.5 + 32 * MIB, f"RSS rose from {before} to {peak}"
    events -= joins
    return {"members": options.members, "seconds": round(seconds, 1), "flaps_per_second": round(flaps / seconds),
            "events_per_second": round(events / seconds), "skipped": skipped, "relay_cpu_seconds": round(cpu, 2),
            "relay_cpu_us_per_event": round(cpu / max(events, 1) * 1e6), "rss_before_mib": round(before / MIB, 1),
            "rss_peak_mib": round(peak / MIB, 1), "rss_after_mib": round(after / MIB, 1),
            "rss_all_gone_mib": round(relay.rss() / MIB, 1)}


def keep_flapping(flappers, options, relay):
    """Returns how often one went and came, and the largest RSS."""
    draw, away, flaps, peak = random.Random(1), [], 0, 0
    here = set(range(options.members))
    began = time.monotonic()
    while (now := time.monotonic() - began) < options.seconds:
        while flaps < now * options.rate and len(away) < options.members // 2:
            number = draw.choice(tuple(here)) if len(here) < 100 else draw.randrange(options.members)
            if number in here:
                here.discard(number)
                flappers.go(number, draw)
                away.append((now + AWAY_SECONDS, number))
                flaps += 1
        while away and away[0][0] <= now:
            number = away.pop(0)[1]
            flappers.come(number)
            here.add(number)
        flappers.listen(0.005)
        peak = max(peak, relay.rss())
    for _, number in away:
        flappers.come(number)
    return flaps, peak


# Clients that say something.

def work(endpoint, control, prefetch, pipe):
    """A worker as a program is one: the Python client's own loop."""
    from syncrelay import Relay

    seen, cpu = [], time.process_time()
    with Relay(endpoint, control=control) as relay:
        pipe.send("ready")
        for message in relay.messages(prefetch=prefetch):
            data = message.body
            if data["client"] < 0:
                break
            seen.append((data["client"], data["number"]))
    pipe.send((seen, time.process_time() - cpu))


class Speakers:
    """They speak in turn, at an even rate; `waits` are the times to the acknowledgements, in seconds."""

    def __init__(self, port, count):
        self.clients = Clients(port, self._hear)
        self.connections = [self.clients.open(number, f"?session=s{number}") for number in range(count)]
        self.waits, self.refused, self.said = [], [], 0
        self._sent, self._rest = [], [b""] * count

    def say(self):
        ref = self.said
        client, number = ref % len(self.connections), ref // len(self.connections)
        text = b'{"type":"load:say","ref":"%d","client":%d,"number":%d}' % (ref, client, number)
        self._sent.append(time.monotonic())
        self.connections[client].sendall(frame(text))
        self.said += 1

    def _hear(self, client, data):
        data, now = self._rest[client] + data, time.monotonic()
        end = 0
        for found in ACK.finditer(data):
            end = found.end()
            if found[1] == b"ack":
                self.waits.append(now - self._sent[int(found[2])])
            else:
                self.refused.append(data[found.start():found.end() + 60])
        self._rest[client] = data[end:][-200:]

    @property
    def answered(self):
        return len(self.waits) + len(self.refused)


def say(options, relay):
    pipes, workers = [], []
    for _ in range(options.workers):
        ours, theirs = multiprocessing.Pipe()
        how = (relay.endpoint, relay.ready["control"][0], options.prefetch, theirs)
        workers.append(multiprocessing.Process(target=work, args=how, daemon=True))
        workers[-1].start()
        assert ours.poll(SETTLE_SECONDS) and ours.recv() == "ready"
        pipes.append(ours)
    peer = ControlPeer(relay.ready["control"][0])
    peer.confirm({"op": "receive", "max": 1})
    speakers = Speakers(relay.port, options.clients)
    until(lambda: relay.metrics().value("clients") == options.clients, speakers.clients.listen, "all are there")
    cpu, began = cpu_seconds(relay.pid), time.monotonic()
    most = 0
    for step in itertools.count():
        now = time.monotonic() - began
        if now >= options.seconds:
            break
        while speakers.said < now * options.clients * options.rate and speakers.said - speakers.answered < options.most:
            speakers.say()
            if speakers.said % 50 == 0:
                speakers.clients.listen(0)
        speakers.clients.listen(0.001)
        if step % 500 == 0:
            most = max(most, relay.metrics().value("inbox_messages"))
    said_seconds = time.monotonic() - began
    until(lambda: speakers.answered == speakers.said, speakers.clients.listen, "all is answered")
    cpu_said = cpu_seconds(relay.pid) - cpu
    until(lambda: relay.metrics().value("inbox_messages") == 0, speakers.clients.listen, "all is done")
    seconds, cpu = time.monotonic() - began, cpu_seconds(relay.pid) - cpu
    seen, worker_cpu = end_workers(pipes, workers, relay.port)
    acked = speakers.said - len(speakers.refused)
    check(seen, acked)
    waits = sorted(speakers.waits)
    return {"clients": options.clients, "said": speakers.said, "said_per_second": round(speakers.said / said_seconds),
            "done_per_second": round(len(seen) / seconds), "refused": len(speakers.refused),
            "refusals": sorted({text.split(b'"code":"')[1].split(b'"')[0].decode() for text in speakers.refused}),
            "lost": acked - len(set(seen)),
            "ack_p50_ms": round(statistics.median(waits) * 1000, 2),
            "ack_p99_ms": round(waits[len(waits) * 99 // 100] * 1000, 2), "ack_worst_ms": round(waits[-1] * 1000, 1),
            "relay_cpu_seconds": round(cpu, 2), "relay_cpu_share_while_said": round(cpu_said / said_seconds, 2),
            "worker_cpu_seconds": [round(each, 1) for each in worker_cpu], "most_waiting": round(most),
            "rss_mib": round(relay.rss() / MIB, 1), "rss_peak_mib": round(relay.peak_rss() / MIB, 1)}


def end_workers(pipes, workers, port):
    """Each takes one message that says so, from senders of their own."""
    last = Clients(port)
    seen, cpu = [], []
    pending = list(pipes)
    number = 0
    while pending:
        last.open(number, f"?session=last{number}", b'{"type":"load:end","client":-1}')
        number += 1
        end = time.monotonic() + 2
        while time.monotonic() < end and pending:
            for pipe in multiprocessing.connection.wait(pending, 0.1):
                told, used = pipe.recv()
                seen += told
                cpu.append(used)
                pending.remove(pipe)
        assert number < 20, "a worker does not end"
    for worker in workers:
        worker.join()
    return seen, cpu


def check(seen, acked):
    """Nothing is lost; and nothing came twice, since nobody was killed."""
    assert len(seen) == acked, f"{acked} were acknowledged, {len(seen)} came"
    assert len(set(seen)) == acked, "something came twice"


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the relay ends, too
    parser = argparse.ArgumentParser(prog="people.py", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    kinds = parser.add_subparsers(dest="kind", required=True)
    flapping, saying = kinds.add_parser("flap"), kinds.add_parser("say")
    for each in (flapping, saying):
        each.add_argument("--seconds", type=float, default=30)
        each.add_argument("--data", action="store_true", help="store it")
        each.add_argument("--shards", type=int, default=2)
    flapping.add_argument("--members", type=int, default=5000)
    flapping.add_argument("--room-size", type=int, default=20)
    flapping.add_argument("--rate", type=float, default=400, help="of those who go, in all, a second")
    saying.add_argument("--clients", type=int, default=1000)
    saying.add_argument("--rate", type=float, default=20, help="of what each says, a second")
    saying.add_argument("--workers", type=int, default=2)
    saying.add_argument("--prefetch", type=int, default=200)
    saying.add_argument("--most", type=int, default=5000, help="without an answer at a time, of all clients")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="syncrelay-people-") as directory:
        print(json.dumps(run(options, pathlib.Path(directory))))


def run(options, directory):
    arguments = ["--shards", options.shards, "--client-rate", 0, "--anonymous-identity",
                 "--ping-interval", "1h"]  # the clients answer none
    arguments += ["--data", directory / "data"] if options.data else []
    if options.kind == "flap":
        arguments += ["--open-channels", "room:*", "--presence", "room:*", "--max-subscriptions", 10_000,
                      "--presence-grace", "200ms", "--presence-grace-closed", "0ms"]
    relay = RelayProcess(*arguments, runtime_dir=directory / "run")
    try:
        return {"flap": flap, "say": say}[options.kind](options, relay)
    finally:
        relay.dispose()


if __name__ == "__main__":
    main()
