"""Two masters at a time, at random: each relay has a sentinel of its own, and they disagree. What is lost then is the
side's that is given up; but no epoch has two histories (conftest.py judges), and in the end all go on together."""

import random

import pytest

from deadline import wait_until
from test_random import seeds

STEPS = 8


class Partitioned:
    def __init__(self, seed, start_redis, start_sentinel, join):
        self.random = random.Random(seed)
        self.servers = [start_redis(), start_redis()]
        self.servers[1].replicate(self.servers[0])
        self.sentinels = [start_sentinel(self.servers[0]) for _ in range(3)]
        self.relays = [join(sentinel, bid_wait=500, silent=1500, entries=self.random.choice([25, 10_000]))
                       for sentinel in self.sentinels]
        self.count = 0
        for relay in self.relays:
            relay.wait_for("caught_up")

    def append(self):
        for relay in self.relays:
            for _ in range(self.random.randrange(12)):
                self.count += 1
                relay.append(f"{relay.id}-{self.count}")

    def split(self):
        """The second is master, too; some go over, whether or not their connections end."""
        if self.random.random() < 0.5:
            self.servers[1].cut_replica()
            self.append()
            self.mark(self.relays)
        self.servers[1].promote()
        for sentinel in self.sentinels:
            sentinel.master = self.random.choice(self.servers)
        if self.random.random() < 0.7:
            self.servers[0].kill_readers()
        for _ in range(3):
            self.append()
            by_master = [[relay for relay, sentinel in zip(self.relays, self.sentinels) if sentinel.master is server]
                         for server in self.servers]
            for side in by_master:
                if side and self.random.random() < 0.5:
                    self.mark(side)
            self.random.choice(self.sentinels).master = self.random.choice(self.servers)
            self.random.choice(self.servers).try_cli("CLIENT", "KILL", "TYPE", "normal")

    def mark(self, relays):
        """A letter of one of them comes back to it."""
        self.count += 1
        relays[0].append(f"mark{self.count}")
        relays[0].until_has(f"mark{self.count}", seconds=30)

    def heal(self):
        """One is given up, and is the other's replica."""
        self.random.shuffle(self.servers)
        for sentinel in self.sentinels:
            sentinel.master = self.servers[0]
        self.servers[1].replicate(self.servers[0])
        self.servers[1].try_cli("CLIENT", "KILL", "TYPE", "normal")
        self.mark(self.relays)


@pytest.mark.parametrize("seed", seeds())
def test_no_epoch_has_two_histories(seed, start_redis, start_sentinel, join):
    play = Partitioned(seed, start_redis, start_sentinel, join)
    for _ in range(STEPS):
        play.split()
        play.heal()
    for number, relay in enumerate(play.relays):
        relay.append(f"end{number}")
    for relay in play.relays:
        relay.until_has("end0", "end1", "end2", seconds=30)
    wait_until(lambda: len({relay.epoch() for relay in play.relays}) == 1, "one epoch")
    assert play.relays[0].row() == play.relays[1].row() == play.relays[2].row()
