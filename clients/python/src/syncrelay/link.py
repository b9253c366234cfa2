"""The ZeroMQ socket to the relay and what its monitor says about it."""

from __future__ import annotations

import enum
import math
import time
from collections import deque
from types import TracebackType
from typing import Iterable, Iterator

import zmq
from zmq.utils.monitor import parse_monitor_message

from .curve import Curve, is_secured

# Commands inside ZeroMQ's pipe: few, because they escape the outbox's bound in bytes; enough for 100,000 a second.
_PIPE_COMMANDS = 32
_BATCH_BYTES = 8192  # which libzmq takes out of the pipe at a time, and writes when the relay reads
_MAX_BATCH = 400  # commands; the smallest that there is has more than 8192 / 400 bytes
_LEAST_LINGER = 0.02  # seconds; an empty pipe needs none of it, so that what takes so long was not empty
_RECONNECT_MS = 100
_RECONNECT_MAX_MS = 1000
_HANDSHAKE_MS = 5000
_RENEW_AFTER = 1.0  # seconds until ZeroMQ is told to connect again after what it takes for final


NOT_LISTED = "the relay does not let this key in: its --curve-clients has to list"


class LinkEvent(enum.Enum):
    up = "the relay is there and speaks ZeroMQ"
    down = "the connection ended"
    refused = "nobody accepted the connection"
    mute = (
        "somebody accepts connections there, but does not speak ZeroMQ, or ends them at once, as a relay does that has as "
        "many as it takes, or one that asks for other keys than this client has (curve=)"
    )
    not_listed = f"{NOT_LISTED} the public key of curve="


_MEANING = {
    zmq.EVENT_HANDSHAKE_SUCCEEDED: LinkEvent.up,
    zmq.EVENT_DISCONNECTED: LinkEvent.down,
    zmq.EVENT_CLOSED: LinkEvent.refused,
    zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL: LinkEvent.mute,
    zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL: LinkEvent.mute,
    zmq.EVENT_HANDSHAKE_FAILED_AUTH: LinkEvent.not_listed,
}

# After these a socket never connects again.
_FINAL = (zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL, zmq.EVENT_HANDSHAKE_FAILED_AUTH)


class Link:
    """I/O thread only (but for ``try_send``, see Outbox); a context manager.

    Its ZeroMQ context is private: nothing else in the process can end it.

    ZMQ_IMMEDIATE stays off: with it libzmq throws away what is in the pipe when the connection ends. Instead nothing is
    put into the pipe unless the monitor says that the relay is there, and what is in it outlives the relay.
    """

    def __init__(self, endpoint: str, curve: Curve | None, wake_fd: int) -> None:
        self.connected = False
        self._endpoint = endpoint
        self._curve = curve if is_secured(endpoint) else None
        self._renew_at: float | None = None  # monotonic
        self._wake_fd = wake_fd
        self._linger = 0.0
        self._sizes: deque[int] = deque(maxlen=_PIPE_COMMANDS + _MAX_BATCH)  # of the last commands
        self._cut_off = False
        self._not_listed = False  # this client's key, when it was last shown
        self._context = zmq.Context()
        try:
            self._open()
        except BaseException:
            self._context.destroy(linger=0)
            raise

    def _open(self) -> None:
        self._push = self._context.socket(zmq.PUSH)
        self._push.sndhwm = _PIPE_COMMANDS
        self._push.reconnect_ivl = _RECONNECT_MS
        self._push.reconnect_ivl_max = _RECONNECT_MAX_MS
        self._push.handshake_ivl = _HANDSHAKE_MS
        if self._curve is not None:
            self._curve.use_for(self._push)
        self._monitor = self._push.get_monitor_socket(sum(_MEANING))
        self._push.connect(self._endpoint)

    def _renew_in_time(self) -> None:
        if self._renew_at is None or time.monotonic() < self._renew_at:
            return
        self._renew_at = None
        self._push.disable_monitor()
        self._monitor.close(linger=0)
        self._push.close(linger=0)
        self._open()

    def patience(self) -> float | None:
        """Seconds until ``events`` is due, whatever happens."""
        return None if self._renew_at is None else max(0.0, self._renew_at - time.monotonic())

    def __enter__(self) -> Link:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._push.disable_monitor()
        self._monitor.close(linger=0)
        begin = time.monotonic()
        self._push.close(linger=_milliseconds(self._linger))
        self._context.term()
        self._cut_off = time.monotonic() - begin >= self._linger

    @property
    def context(self) -> zmq.Context[zmq.Socket[bytes]]:
        """Sockets made from it must be closed before the link is left."""
        return self._context

    def linger(self, seconds: float) -> None:
        """How long leaving may wait for what is in the pipe; an empty pipe never waits."""
        self._linger = max(_LEAST_LINGER, seconds)

    def left_behind(self) -> int:
        """Once it is left: how many commands that were sent may not have been given to the kernel, at most. libzmq does
        not say how many are in its pipe."""
        if not self._cut_off:
            return 0
        sizes, count, batch = list(self._sizes), 0, 0
        while count < len(sizes) and (count < _PIPE_COMMANDS or batch < _BATCH_BYTES):
            count += 1
            batch += sizes[-count] if count > _PIPE_COMMANDS else 0
        return count

    def try_send(self, command: bytes) -> bool:
        """False when the pipe is full."""
        try:
            self._push.send(command, zmq.NOBLOCK)
        except zmq.Again:
            return False
        self._sizes.append(len(command))
        return True

    def events(self) -> Iterator[LinkEvent]:
        """What happened since the last call; keeps ``connected`` true."""
        self._renew_in_time()
        while True:
            try:
                frames = self._monitor.recv_multipart(zmq.NOBLOCK)
            except zmq.Again:
                return
            number = parse_monitor_message(frames)["event"]
            if number in _FINAL:
                self._renew_at = time.monotonic() + _RENEW_AFTER
            event = _MEANING[number]
            if event is LinkEvent.down and not self.connected:
                event = LinkEvent.not_listed if self._not_listed else LinkEvent.mute
            self._not_listed = event is LinkEvent.not_listed
            self.connected = event is LinkEvent.up
            yield event

    def wait(self, until_writable: bool, seconds: float | None, others: Iterable[zmq.Socket[bytes]] = ()) -> bool:
        """Until woken, until there are events, until one of the others can be read or the time is over; True once the
        pipe has room, if asked for."""
        poller = zmq.Poller()
        for other in others:
            poller.register(other, zmq.POLLIN)
        poller.register(self._wake_fd, zmq.POLLIN)
        poller.register(self._monitor, zmq.POLLIN)
        if until_writable:
            poller.register(self._push, zmq.POLLOUT)
        return (self._push, zmq.POLLOUT) in poller.poll(None if seconds is None else _milliseconds(seconds))


def _milliseconds(seconds: float) -> int:
    """Rounded up, and no more than an int of C holds."""
    return min(math.ceil(seconds * 1000), 2**31 - 1)
