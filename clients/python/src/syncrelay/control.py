"""Has the relay answer requests, over as many connections as that takes."""

from __future__ import annotations

import logging
import math
import time
from typing import Callable

import zmq

from .answer import is_for_later
from .barrier import Barrier
from .control_line import ControlLine
from .curve import Curve
from .endpoint import why_unreachable
from .epoch import EpochWatch
from .errors import CommandRejected
from .handover import Log
from .leases import Leases
from .losses import Losses
from .outbox import Outbox
from .request import Requests

_WINDOW = 256  # requests under way; the relay keeps 1,000 answers for a peer
_WINDOW_BYTES = 64 * 1024 * 1024  # of them, before the last one; ZeroMQ holds them even when the callers gave up
_PAUSE = 0.1  # seconds before the next attempt to connect
_LATER = 1.0  # seconds before commands are sent again that the relay's cluster could not take
_BARRIER = 0  # its number on the line; requests begin with 1, and questions for the epoch have negative ones
_EPOCH_PATIENCE = 5.0  # seconds until it is news that nobody answers that
_ASK_EPOCH = b'{"op":"stats"}'  # any query would do

# Seconds without a connection after which commands that timed out hold back nothing more and are not sent again: far
# less than the relay remembers ids (--dedup-window, 10 minutes), far more than a command lies in a relay that runs.
DOUBT_LIMIT = 60.0


