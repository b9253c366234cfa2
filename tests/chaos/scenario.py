"""What a seed stands for: the relay's options, and for each round who takes part and which faults come."""

import random
from dataclasses import dataclass

from backend_actors import Controls, Hoarders, PlainConnects, Pushers
from client_actors import (Browsers, Churn, Floods, Noise, OddUpgrades, Resets, Silent, SlowReaders, Wanderers)

ACTORS = {kind.__name__: kind for kind in (
    Noise, OddUpgrades, SlowReaders, Silent, Resets, Floods, Wanderers, Churn, Browsers, Pushers, Controls,
    PlainConnects, Hoarders)}
FAULTS = ("freeze", "freeze", "kill", "stop", "drop witness", "full disk", "lose data")
OTHERS = 6  # clients that are no actor's: the witnesses and whoever looks in
CAST = (3, 5)  # actors in a round
FAULTS_OF_A_ROUND = (0, 2)
SECONDS = (2.0, 4.0)
LOW_OPEN_FILES = (80, 128, 256)
DISK_SIZE = "64m"  # holds the default window twice, as rows and in SQLite's own log, and the state of the hoarders


@dataclass(frozen=True)
class Round:
    seconds: float
    actors: tuple  # names
    faults: tuple  # (when, as a part of the round; kind; amount)

    def __str__(self):
        return f"{self.seconds} s of {', '.join(self.actors)}; faults: {self.faults or 'none'}"


@dataclass(frozen=True)
class Scenario:
    seed: int
    options: tuple
    data: bool
    small_disk: bool
    open_files: object  # None, or the relay's limit of open files
    max_clients: object  # None, or small
    small_window: bool
    drain_seconds: int
    rounds: tuple
    disk_size: str = DISK_SIZE

    def crowded(self, played):
        """Whether the actors of this round may take all the room there is, and a newcomer is rightly turned away."""
        clients = OTHERS + sum(ACTORS[name].clients for name in played.actors)
        return self.open_files is not None or (self.max_clients is not None and clients > self.max_clients)

    @property
    def forgets(self):
        return not self.data or any(kind == "lose data" for r in self.rounds for _, kind, _ in r.faults)

    @classmethod
    def from_seed(cls, seed, rounds=8):
        draw = random.Random(seed)
        data, small = draw.random() < 0.6, draw.random() < 0.3
        disk = data and draw.random() < 0.4
        open_files = draw.choice(LOW_OPEN_FILES) if draw.random() < 0.25 else None
        max_clients = draw.choice((16, 60, 100)) if draw.random() < 0.3 else None
        drain = draw.choice((2, 5))
        options = _options(draw, small, max_clients) + ("--drain-timeout", f"{drain}s")
        options += ("--durability", "power") if data and draw.random() < 0.2 else ()
        played = tuple(_round(draw, data, disk) for _ in range(rounds))
        return cls(seed, options, data, disk, open_files, max_clients, small, drain, played)


def _options(draw, small_window, max_clients):
    """Legal ones, also where they are unwise."""
    options = ["--shards", draw.choice("123"), "--handshake-timeout", draw.choice(("2s", "10s", "10s"))]
    options += ["--log-events", draw.choice(("100", "3000")), "--log-bytes", "256KiB"] if small_window else []
    options += ["--send-buffer", draw.choice(("4KiB", "64KiB"))] if draw.random() < 0.4 else []
    options += ["--ping-interval", "400ms", "--ping-timeout", "800ms"] if draw.random() < 0.5 else []
    options += ["--json-ping-interval", "1s"] if draw.random() < 0.3 else []
    options += ["--stall-timeout", "1s"] if draw.random() < 0.3 else []
    options += ["--max-client-message", "100"] if draw.random() < 0.2 else []
    options += ["--max-command", "1MiB"] if draw.random() < 0.2 else []
    options += ["--max-clients", str(max_clients)] if max_clients else []
    options += ["--max-clients-per-address", draw.choice(("9", "200"))] if draw.random() < 0.2 else []
    return tuple(options)


def _round(draw, data, disk):
    cast = tuple(sorted(draw.sample(tuple(ACTORS), draw.randint(*CAST))))
    faults = sorted(_fault(draw, data, disk) for _ in range(draw.randint(*FAULTS_OF_A_ROUND)))
    return Round(round(draw.uniform(*SECONDS), 1), cast, tuple(faults))


def _fault(draw, data, disk):
    """What is not possible here becomes a plainer fault."""
    kind = draw.choice(FAULTS)
    if (kind == "full disk" and not disk) or (kind == "lose data" and not data):
        kind = "drop witness"
    amount = round(draw.uniform(0.2, 1.9), 1)
    return round(draw.uniform(0.1, 0.9), 2), kind, amount
