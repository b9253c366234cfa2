"""One connection to the relay's control socket."""

from __future__ import annotations

import time
from typing import Iterator

import zmq
from zmq.utils.monitor import parse_monitor_message

from .curve import Curve, is_secured
from .link import NOT_LISTED

_CONNECT_TIMEOUT = 5.0  # seconds, handshake included
_NO_RECONNECT = 3_600_000  # milliseconds; the line is closed long before. After -1, libzmq 4.3.4 may never close it

_MET = zmq.EVENT_CONNECTED  # and the handshake begins
_UP = zmq.EVENT_HANDSHAKE_SUCCEEDED
_ENDED = (
    zmq.EVENT_DISCONNECTED
    | zmq.EVENT_CLOSED
    | zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL
    | zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL
    | zmq.EVENT_HANDSHAKE_FAILED_AUTH
)


class ControlLine:
    """I/O thread only. Never reconnects by itself: what ZeroMQ kept from before would reach a restarted relay ahead of
    older requests that are to be sent again.

    Sending never waits: the pipe has no limit of its own, because the owner bounds what is unanswered.
    """

    def __init__(self, context: zmq.Context[zmq.Socket[bytes]], endpoint: str, curve: Curve | None = None) -> None:
        self.connected = False
        self.was_connected = False
        self.ended = False
        self._secured = is_secured(endpoint)
        self._curve = curve
        self._met = False
        self._not_listed = False
        self._give_up_at = time.monotonic() + _CONNECT_TIMEOUT
        self._dealer = context.socket(zmq.DEALER)
        try:
            self._dealer.sndhwm = 0
            self._dealer.reconnect_ivl = _NO_RECONNECT
            if curve is not None and self._secured:
                curve.use_for(self._dealer)
            self._monitor = self._dealer.get_monitor_socket(_MET | _UP | _ENDED)
            self._dealer.connect(endpoint)
        except BaseException:
            self._dealer.close(linger=0)
            raise

    def close(self) -> None:
        self._dealer.disable_monitor()
        self._monitor.close(linger=0)
        self._dealer.close(linger=0)

    def sockets(self) -> list[zmq.Socket[bytes]]:
        """What to wait for."""
        return [self._dealer, self._monitor]

    def hear(self) -> None:
        """Keeps ``connected``, ``was_connected`` and ``ended`` true."""
        while True:
            try:
                event = parse_monitor_message(self._monitor.recv_multipart(zmq.NOBLOCK))["event"]
            except zmq.Again:
                break
            if event == _MET:
                self._met = True
                continue
            self._not_listed = self._not_listed or event == zmq.EVENT_HANDSHAKE_FAILED_AUTH
            self.connected = event == _UP
            self.was_connected = self.was_connected or self.connected
            self.ended = self.ended or event != _UP
        if not self.connected and time.monotonic() >= self._give_up_at:
            self.ended = True

    def why_no_handshake(self) -> str | None:
        """Once it has ended: where somebody was there and did not let this client in."""
        if self._not_listed and self._curve is not None:
            return f"{NOT_LISTED} {self._curve.public_key}"
        if not self._secured or not self._met or self.was_connected:
            return None
        if self._curve is None:
            return "somebody is there, but the handshake fails: it may ask for a key (curve=), or be no relay"
        return "somebody is there, but the handshake fails: server_key of curve= is not this relay's, or it asks for no key"

    def patience(self) -> float | None:
        """Seconds until ``hear`` is due without an event."""
        return None if self.connected else max(0.0, self._give_up_at - time.monotonic())

    def send(self, number: int, body: bytes) -> None:
        self._dealer.send_multipart([b"%d" % number, body], zmq.NOBLOCK)

    def answers(self) -> Iterator[tuple[int, bytes]]:
        """The numbers of requests and what the relay answered."""
        while True:
            try:
                number, body = self._dealer.recv_multipart(zmq.NOBLOCK)
            except zmq.Again:
                return
            yield int(number), body