class Control:
    """I/O thread only, but for ``connected`` and ``why_no_handshake``. Connects when somebody waits for an answer, or for the end of a doubt.

    Requests are sent in order; those that a lost connection leaves without an answer are sent again, in order, over the
    next one. Commands among them carry an id, by which the relay knows what it has done already. That goes for commands
    in doubt, too: the relay may still read what the lost connection carried, after what the next one carries.

    So are commands that the relay's cluster could not take (``cluster_unavailable``), in order and after a pause in which
    no other is sent, for as long as somebody waits for them.
    """

    def __init__(
        self,
        endpoint: str | None,
        curve: Curve | None,
        outbox: Outbox,
        requests: Requests,
        epochs: EpochWatch,
        losses: Losses,
        leases: Leases,
        wake: Callable[[], None],
        log: Log,
    ) -> None:
        self._endpoint = endpoint
        self._curve = curve
        self.why_no_handshake: str | None = None
        self._outbox = outbox
        self._requests = requests
        self._epochs = epochs
        self._losses = losses
        self._leases = leases
        self._log = log
        self._epoch_unknown = False  # of the relay at the other end, and somebody wants to know
        self._epoch_asked = False  # over the present connection
        self._epoch_due = math.inf  # monotonic; when to say that nobody can be asked
        self._epoch_question = 0  # the number of the last one; other answers come too late
        self._barrier = Barrier(outbox, wake)
        self._line: ControlLine | None = None
        self._under_way: dict[int, int] = {}  # by number; bytes
        self._waits_for_barrier = False
        self._next_attempt = 0.0
        self._held_until = 0.0  # monotonic; no request is sent before
        self._lost_at = 0.0  # monotonic; when a connection last ended

    @property
    def connected(self) -> bool:
        line = self._line
        return line is not None and line.connected

    def ask_epoch(self) -> None:
        """The relay may be another one from now on; the answer goes to the EpochWatch, if that wants it."""
        self._epoch_unknown = self._epochs.wanted
        self._epoch_due = time.monotonic() + _EPOCH_PATIENCE if self._epoch_unknown else math.inf
        self._epoch_asked = False

    def forget_epoch(self) -> None:
        """The relay is away: nobody is asked."""
        self._epoch_unknown = False
        self._epoch_due = math.inf

    def serve(self, context: zmq.Context[zmq.Socket[bytes]], hear: Callable[[], None]) -> None:
        """Does what can be done at once; to be called again when a socket is readable or the patience is over.

        ``hear`` finds out what became of the other connection: when an answer is taken, that must be known which ended
        before the relay gave it.
        """
        self._waits_for_barrier = False
        self._end_doubts_in_time()
        self._miss_epoch_in_time()
        if self._line is None:
            if self._endpoint is None or not self._is_needed() or time.monotonic() < self._next_attempt:
                return
            self._line = ControlLine(context, self._endpoint, self._curve)
        self._line.hear()
        answers = list(self._line.answers())
        if answers:
            hear()
        for number, answer in answers:
            self._take(number, answer)
        if self._line.ended:
            self.disconnect()
        elif self._line.connected:
            self._send(self._line)

    def sockets(self) -> list[zmq.Socket[bytes]]:
        return [] if self._line is None else self._line.sockets()

    def patience(self) -> float | None:
        """Seconds until ``serve`` is due, whatever the sockets do."""
        epoch = None if self._epoch_due == math.inf else max(0.0, self._epoch_due - time.monotonic())
        limits = (epoch, self._line_patience(), self._leases.patience())
        return min((seconds for seconds in limits if seconds is not None), default=None)

    def _line_patience(self) -> float | None:
        if self._line is None:
            return max(0.0, self._next_attempt - time.monotonic()) if self._is_needed() else None
        if self._line.connected and self._requests.next() is not None:
            held = self._held_until - time.monotonic()
            if held > 0:
                return held
        return self._barrier.patience() if self._waits_for_barrier else self._line.patience()

    def disconnect(self) -> None:
        if self._line is not None:
            self.why_no_handshake = self._line.why_no_handshake()
            if self._line.was_connected:
                self._lost_at = time.monotonic()
            self._line.close()
            self._line = None
        self._next_attempt = time.monotonic() + _PAUSE
        self._under_way.clear()
        self._epoch_asked = False
        self._barrier.forget()
        self._requests.resend()
        self._leases.resend()

    def _is_needed(self) -> bool:
        if self._requests or self._epoch_unknown or self._leases.is_due():
            return True
        return self._requests.in_doubt() and len(self._outbox) > 0

    def _end_doubts_in_time(self) -> None:
        if self.connected or not self._requests.in_doubt() or time.monotonic() < self._lost_at + DOUBT_LIMIT:
            return
        what = "given up a command that timed out: %g s without the relay, its effect unknown"
        self._log(logging.WARNING, what, DOUBT_LIMIT)
        self._requests.end_doubts()

    def _miss_epoch_in_time(self) -> None:
        """The relay takes commands, but where it should answer there is nobody, or somebody else."""
        if time.monotonic() < self._epoch_due:
            return
        self._epoch_due = math.inf
        why = "it does not answer" if self.connected else why_unreachable(self._endpoint or "")
        what = "the relay cannot be asked for its epoch at its control endpoint %s (%s): on_new_epoch is not called"
        self._log(logging.WARNING, what, self._endpoint, why)

    def _send(self, line: ControlLine) -> None:
        if self._epoch_unknown and not self._epoch_asked:
            self._epoch_question -= 1
            line.send(self._epoch_question, _ASK_EPOCH)
            self._epoch_asked = True
        for number, errand in self._leases.errands(self._barrier.passed):
            line.send(number, errand)
        if self._leases.waits_for(self._barrier.passed):
            self._raise_barrier(line)
        if time.monotonic() < self._held_until:
            return
        while len(self._under_way) < _WINDOW and sum(self._under_way.values()) < _WINDOW_BYTES:
            request = self._requests.next()
            if request is None:
                return
            if not self._barrier.passed(request.after):
                self._raise_barrier(line)
                return
            if self._requests.begin(request):
                line.send(request.number, request.body)
                self._under_way[request.number] = len(request.body)

    def _raise_barrier(self, line: ControlLine) -> None:
        self._waits_for_barrier = True
        command = self._barrier.raise_it()
        if command is not None:
            line.send(_BARRIER, command)

    def _take(self, number: int, answer: bytes) -> None:
        self._under_way.pop(number, None)
        if number == _BARRIER:
            self._take_barrier(answer)
            return
        if self._leases.is_errand(number):
            self._leases.answered(number, answer, self._log)
            return
        if number < 0:
            self._take_epoch(number, answer)
            return
        if is_for_later(answer) and self._requests.again(number):
            self._held_until = time.monotonic() + _LATER
            return
        request = self._requests.take(number)
        if request is not None:
            request.settle(answer)

    def _take_epoch(self, number: int, answer: bytes) -> None:
        if number == self._epoch_question and self._epoch_asked:
            self.forget_epoch()
            self._epochs.answered(answer)

    def _take_barrier(self, answer: bytes) -> None:
        try:
            self._barrier.answered(answer)
            self._losses.proved(self._barrier.proved)
        except CommandRejected:  # a relay that cannot store this could not store what waits for it, either
            self._leases.refused()
            for request in self._requests.all():
                if not self._barrier.passed(request.after):
                    request.settle(answer)
