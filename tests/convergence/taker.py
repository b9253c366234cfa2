"""A worker as a process of its own, so that it can be killed in the middle of a lease:

    taker.py SEED NAME ENDPOINT JOURNAL

It receives, and then is done, gives back, extends, or forgets. The journal has what it asks, before it does, and what it
was answered, before anything comes of it. The end of standard input says: be done with everything.
"""

import pathlib
import random
import select
import sys
import time

import zmq

from backend import Journal
from control_peer import ControlPeer, NoAnswer

WAIT = 0.2
LEASES = (1, 1.2)
MOST = 6
PATIENCE = 0.5  # seconds beyond what the relay may wait
DEEDS = ("done", "half", "slow", "release", "forget")
DEED_WEIGHTS = (70, 10, 6, 8, 3)
SLOW_SECONDS = (0.05, 0.3)


class Taker:
    def __init__(self, seed, name, endpoint, journal):
        self._draw = random.Random(f"{seed}/{name}/{time.time()}")
        self._endpoint, self._journal = endpoint, Journal(pathlib.Path(journal))
        self._peer, self._asked = None, time.time_ns()

    @property
    def finishing(self):
        return bool(select.select([sys.stdin], [], [], 0)[0])

    def ask(self, op, wait=0.0, **members):
        """The answer; None when there was none in time, and a new socket then."""
        self._peer = self._peer or ControlPeer(self._endpoint, zmq.DEALER)
        self._asked += 1
        self._journal.write(ask=self._asked, at=time.time(), op=op, **members)
        try:
            self._peer.send({"op": op, **({"wait": wait} if wait else {}), **members})
            answer = self._peer.receive(wait + PATIENCE)
        except NoAnswer:
            self._peer.close()
            self._peer = None
            return None
        self._journal.write(ask=self._asked, heard=time.time(), answer=answer)
        return answer

    def run(self):
        while True:
            answer = self.ask("receive", WAIT, max=self._draw.randint(1, MOST), lease=self._draw.choice(LEASES))
            if answer and (numbers := [event["n"] for event in answer["events"]]):
                deed = "done" if self.finishing else self._draw.choices(DEEDS, DEED_WEIGHTS)[0]
                getattr(self, "_" + deed)(numbers)

    def _done(self, numbers):
        self.ask("done", n=numbers)

    def _half(self, numbers):
        half = (len(numbers) + 1) // 2
        self.ask("done", n=numbers[:half])
        if numbers[half:]:
            self.ask("release", n=numbers[half:])

    def _slow(self, numbers):
        self.ask("extend", n=numbers, lease=max(LEASES))
        time.sleep(self._draw.uniform(*SLOW_SECONDS))
        self.ask("done", n=numbers)

    def _release(self, numbers):
        self.ask("release", n=numbers)

    def _forget(self, numbers):
        """The lease runs out."""


if __name__ == "__main__":
    Taker(*sys.argv[1:]).run()
