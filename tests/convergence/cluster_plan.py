"""What a seed stands for where three relays share one Redis: options, what Redis is like, and which faults come when.

A plan is of one of three moods:

- `kept`: no Redis ends, so that nothing but what is on the way is in doubt, and the epoch stays;
- `lossless`: Redis ends, is emptied or fails over with its tail lost, but only while all relays are there and have the same,
  so that nothing that was confirmed is lost, though the epoch may be another one afterwards;
- `lossy`: everything at any time, also two masters at once. Then what was confirmed may be lost with its epoch.
"""

import random
from dataclasses import dataclass

import people
from commands import CHANNELS, OPEN_CHANNELS
from plan import FOLLOWED, KILLED, LISTED, SHORT_PINGS, STATE_KEYS, Fault

RELAYS = ("a", "b", "c")
CLIENTS = 4  # that wander
MOODS = ("kept", "lossless", "lossy")
COUNT = {"kept": 16, "lossless": 12, "lossy": 14}  # faults
GAP = (60, 250)  # events that all witnesses together see between two faults
AOF = ("--appendonly", "yes", "--appendfsync", "always")
SHORT, LONG = (0.1, 2.5), (11.0, 12.5)  # seconds of a freeze or a partition; a relay that is away for 10 s is declared gone
LONG_ONES = 0.03
HOUR = 3600
TIMEOUT = ("--cluster-timeout", "1s")

ANY = ("kill relay", "kill relay", "stop relay", "freeze relay", "freeze relay", "part relay", "part relay", "cut relay",
       "abandon relay", "slow relay", "freeze redis", "slow redis", "end connections", "kill backend", "kill backend",
       "drop client", "drop client")
ENDS = ("restart redis", "restart redis", "flush redis", "fail over", "fail over")


@dataclass(frozen=True)
class ClusterPlan:
    seed: int
    mood: str
    options: tuple
    redis_options: tuple
    clocks: tuple  # seconds by which each relay's is off
    faults: tuple
    channels: tuple  # what each client follows at first

    small_window = False
    lags = True

    @property
    def lists(self):
        """Whether the default channel's members are in its state, too."""
        return people.LIST_KEY in self.options

    @property
    def forgets(self):
        """Whether the epoch may end."""
        return self.mood != "kept"

    @property
    def loses(self):
        """Whether what was confirmed may be lost."""
        return self.mood == "lossy"

    @classmethod
    def from_seed(cls, seed):
        draw = random.Random(f"{seed}/cluster")
        mood = MOODS[seed % len(MOODS)]
        options = SHORT_PINGS + OPEN_CHANNELS + STATE_KEYS + people.OPTIONS + TIMEOUT
        options += people.LIST_OPTIONS if draw.random() < LISTED else ()
        options += ("--shards", str(draw.choice((1, 2))))
        clocks = draw.choice(((0, 0, 0), (0, HOUR, -HOUR)))
        redis_options = draw.choice((AOF, ()))
        faults = tuple(_fault(draw, mood) for _ in range(COUNT[mood]))
        channels = tuple(tuple(draw.sample(CHANNELS, draw.randint(*FOLLOWED))) for _ in range(CLIENTS))
        return cls(seed, mood, options, redis_options, clocks, faults, channels)


def _fault(draw, mood):
    kinds = {"kept": ANY, "lossless": ANY + ENDS + ENDS, "lossy": ANY + ENDS + ("part masters",) * 4}[mood]
    kind = draw.choice(kinds)
    gap, seconds = draw.randint(*GAP), round(draw.uniform(*(LONG if draw.random() < LONG_ONES else SHORT)), 2)
    relay = draw.choice(RELAYS)
    if kind in ("freeze relay", "part relay", "part masters"):
        return Fault(gap, kind, relay, seconds)
    if kind in ("freeze redis", "slow redis"):
        return Fault(gap, kind, None, round(draw.uniform(*SHORT), 2))
    if kind == "slow relay":
        return Fault(gap, kind, relay, draw.choice((0.0, 0.005, 0.02)))
    if kind == "kill backend":
        return Fault(gap, kind, draw.choice(KILLED))
    if kind == "drop client":
        return Fault(gap, kind, draw.randrange(CLIENTS), draw.random() < 0.5)
    if kind == "fail over":
        return Fault(gap, kind, None, draw.choice(("with the tail", "without the tail")))
    return Fault(gap, kind, relay if kind.endswith(" relay") else None)
