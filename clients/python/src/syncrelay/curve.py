"""Keys for a relay that asks for them at its tcp:// endpoints (CURVE, RFC 26)."""

from __future__ import annotations

import os
from typing import Any, Mapping

import zmq

from .errors import InvalidKey

_TCP = "tcp://"


class Curve:
    """By which a backend is known to the relay, and the relay to it. All commands, answers and messages are encrypted.

    ``server_key``: file with the relay's public key, as ``syncrelay keygen`` writes it (``FILE.pub``); ``key``: file with
    the secret key of this backend, whose public one the relay's ``--curve-clients`` lists. Both are read at once. Raises
    InvalidKey. They count for ``tcp://`` endpoints; sockets of this machine need none.
    """

    def __init__(self, *, server_key: str | os.PathLike[str], key: str | os.PathLike[str]) -> None:
        if not zmq.has("curve"):
            raise InvalidKey("this pyzmq has no CURVE: install one that is built with libsodium")
        self._server = _read(server_key)
        self._secret = _read(key)
        self.public_key = zmq.curve_public(self._secret).decode()

    def __repr__(self) -> str:
        return f"Curve(public_key={self.public_key!r})"

    def use_for(self, socket: zmq.Socket[Any]) -> None:
        """Before it connects."""
        socket.curve_serverkey = self._server
        socket.curve_publickey = self.public_key.encode()
        socket.curve_secretkey = self._secret


def default_curve(environ: Mapping[str, str] | None = None) -> Curve | None:
    """``$SYNCRELAY_CURVE_SERVER_KEY`` and ``$SYNCRELAY_CURVE_KEY``, which name the files; None without the first. Raises
    InvalidKey."""
    env = os.environ if environ is None else environ
    server_key, key = env.get("SYNCRELAY_CURVE_SERVER_KEY", ""), env.get("SYNCRELAY_CURVE_KEY", "")
    if not server_key:
        return None
    if not key:
        raise InvalidKey("SYNCRELAY_CURVE_SERVER_KEY needs SYNCRELAY_CURVE_KEY, the file with this backend's secret key")
    return Curve(server_key=server_key, key=key)


def is_secured(endpoint: str) -> bool:
    """Whether keys count there."""
    return endpoint.startswith(_TCP)


def _read(file: str | os.PathLike[str]) -> bytes:
    try:
        with open(file, "rb") as opened:
            text = opened.read(1024).rstrip(b"\r\n")
    except OSError as error:
        raise InvalidKey(f"{os.fspath(file)!r} cannot be read: {error.strerror}") from error
    try:
        zmq.curve_public(text)  # of anything that has the form of a key
    except (zmq.ZMQError, ValueError):
        raise InvalidKey(f"{os.fspath(file)!r} holds no key: 40 characters, as `syncrelay keygen` writes it") from None
    return text
