"""A hostile peer, or many of one kind: a thread that takes one step after the other until it is stopped."""

import contextlib
import threading
import traceback

import zmq

from control_peer import NoAnswer
from raw_client import RawClient

ADDRESSES = 8  # sources, so that a limit per address leaves room for whoever comes from 127.0.0.1
MISSES = (OSError, EOFError, ValueError, AssertionError, IndexError, NoAnswer, zmq.ZMQError)
CLIENT_SECONDS = 0.5
JOIN_SECONDS = 15.0


class Actor(threading.Thread):
    """`stage` says where the relay is: asked anew for every connection, since it may have been started again. What a
    step meets on the other side is no concern of its own: whether the relay bore it is judged from outside."""

    pause = 0.02  # seconds between two steps
    crowd = 20  # connections held at a time
    clients = 10  # at most so many are clients of the relay at a time, with those that it does not know to be gone

    def __init__(self, stage, draw):
        super().__init__(daemon=True, name=type(self).__name__)
        self.stage, self.draw = stage, draw
        self.error = None  # what is wrong with the actor itself
        self.steps = self.missed = 0
        self._ending = threading.Event()
        self._held = []

    def step(self):
        raise NotImplementedError

    def run(self):
        try:
            while not self._ending.is_set():
                self.steps += 1
                try:
                    self.step()
                except MISSES:
                    self.missed += 1
                self.wait(self.pause)
        except Exception:  # told by whoever joins
            self.error = traceback.format_exc()
        finally:
            self._let_go()

    def wait(self, seconds):
        """False when the actor is to end."""
        return not self._ending.wait(seconds)

    def stop(self):
        self._ending.set()

    def ended(self):
        """Waits for the end of the current step; None, or what is wrong with the actor."""
        self.join(JOIN_SECONDS)
        return f"{self.name} does not end" if self.is_alive() else self.error

    # What steps are made of.

    def connect(self, **how):
        """From one of a few addresses; not held."""
        source = f"127.0.0.{2 + self.draw.randrange(ADDRESSES)}"
        return RawClient(self.stage.port, **{"source": source, "seconds": CLIENT_SECONDS, **how})

    def open(self, held=True, **how):
        """An open WebSocket, held until it is let go."""
        client = self.connect(**how)
        try:
            client.upgrade(Sec_WebSocket_Extensions=self.draw.choice((None, "permessage-deflate")))
        except BaseException:
            client.close()
            raise
        return self.hold(client) if held else client

    def hold(self, closable):
        """Keeps it open to the end, or until `crowd` others have come."""
        self._held.append(closable)
        if len(self._held) > self.crowd:
            self._held.pop(self.draw.randrange(len(self._held) - 1)).close()
        return closable

    @property
    def held(self):
        return tuple(self._held)

    def _let_go(self):
        while self._held:
            with contextlib.suppress(*MISSES):
                self._held.pop().close()
