"""Stands between a client and a socket of the relay; the test cuts what goes through it."""

from __future__ import annotations

import contextlib
import os
import socket
import tempfile
import threading


class CuttingProxy:
    """Of ipc endpoints. What was cut off from the client stays with the relay, as bytes that a network delivered do."""

    def __init__(self, target: str) -> None:
        self._target = target[len("ipc://") :]
        self._directory = tempfile.mkdtemp(prefix="cut-")
        self._path = os.path.join(self._directory, "proxy.sock")
        self.endpoint = f"ipc://{self._path}"
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(self._path)
        self._listener.listen()
        self._lock = threading.Lock()
        self._clients: list[socket.socket] = []
        self._all: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def cut(self) -> None:
        """Ends the client's connections. Those to the relay stay open, with all that was sent over them."""
        with self._lock:
            for client in self._clients:
                _shut(client)
            self._clients.clear()

    def __enter__(self) -> CuttingProxy:
        return self

    def __exit__(self, *_: object) -> None:
        _shut(self._listener)
        with self._lock:
            for each in self._all:
                _shut(each)
        for thread in self._threads:
            thread.join()
        for each in [self._listener, *self._all]:
            each.close()
        os.unlink(self._path)
        os.rmdir(self._directory)

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                relay = socket.socket(socket.AF_UNIX)
                relay.connect(self._target)
                with self._lock:
                    self._clients.append(client)
                    self._all += [client, relay]
                for pair in ((client, relay), (relay, client)):
                    thread = threading.Thread(target=_pump, args=pair)
                    self._threads.append(thread)
                    thread.start()


def _pump(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)


def _shut(end: socket.socket) -> None:
    with contextlib.suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)
