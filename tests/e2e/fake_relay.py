"""What answers in a relay's place, step by step as the test says: on its control socket, and on its port for clients."""

import base64
import contextlib
import hashlib
import json
import socket
import struct
import threading

import zmq

SECONDS = 10.0
GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


class FakeControl:
    """A control socket that answers when the test does."""

    def __init__(self, directory):
        self._endpoint = f"ipc://{directory}/control.sock"
        self._context = zmq.Context()
        self._bind()

    def _bind(self):
        self._socket = self._context.socket(zmq.ROUTER)
        self._socket.setsockopt(zmq.LINGER, 1000)
        self._socket.bind(self._endpoint)

    def receive(self):
        """The next request: who asks, and what."""
        assert self._socket.poll(SECONDS * 1000), f"no request within {SECONDS} s"
        peer, body = self._socket.recv_multipart()
        return peer, json.loads(body)

    def gets_another(self, seconds):
        return bool(self._socket.poll(seconds * 1000))

    def answer(self, peer, body):
        self._socket.send_multipart([peer, json.dumps(body).encode()])

    def restart(self):
        """Every connection breaks, and what was asked is forgotten."""
        self._socket.close(linger=0)
        self._bind()

    def close(self):
        self._context.destroy()


@contextlib.contextmanager
def one_answer(directory, body):
    """Answers the first request, whatever it is."""
    control = FakeControl(directory)
    thread = threading.Thread(target=lambda: control.answer(control.receive()[0], body))
    thread.start()
    try:
        yield
    finally:
        thread.join()
        control.close()


@contextlib.contextmanager
def silent_port():
    """A port where the kernel takes connections and nobody reads them."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@contextlib.contextmanager
def refusing_port():
    """A port that is taken, but where nobody listens."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield bound.getsockname()[1]


def _close_handshake(connection, code, reason):
    head = b""
    while b"\r\n\r\n" not in head:
        head += connection.recv(4096)
    [key] = [line.partition(b":")[2].strip() for line in head.split(b"\r\n") if line.lower().startswith(b"sec-websocket-key:")]
    accept = base64.b64encode(hashlib.sha1(key + GUID).digest())
    payload = struct.pack(">H", code) + reason
    connection.sendall(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                       b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n" + bytes([0x88, len(payload)]) + payload)
    while connection.recv(4096):
        pass


@contextlib.contextmanager
def closing_port(code, reason):
    """A port where one client is taken and its connection closed with a code at once."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(SECONDS)

        def serve():
            with server.accept()[0] as connection:
                connection.settimeout(SECONDS)
                _close_handshake(connection, code, reason)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield server.getsockname()[1]
        finally:
            thread.join()


@contextlib.contextmanager
def answering_port(*answers):
    """A port that takes a connection for each of the answers in turn (the last one for all that follow), reads until
    something has come, and sends it. Yields the port and what has come on each."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        heard = []

        def serve():
            while True:
                try:
                    connection = server.accept()[0]
                except OSError:
                    return
                with connection, contextlib.suppress(OSError):
                    connection.settimeout(SECONDS)
                    heard.append(connection.recv(65536))
                    connection.sendall(answers[min(len(heard), len(answers)) - 1])
                    connection.shutdown(socket.SHUT_WR)
                    while connection.recv(65536):
                        pass

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield server.getsockname()[1], heard
        finally:
            server.shutdown(socket.SHUT_RDWR)
            thread.join()
