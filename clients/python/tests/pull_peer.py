"""A PULL socket in the place of the relay, and ways to wait for things without sleeping through them."""

from __future__ import annotations

import json
import time
from typing import Any, Callable

import zmq

DEADLINE = 20.0  # seconds; generous, only ever reached by a failing test


class PullPeer:
    def __init__(self, endpoint: str) -> None:
        self.endpoint = endpoint
        self._context = zmq.Context()
        self._socket: zmq.Socket[bytes] | None = None

    def start(self, read_ahead: int = 1000) -> PullPeer:
        """``read_ahead``: how many commands ZeroMQ takes on this side before ``receive`` asks for them."""
        self._socket = self._context.socket(zmq.PULL)
        self._socket.rcvhwm = read_ahead
        self._socket.bind(self.endpoint)
        return self

    def stop(self) -> None:
        """As a crash: whatever was not received is gone. The socket file stays or goes as libzmq likes."""
        if self._socket is not None:
            self._socket.close(linger=0)
            self._socket = None

    def receive(self, count: int = 1) -> list[Any]:
        return [json.loads(body) for body in self.receive_bytes(count)]

    def receive_bytes(self, count: int = 1) -> list[bytes]:
        assert self._socket is not None, "start() it first"
        end = time.monotonic() + DEADLINE
        bodies: list[bytes] = []
        while len(bodies) < count:
            left = end - time.monotonic()
            if left <= 0 or not self._socket.poll(int(left * 1000)):
                raise AssertionError(f"{len(bodies)} of {count} commands arrived")
            frames = self._socket.recv_multipart()
            assert len(frames) == 1, "the relay refuses multipart messages"
            bodies += frames
        return bodies

    def is_silent(self) -> bool:
        """Nothing lies here unread."""
        assert self._socket is not None
        return not self._socket.poll(0)

    def __enter__(self) -> PullPeer:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        self._context.term()


def wait_until(condition: Callable[[], object], what: str) -> None:
    end = time.monotonic() + DEADLINE
    while not condition():
        assert time.monotonic() < end, f"never happened: {what}"
        time.sleep(0.005)
