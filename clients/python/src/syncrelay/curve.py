"""Keys for a relay that asks for them at its tcp:// endpoints (CURVE, RFC 26)."""

from __future__ import annotations

import os
from typing import Any, Mapping

import zmq

from .errors import InvalidKey

_TCP = "tcp://"
_KEY_CHARACTERS = 40
_WRONG_MARK = {"key": b"# syncrelay CURVE public key", "server_key": b"# syncrelay CURVE secret key"}


class Curve:
    """By which a backend is known to the relay, and the relay to it. All commands, answers and messages are encrypted.

    ``server_key``: file with the relay's public key, as ``syncrelay keygen`` writes it (``FILE.pub``); ``key``: file with
    the secret key of this backend, whose public one the relay's ``--curve-clients`` lists. Both are read at once. Raises
    InvalidKey, also where a file says that it holds the other kind of key, and where ``FILE.pub`` does not fit. They count for ``tcp://`` endpoints; sockets of this machine need none.
    """

    def __init__(self, *, server_key: str | os.PathLike[str], key: str | os.PathLike[str]) -> None:
        if not zmq.has("curve"):
            raise InvalidKey("this pyzmq has no CURVE: install one that is built with libsodium")
        self._server = _read("server_key", server_key)
        self._secret = _read("key", key)
        self.public_key = zmq.curve_public(self._secret).decode()
        _check_pair(key, self.public_key)

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


def _read(name: str, file: str | os.PathLike[str]) -> bytes:
    """The key in a file that is given as ``name``; keygen's have a first line that says which one it is."""
    path = os.fspath(file)
    if _looks_secret(path):
        raise InvalidKey(f"{name}= is given a key, which is not shown, and is to be the name of a file that holds it")
    try:
        with open(path, "rb") as opened:
            text = opened.read(1024).rstrip(b"\r\n")
    except OSError as error:
        raise InvalidKey(f"{path!r} cannot be read: {error.strerror}") from error
    if name == "key" and path.endswith(".pub"):
        raise InvalidKey(f"{path!r} is a public key by its name, and key= is the secret one")
    while text.startswith(b"# "):
        line, _, text = text.partition(b"\n")
        if line.startswith(_WRONG_MARK[name]):
            raise InvalidKey(f"{path!r} holds a {_WRONG_MARK[name].decode().removeprefix('# syncrelay CURVE ')}, and {name}= is the other one")
    if not _is_key(text):
        raise InvalidKey(f"{path!r} holds no key: 40 characters, as `syncrelay keygen` writes it")
    return text


def _is_key(text: bytes) -> bool:
    try:
        zmq.curve_public(text)  # of anything that has the form of a key
    except (zmq.ZMQError, ValueError):
        return False
    return True


def _looks_secret(path: str) -> bool:
    """It is a key, and no file has that name."""
    return len(path) == _KEY_CHARACTERS and _is_key(os.fsencode(path)) and not os.path.exists(path)


def _check_pair(file: str | os.PathLike[str], public_key: str) -> None:
    """Where FILE.pub is there, too, it has to hold the key that belongs to FILE's."""
    beside = os.fspath(file) + ".pub"
    if os.path.exists(beside) and _read("server_key", beside).decode() != public_key:
        raise InvalidKey(f"{os.fspath(file)!r} holds another key than the secret one of {beside!r}")
