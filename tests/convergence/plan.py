"""What a seed stands for: the relay's options, who takes part, and which faults come when."""

import random
from dataclasses import dataclass

import people
from commands import CHANNELS, CONFIGURED, OPEN_CHANNELS

LINKS = 4
BACKENDS = {"s0": "sequential", "s1": "sequential", "l0": "pipelined", "p0": "pushed", "p1": "pushed"}
KILLED = ("s0", "l0", "p0", "p1")
FOLLOWED = (1, 12)  # channels that a client follows at first; the first client is one that knows nothing of channels
CRASH_POINTS = ("before_commit", "after_commit", "before_answer")
GAP = (30, 150)  # events between two faults
DATA_MODES = ("always", "always", "always", "never", "mixed")
SMALL_WINDOW = ("--log-events", "200", "--log-bytes", "64KiB", "--send-buffer", "4KiB")
STATE_KEYS = tuple(word for key in CONFIGURED for word in ("--state-key", key))
SHORT_PINGS = ("--ping-interval", "700ms", "--ping-timeout", "700ms", "--stall-timeout", "2s")
CLOCK_JUMPS = (-100_000, -30, 30, 100_000)  # seconds; ids must not care, though their window is 10 minutes
LISTED = 0.4  # how many plans have the default channel's members in its state, too
CALM = 0.15  # how many plans leave the relay running, so that nothing that was pushed may be missing either


@dataclass(frozen=True)
class Fault:
    """Comes `gap` events after the one before. `target` is a backend or the number of a link."""
    gap: int
    kind: str
    target: object = None
    amount: object = None

    def __str__(self):
        return " ".join(str(x) for x in (self.kind, self.target, self.amount) if x is not None)


@dataclass(frozen=True)
class Plan:
    seed: int
    options: tuple
    data_mode: str
    power: bool
    small_window: bool
    faults: tuple
    channels: tuple = (("",),) * LINKS  # what each client follows at first

    @property
    def lists(self):
        """Whether the default channel's members are in its state, too."""
        return people.LIST_KEY in self.options

    lags = False  # there is one relay

    @property
    def forgets(self):
        """Whether the relay is ever started without --data."""
        return self.data_mode != "always"

    @classmethod
    def from_seed(cls, seed, count=18, crash_points=False, clock_jumps=False):
        draw = random.Random(seed)
        mode, small, power = draw.choice(DATA_MODES), draw.random() < 0.3, draw.random() < 0.2
        options = SHORT_PINGS + OPEN_CHANNELS + STATE_KEYS + (SMALL_WINDOW if small else ())
        options += ("--shards", str(draw.choice((1, 2, 3))))
        options += people.OPTIONS + (people.LIST_OPTIONS if random.Random(f"{seed}/list").random() < LISTED else ())
        calm = draw.random() < CALM
        maker = _Faults(draw, mode, calm, crash_points, clock_jumps)
        faults = tuple(maker.next() for _ in range(count))
        return cls(seed, options, mode, power, small, faults, tuple(_channels(seed)))


def _channels(seed):
    draw = random.Random(f"{seed}/channels")
    yield ("",)
    for _ in range(1, LINKS):
        yield tuple(draw.sample(CHANNELS, draw.randint(*FOLLOWED)))


class _Faults:
    """What is not possible here becomes a plainer fault."""

    def __init__(self, draw, mode, calm, crash_points, clock_jumps):
        self._draw, self._mode = draw, mode
        restarts = () if calm else (self._kill, self._kill, self._stop, self._crash, self._crash)
        self._makers = (*restarts, self._freeze, self._backend, self._backend, self._link, self._link, self._link,
                        self._link, self._leave, self._jump)
        self._crash_points, self._clock_jumps = crash_points, clock_jumps

    def next(self):
        gap = self._draw.randint(*GAP)
        make = self._draw.choice(self._makers)
        return Fault(gap, *make())

    def _start(self):
        """Whether the relay comes back with --data."""
        return {"always": True, "never": False, "mixed": self._draw.random() < 0.5}[self._mode]

    def _jump(self):
        seconds = self._draw.choice(CLOCK_JUMPS)
        if not self._clock_jumps:
            return self._leave()
        return "jump clock", None, seconds

    def _kill(self):
        return "kill relay", None, self._start()

    def _stop(self):
        return "stop relay", None, self._start()

    def _crash(self):
        place = f"{self._draw.choice(CRASH_POINTS)}:{self._draw.randint(3, 60)}"
        start = self._start()
        # Without --data nothing is committed, so that point is never passed.
        if not self._crash_points or self._mode != "always":
            return "kill relay", None, start
        return "crash relay", place, start

    def _freeze(self):
        return "freeze relay", None, round(self._draw.uniform(0.05, 0.6), 3)

    def _backend(self):
        target = self._draw.choice((*KILLED, *people.TAKERS))
        return "kill worker" if target in people.TAKERS else "kill backend", target

    def _link(self):
        kind = self._draw.choice(("cut", "reset", "stall", "resume", "abandon", "delay", "delay"))
        seconds = self._draw.choice((0.0, 0.0, 0.02, 0.2))
        return f"{kind} link", self._draw.randrange(LINKS), seconds if kind == "delay" else None

    def _leave(self):
        return "drop client", self._draw.randrange(LINKS), self._draw.random() < 0.5
