"""The one thread that talks to the relay."""

from __future__ import annotations

import logging
import time
from collections import deque
from functools import partial

import zmq

from .control import Control
from .curve import Curve
from .epoch import EpochWatch
from .errors import RelayClosed
from .handover import Promise, log_here
from .leases import Leases
from .link import Link, LinkEvent
from .losses import Losses
from .outbox import Outbox, Progress
from .reachability import Reachability
from .request import Request, Requests
from .threads import start_thread, this_thread
from .wakeup import Wakeup

_BATCH = 64  # commands sent under the outbox's lock, between two looks at events and requests
_PAUSE = 1.0  # seconds before a link that failed is made anew


class IoThread:
    """Keeps the link, carries what the outbox could not send at once, and has the relay answer requests. Public methods
    are thread-safe, private ones are the thread's own. It knows nothing of the Relay, which ends it when it is dropped.
    """

    running: set[IoThread] = set()  # in this process

    def __init__(
        self,
        endpoint: str,
        control: str | None,
        curve: Curve | None,
        outbox: Outbox,
        requests: Requests,
        epochs: EpochWatch,
        losses: Losses,
        leases: Leases,
        close_timeout: float,
    ) -> None:
        self.close_timeout = close_timeout
        self._endpoint = endpoint
        self._curve = curve
        self._losses = losses
        self._leases = leases
        self._thread: int | None = None
        self._unsent = 0  # given up
        self._outbox = outbox
        self._requests = requests
        self._wakeup = Wakeup()
        self._epochs = epochs
        self._log = log_here()
        self._control = Control(control, curve, outbox, requests, epochs, losses, leases, self._wakeup.set, self._log)
        self._reachability = Reachability(endpoint, self._log)
        self._new_flushes: deque[tuple[int, Promise[None]]] = deque()  # mark in the outbox, who waits for it
        self._flushes: list[tuple[int, Promise[None]]] = []
        self._deadline: float | None = None  # monotonic; set once the thread shall end
        self._ended = False
        self._closes: deque[Promise[None]] = deque()

    def start(self) -> None:
        self._epochs.start_here()
        IoThread.running.add(self)
        try:
            start_thread(self._run, "syncrelay")
        except BaseException:
            IoThread.running.discard(self)
            self._wakeup.close()
            raise

    def is_this_thread(self) -> bool:
        """Whether the caller is a finalizer that runs in it."""
        return self._thread == this_thread()

    def wake(self) -> None:
        self._wakeup.set()

    def flush(self) -> Promise[None]:
        """Done when everything posted until now was handed to a connected socket."""
        done: Promise[None] = Promise()
        self._new_flushes.append((self._outbox.posted, done))
        self._wakeup.set()
        if self._ended:
            _refuse(done)
        return done

    def request(self, body: bytes, id: str | None, after: int | None = None) -> Request:
        """Answered after what was posted until now, or up to the mark ``after``, has been taken. Raises RelayUnavailable
        when too many wait."""
        request = self._requests.add(body, self._outbox.posted if after is None else after, id)
        self._wakeup.set()
        if self._ended:
            self._refuse_requests()
        return request

    @property
    def answers(self) -> bool:
        """Whether the relay can be asked at the moment."""
        return self._control.connected

    @property
    def why_no_handshake(self) -> str | None:
        """Where somebody is there, but the relay's keys and this client's do not go together, as it seems."""
        return self._control.why_no_handshake

    def close(self, timeout: float) -> Promise[None]:
        """As ``end``; done when it has ended."""
        self.end(timeout)
        done: Promise[None] = Promise()
        self._closes.append(done)
        if self._ended:
            self._settle_closes()
        return done

    def end(self, timeout: float) -> None:
        """Ends the thread when all is sent and answered, or after ``timeout`` seconds, with a log line about the rest.
        What is put into the outbox afterwards needs another thread."""
        if self._deadline is None:
            self._deadline = time.monotonic() + timeout
            self._leases.end()
            self._wakeup.set()

    def abandon_in_child(self) -> None:
        """After a fork: the thread is not here, and its sockets must not be touched."""
        self._wakeup.close_in_child()

    def _run(self) -> None:
        self._thread = this_thread()
        try:
            while not self._serve_one_link():
                pass
        finally:
            self._wakeup.close()
            self._ended = True
            self._settle_closes()
            for _, done in [*self._flushes, *self._new_flushes]:
                _refuse(done)
            self._refuse_requests()
            self._leases.settle_idle()
            IoThread.running.discard(self)

    def _serve_one_link(self) -> bool:
        """True: closed as asked. Nothing may end this thread silently: any failure only costs the link."""
        try:
            with Link(self._endpoint, self._curve, self._wakeup.fd) as link:
                try:
                    self._serve(link)
                except BaseException:
                    self._losses.connection_ended()
                    raise
                finally:
                    self._outbox.shut()
                    self._control.disconnect()
            self._report_given_up(link.left_behind(), link.connected)
            return True
        except zmq.ZMQError as error:
            self._reachability.failed(f"ZeroMQ says {error}")
        except Exception:
            self._log(logging.ERROR, "the link to the relay failed; trying again in %g s", _PAUSE, exc_info=True)
        self._wakeup.wait(_PAUSE)
        if not self._time_is_up():
            return False
        self._give_up()
        self._report_given_up(0, connected=False)
        return True

    def _serve(self, link: Link) -> None:
        while True:
            self._wakeup.clear()
            self._hear(link)
            progress = self._outbox.send(_BATCH)
            self._settle_flushes(link)
            self._control.serve(link.context, partial(self._hear, link))
            self._leases.serve()
            done = progress is Progress.drained and not self._requests and not self._leases.pending
            if self._time_is_up() or (self._deadline is not None and done):
                if not done:
                    self._give_up()
                link.linger(self._time_left())
                return
            if progress is Progress.more or (progress is Progress.held and not self._requests.in_doubt()):
                continue
            until_writable = link.connected and progress is Progress.stuck
            if link.wait(until_writable, self._patience(link), self._control.sockets()):
                self._outbox.open(link.try_send)

    def _hear(self, link: Link) -> None:
        for event in link.events():
            if event is LinkEvent.up:
                self._reachability.restored(len(self._outbox), self._outbox.dropped)
                self._outbox.open(link.try_send)
                self._control.ask_epoch()
                continue
            self._outbox.shut()
            self._control.forget_epoch()
            if event is LinkEvent.down:
                self._reachability.lost()
                self._losses.connection_ended()
                self._epochs.lost()
            else:
                self._reachability.failed(event.value if event is not LinkEvent.refused else None)

    def _settle_flushes(self, link: Link) -> None:
        while self._new_flushes:
            self._flushes.append(self._new_flushes.popleft())
        waiting = [(mark, done) for mark, done in self._flushes if not done.cancelled()]
        self._flushes = []
        for mark, done in waiting:
            if not link.connected or self._outbox.gone < mark:
                self._flushes.append((mark, done))
            else:
                done.settle(None)

    def _settle_closes(self) -> None:
        for done in list(self._closes):
            done.settle(None)

    def _patience(self, link: Link) -> float | None:
        """How long the thread may sleep, in seconds."""
        silence = None if link.connected else self._reachability.still_silent()
        ending = None if self._deadline is None else self._time_left()
        limits = (silence, ending, link.patience(), self._control.patience())
        return min((seconds for seconds in limits if seconds is not None), default=None)

    def _time_left(self) -> float:
        return 0.0 if self._deadline is None else max(0.0, self._deadline - time.monotonic())

    def _time_is_up(self) -> bool:
        return self._deadline is not None and self._time_left() == 0

    def _refuse_requests(self) -> None:
        for request in self._requests.all():
            effect = "" if request.id is None else f": {request.effect()}"
            request.settle(RelayClosed(f"this relay client was closed before the relay answered{effect}"))

    def _give_up(self) -> None:
        self._unsent = self._outbox.clear()

    def _report_given_up(self, left_behind: int, connected: bool) -> None:
        if self._unsent or left_behind:
            self._reachability.given_up(self._unsent, left_behind, connected)


def _refuse(done: Promise[None]) -> None:
    done.settle(RelayClosed("this relay client was closed before the flush was done"))
