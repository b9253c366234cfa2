"""The ZeroMQ socket to the relay and what its monitor says about it."""

from __future__ import annotations

import enum
import math
from types import TracebackType
from typing import Iterable, Iterator

import zmq
from zmq.utils.monitor import parse_monitor_message

# Commands inside ZeroMQ's pipe: few, because they escape the outbox's bound in bytes; enough for 100,000 a second.
_PIPE_COMMANDS = 32
_RECONNECT_MS = 100
_RECONNECT_MAX_MS = 1000
_HANDSHAKE_MS = 5000


class LinkEvent(enum.Enum):
    up = "the relay is there and speaks ZeroMQ"
    down = "the connection ended"
    refused = "nobody accepted the connection"
    mute = "somebody accepts connections there, but does not speak ZeroMQ"


_MEANING = {
    zmq.EVENT_HANDSHAKE_SUCCEEDED: LinkEvent.up,
    zmq.EVENT_DISCONNECTED: LinkEvent.down,
    zmq.EVENT_CLOSED: LinkEvent.refused,
    zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL: LinkEvent.mute,
    zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL: LinkEvent.mute,
    zmq.EVENT_HANDSHAKE_FAILED_AUTH: LinkEvent.mute,
}


class Link:
    """I/O thread only (but for ``try_send``, see Outbox); a context manager.

    Its ZeroMQ context is private: nothing else in the process can end it.

    ZMQ_IMMEDIATE stays off: with it libzmq throws away what is in the pipe when the connection ends. Instead nothing is
    put into the pipe unless the monitor says that the relay is there, and what is in it outlives the relay.
    """

    def __init__(self, endpoint: str, wake_fd: int) -> None:
        self.connected = False
        self._wake_fd = wake_fd
        self._linger = 0.0
        self._context = zmq.Context()
        try:
            self._push = self._context.socket(zmq.PUSH)
            self._push.sndhwm = _PIPE_COMMANDS
            self._push.reconnect_ivl = _RECONNECT_MS
            self._push.reconnect_ivl_max = _RECONNECT_MAX_MS
            self._push.handshake_ivl = _HANDSHAKE_MS
            self._monitor = self._push.get_monitor_socket(sum(_MEANING))
            self._push.connect(endpoint)
        except BaseException:
            self._context.destroy(linger=0)
            raise

    def __enter__(self) -> Link:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._push.disable_monitor()
        self._monitor.close(linger=0)
        self._push.close(linger=math.ceil(self._linger * 1000))
        self._context.term()

    @property
    def context(self) -> zmq.Context[zmq.Socket[bytes]]:
        """Sockets made from it must be closed before the link is left."""
        return self._context

    def linger(self, seconds: float) -> None:
        """How long leaving may wait for what is in the pipe; an empty pipe never waits."""
        self._linger = max(0.0, seconds)

    def try_send(self, command: bytes) -> bool:
        """False when the pipe is full."""
        try:
            self._push.send(command, zmq.NOBLOCK)
        except zmq.Again:
            return False
        return True

    def events(self) -> Iterator[LinkEvent]:
        """What happened since the last call; keeps ``connected`` true."""
        while True:
            try:
                frames = self._monitor.recv_multipart(zmq.NOBLOCK)
            except zmq.Again:
                return
            event = _MEANING[parse_monitor_message(frames)["event"]]
            if event is LinkEvent.down and not self.connected:
                event = LinkEvent.mute
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
        return (self._push, zmq.POLLOUT) in poller.poll(None if seconds is None else math.ceil(seconds * 1000))
