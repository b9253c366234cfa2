"""A ROUTER socket in the place of the relay's control socket, which answers only what the test lets it."""

from __future__ import annotations

import json
from typing import Any

import zmq
from pull_peer import DEADLINE


class RouterPeer:
    def __init__(self, endpoint: str) -> None:
        self.endpoint = endpoint
        self._context = zmq.Context()
        self._socket: zmq.Socket[bytes] | None = None

    def start(self, read_ahead: int = 0) -> RouterPeer:
        """``read_ahead``: how many requests ZeroMQ takes before ``receive`` asks for them; 0: all."""
        self._socket = self._context.socket(zmq.ROUTER)
        self._socket.rcvhwm = read_ahead
        self._socket.bind(self.endpoint)
        return self

    def stop(self) -> None:
        if self._socket is not None:
            self._socket.close(linger=0)
            self._socket = None

    def receive(self) -> tuple[list[bytes], dict[str, Any]]:
        """The envelope to answer to, and the request."""
        envelope, body = self.receive_bytes()
        return envelope, json.loads(body)

    def receive_bytes(self) -> tuple[list[bytes], bytes]:
        assert self._socket is not None, "start() it first"
        assert self._socket.poll(int(DEADLINE * 1000)), "no request came"
        *envelope, body = self._socket.recv_multipart()
        return envelope, body

    def is_silent(self, seconds: float) -> bool:
        """Nothing arrives for so long."""
        assert self._socket is not None
        return not self._socket.poll(int(seconds * 1000))

    def answer(self, envelope: list[bytes], **members: Any) -> None:
        assert self._socket is not None
        answer = {"ok": True, "seq": 1, "epoch": "e", "clients": 0, **members}
        self._socket.send_multipart([*envelope, json.dumps(answer).encode()])

    def __enter__(self) -> RouterPeer:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        self._context.term()

