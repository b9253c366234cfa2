"""Those who behave: clients that follow every event, and a backend that knows what was confirmed."""

import itertools
import random
import threading
import time
import traceback

from control_peer import ControlPeer, NoAnswer
from follower import Follower
from ledger import Ledger
from plain_commands import command

INTERVAL = 1 / 60  # seconds between two commands
ATTEMPT = 1.0  # seconds to wait for an answer
AGAIN = 0.1  # how often a confirmed command is sent once more
NAME = "w0"
RETRIED = ("storage_full", "storage_failed", "busy")
DROP_SECONDS = 2.0  # within so long a dropped connection's end is seen


def not_dropped(endings, drops):
    """The endings that no drop just before them explains."""
    return [(when, ending) for when, ending in endings
            if not any(0 <= when - drop < DROP_SECONDS for drop in drops)]


class WitnessClient(Follower):
    """One of the default channel. Knows which ends of its connections it brought about itself."""

    def __init__(self, name, port):
        super().__init__(name, port, bare=True)
        self._drops = []

    def leave(self, forget):
        self._drops.append(time.monotonic())
        self.drop(forget)

    def ends(self):
        """(when, by what) each connection ended that it did not drop."""
        return not_dropped(self.endings, self._drops)


class WitnessBackend:
    """One confirmed command after the other, each with an id, from a thread of its own. `pause` returns when the
    one under way is confirmed; the ledger is to be read only then."""

    def __init__(self, seed, endpoint):
        """`endpoint` is a function: asked anew for every attempt."""
        self.ledger = Ledger()
        self.slowest = 0.0
        self._seed, self._endpoint, self._draw = seed, endpoint, random.Random(seed)
        self._go, self._idle, self._ending = threading.Event(), threading.Event(), False
        self._error, self._peer = None, None
        self._idle.set()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def resume(self):
        self._idle.clear()
        self._go.set()

    def pause(self, seconds):
        """None, or what is wrong."""
        self._go.clear()
        idle = self._idle.wait(seconds)
        return self._error or (None if idle else f"a confirmed command has no answer after {seconds} s")

    def stop(self):
        self._ending = True
        self._go.set()
        self._thread.join()

    def _run(self):
        try:
            for number in itertools.count():
                if not self._wait():
                    return
                made = command(self._seed, NAME, number)
                self._confirm(made, times_sent=0)
                if self._draw.random() < AGAIN and not self._ending:
                    self._confirm(made, times_sent=1)
        except Exception:  # told by pause()
            self._error = traceback.format_exc()
        finally:
            self._close_peer()
            self._idle.set()

    def _wait(self):
        """Until it is this backend's turn; False at the end."""
        if not self._go.is_set():
            self._idle.set()
            self._go.wait()
            self._idle.clear()
        time.sleep(INTERVAL)
        return not self._ending

    def _confirm(self, made, times_sent):
        start = time.monotonic()
        while not self._ending:
            times_sent += 1
            answer = self._attempt(made)
            if answer and (answer["ok"] or answer["error"]["code"] not in RETRIED):
                self.ledger.confirm(made, answer, times_sent)
                self.slowest = max(self.slowest, time.monotonic() - start)
                return
            time.sleep(INTERVAL if answer else 0)

    def _attempt(self, made):
        """The answer, or None: the next attempt has a new socket."""
        try:
            self._peer = self._peer or ControlPeer(self._endpoint())
            return self._peer.ask(made, ATTEMPT)
        except NoAnswer:
            self._close_peer()
            return None

    def _close_peer(self):
        if self._peer:
            self._peer.close()
        self._peer = None
