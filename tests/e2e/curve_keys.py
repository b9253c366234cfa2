"""Pairs of CURVE keys in files, as `syncrelay keygen` makes them, and peers that have them."""

import contextlib
import json
import socket
import subprocess
import threading

import zmq

from relay_process import binary

SECONDS = 5


class Pair:
    """FILE and FILE.pub."""

    def __init__(self, directory, name):
        self.file = directory / name
        self.public_file = directory / f"{name}.pub"
        made = subprocess.run([binary(), "keygen", self.file], capture_output=True, text=True, check=True)
        self.public = made.stdout.strip()
        self.secret = self.file.read_text().splitlines()[-1]


class Keys:
    """Of the relay, of a backend that it lists, and of one that it does not."""

    def __init__(self, directory):
        self.relay, self.backend, self.stranger = (Pair(directory, name) for name in ("relay", "backend", "stranger"))
        self.clients = directory / "clients"
        self.allow(self.backend)

    def allow(self, *pairs):
        """In one step, as it should be done."""
        written = self.clients.with_name("clients.new")
        written.write_text("# who may command\n" + "".join(f"{pair.public}  {pair.file.name}\n" for pair in pairs))
        written.replace(self.clients)

    @property
    def options(self):
        return ("--curve-key", self.relay.file, "--curve-clients", self.clients)

    def ask_with(self, pair=None, server=None):
        """Options of a command that asks."""
        return ("--curve-key", (pair or self.backend).file, "--curve-server-key", (server or self.relay).public_file)


class CurvePeer:
    """PUSH to the command socket, or REQ and DEALER to the control socket. Without a pair it has no keys."""

    def __init__(self, endpoint, kind, server=None, pair=None):
        self._context = zmq.Context()
        self.socket = self._context.socket(kind)
        self.socket.setsockopt(zmq.LINGER, 0)
        self.socket.setsockopt(zmq.SNDTIMEO, SECONDS * 1000)
        self.socket.setsockopt(zmq.RCVTIMEO, SECONDS * 1000)
        if pair is not None:
            self.socket.curve_serverkey = server.public.encode()
            self.socket.curve_publickey = pair.public.encode()
            self.socket.curve_secretkey = pair.secret.encode()
        self.socket.connect(endpoint)

    def push(self, command):
        self.socket.send(json.dumps(command).encode())

    def try_send(self, body):
        """What is not let in may be told so by its own ZeroMQ before it has said anything."""
        with contextlib.suppress(zmq.Again):
            self.socket.send(body, zmq.NOBLOCK)

    def ask(self, command):
        self.socket.send(json.dumps(command).encode())
        return json.loads(self.socket.recv())

    def close(self):
        self._context.destroy(linger=0)


class Pipeline:
    """Stands between a peer and a relay, passes on what the peer says up to its question whether it may come in, and says
    `more` behind that; then it only listens, and hangs up for nobody."""

    def __init__(self, endpoint, more=b""):
        self._host, self._port = endpoint.removeprefix("tcp://").split(":")
        self._more = more
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.endpoint = f"tcp://127.0.0.1:{self._listener.getsockname()[1]}"
        self._sockets = []
        self.asked, self.ended = 0, 0
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        with contextlib.suppress(OSError):
            while True:
                peer, _ = self._listener.accept()
                relay = socket.create_connection((self._host, int(self._port)))
                self._sockets += [peer, relay]
                threading.Thread(target=self._ask, args=(peer, relay), daemon=True).start()
                threading.Thread(target=self._listen, args=(peer, relay), daemon=True).start()

    def _ask(self, peer, relay):
        with contextlib.suppress(OSError, EOFError):
            for _ in range(64):  # of the greeting: each side waits for a part of the other's
                relay.sendall(_exactly(peer, 1))
            relay.sendall(_frame(peer))
            relay.sendall(_frame(peer) + self._more)
            self.asked += 1

    def _listen(self, peer, relay):
        with contextlib.suppress(OSError):
            while said := relay.recv(4096):
                peer.sendall(said)
        self.ended += 1

    def close(self):
        for each in [self._listener, *self._sockets]:
            each.close()


def _exactly(peer, size):
    found = b""
    while len(found) < size:
        if not (more := peer.recv(size - len(found))):
            raise EOFError
        found += more
    return found


def _frame(peer):
    head = _exactly(peer, 2)
    if head[0] & 2:
        head += _exactly(peer, 7)
    return head + _exactly(peer, int.from_bytes(head[1:], "big"))
