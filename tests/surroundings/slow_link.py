"""A way to a server that lets so many bytes a second through, each way."""

import contextlib
import socket
import threading
import time

CHUNK = 8192


class SlowLink:
    """up: bytes a second to the server, down: from it; None: as fast as it goes. Both may change meanwhile."""

    def __init__(self, port: int, up: float | None = None, down: float | None = None):
        self.target, self.up, self.down = port, up, down
        self.sent = self.received = 0  # bytes, of all connections
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._sockets = [self._listener]
        threading.Thread(target=self._accept, daemon=True).start()

    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}"

    def dispose(self) -> None:
        for each in self._sockets:
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                try:
                    far = socket.create_connection(("127.0.0.1", self.target))
                except OSError:
                    near.close()
                    continue
                self._sockets += [near, far]
                for each in (near, far):
                    each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                for ends in ((near, far, True), (far, near, False)):
                    threading.Thread(target=self._pump, args=ends, daemon=True).start()

    def _pump(self, source, sink, is_up: bool) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(CHUNK):
                if rate := self.up if is_up else self.down:
                    time.sleep(len(data) / rate)  # that is the slow link itself
                sink.sendall(data)
                if is_up:
                    self.sent += len(data)
                else:
                    self.received += len(data)
        for each in (source, sink):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
