"""Faults at random while relays append: whatever happens, what a relay appended that lives is told once, to all, and no
epoch has two histories. One seed: `pytest tests/cluster/test_random.py -k 17`; others: SYNCRELAY_SEEDS=100-200."""

import os
import random
import time

import pytest

from deadline import wait_until

STEPS = 14


def seeds():
    first, _, last = os.environ.get("SYNCRELAY_SEEDS", "1-6").partition("-")
    return range(int(first), int(last or first) + 1)


class Play:
    def __init__(self, seed, start_redis, start_sentinel, join):
        self.random = random.Random(seed)
        self.start_redis, self.join_one = start_redis, join
        self.durable = self.random.random() < 0.5
        self.master = self.redis()
        self.sentinel = start_sentinel(self.master)
        self.relays = [self.join() for _ in range(3)]
        self.appended: dict[str, list[str]] = {}
        self.count = 0
        self.paused: dict = {}  # relay to when it goes on
        self.done: list[str] = []

    def redis(self):
        return self.start_redis(*(("--appendonly", "yes", "--appendfsync", "always") if self.durable else ()))

    def join(self):
        return self.join_one(self.sentinel, bid_wait=2000, entries=self.random.choice([30, 100, 10_000]))

    def append(self):
        for relay in self.relays:
            for _ in range(self.random.randrange(30)):
                self.count += 1
                text = f"{relay.id}-{self.count}"
                relay.append(text)
                self.appended.setdefault(relay.id, []).append(text)

    def everybody_is_here(self):
        for relay in list(self.paused):
            relay.resume()
        if self.paused:
            self.paused.clear()
            self.together()

    def together(self):
        """All have read all: then nothing that Redis loses is known to one alone that is not there."""
        mark = f"mark{self.count}"
        self.count += 1
        self.relays[0].append(mark)
        for relay in self.relays:
            relay.until_has(mark, seconds=30)

    @staticmethod
    def go_by(seconds):
        """How long a fault lasts: nothing is waited for."""
        time.sleep(seconds)

    # Faults.

    def end_connections(self):
        self.master.try_cli("CLIENT", "KILL", "TYPE", "normal")

    def pause_redis(self):
        self.master.pause()
        self.append()
        self.go_by(self.random.choice([0.3, 1.2, 2.5]))
        self.master.resume()

    def restart_redis(self):
        self.everybody_is_here()
        self.master.restart()

    def empty_redis(self):
        self.everybody_is_here()
        self.master.cli("FLUSHALL")

    def fail_over(self):
        self.everybody_is_here()
        replica = self.redis()
        replica.replicate(self.master)
        if self.random.random() < 0.6:
            replica.cut_replica()
            self.append()
            self.together()
        self.append()
        self.master.kill()
        replica.promote()
        self.master = self.sentinel.master = replica

    def pause_relay(self):
        relay = self.random.choice(self.relays)
        relay.pause()
        self.paused[relay] = time.monotonic() + self.random.choice([0.2, 1.0, 3.0])

    def kill_relay(self):
        self.everybody_is_here()
        relay = self.relays.pop(self.random.randrange(3))
        relay.kill()
        self.appended.pop(relay.id, None)
        self.relays.append(self.join())

    def let_go_on(self):
        for relay, when in list(self.paused.items()):
            if time.monotonic() > when:
                relay.resume()
                del self.paused[relay]

    def step(self):
        fault = self.random.choice([self.end_connections, self.pause_redis, self.restart_redis, self.empty_redis,
                                    self.fail_over, self.pause_relay, self.pause_relay, self.kill_relay])
        self.done.append(fault.__name__)
        self.append()
        fault()
        self.append()
        self.go_by(self.random.random() * 0.4)
        self.let_go_on()


@pytest.mark.parametrize("seed", seeds())
def test_nothing_is_lost_or_doubled(seed, start_redis, start_sentinel, join):
    play = Play(seed, start_redis, start_sentinel, join)
    for _ in range(STEPS):
        play.step()
    for relay in list(play.paused):
        relay.resume()
    rows = wait_until(lambda: all_the_same(play), lambda: f"all have all after {play.done}", 40)
    for name, texts in play.appended.items():
        mine = [text for text in rows if text.startswith(name + "-")]
        assert mine == texts, f"{name}: {len(mine)} of {len(texts)} after {play.done}"


def all_the_same(play):
    rows = [relay.row() for relay in play.relays]
    expected = sum(len(texts) for texts in play.appended.values())
    living = tuple(name + "-" for name in play.appended)
    complete = sum(text.startswith(living) for text in rows[0]) >= expected
    same = rows[0] == rows[1] == rows[2] and len({relay.epoch() for relay in play.relays}) == 1
    return rows[0] if complete and same else None
