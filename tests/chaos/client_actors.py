"""What strangers do on the port for clients."""

import contextlib
import socket

from actor import MISSES, Actor
from malformed import malformed_connections
from raw_client import BINARY, CONTINUATION, PING, PONG, TEXT, frame, upgrade_request
from upgrades import attempts

BURST = 200
SIP = 1024


class Noise(Actor):
    """Random bytes, and valid requests and frames with random edits."""

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self._inputs = malformed_connections(self.draw.random(), 10**6)

    def step(self):
        upgraded, data = next(self._inputs)
        with (self.open(held=False) if upgraded else self.connect()) as client:
            client.send(data)
            if self.draw.random() < 0.3:
                client.socket.settimeout(0.05)
                client.read_to_end()


class OddUpgrades(Actor):
    """Some are left open, so that what the relay keeps for them adds up."""

    clients = 30
    pause = 0.005

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self._attempts = attempts(self.draw.random())

    def step(self):
        attempt = next(self._attempts)
        client = self.hold(self.connect())
        for piece in attempt.pieces:
            client.send(piece)
            if attempt.pause and not self.wait(attempt.pause):
                return
        if attempt.half_close:
            client.socket.shutdown(socket.SHUT_WR)
        if self.draw.random() < 0.5:
            client.socket.settimeout(0.1)
            client.read_head()
            client.send(self.draw.choice((frame(TEXT, b"x"), b"\0" * 30, upgrade_request())))


class SlowReaders(Actor):
    """Each takes a kilobyte a second, or nothing."""

    crowd = 30
    clients = 40
    pause = 0.05

    def step(self):
        if len(self.held) < self.crowd and self.draw.random() < 0.5:
            self.open(receive_buffer=4096)
        for client in self.draw.sample(self.held[::2], min(2, len(self.held[::2]))):
            client.socket.settimeout(0.01)
            with contextlib.suppress(TimeoutError):  # there is nothing to read
                client.socket.recv(SIP)


class Silent(Actor):
    """Many connections that never ask for anything, or begin to and stop."""

    crowd = 700
    clients = 0
    pause = 0.0

    def step(self):
        if len(self.held) == self.crowd:
            self.wait(0.1)
            return
        client = self.hold(self.connect())
        if self.draw.random() < 0.2:
            client.send(upgrade_request()[:self.draw.randrange(60)])


class Resets(Actor):
    """Ends connections with a RST wherever it stands."""

    pause = 0.0

    def step(self):
        client = self.connect()
        try:
            request = upgrade_request()
            client.send(request[:self.draw.choice((0, 1, 40, len(request), len(request)))])
            if self.draw.random() < 0.5:
                client.read_head()
                client.send(self.draw.choice((b"", b"\x81", frame(TEXT, b"x" * 500), frame(PING, b""), b"\x88\x80")))
        finally:
            with contextlib.suppress(OSError):
                client.reset()


class Floods(Actor):
    """Pings, pongs, fragments and empty messages, as many as the relay takes; some never read the answers."""

    crowd = 4

    def step(self):
        if len(self.held) < self.crowd:
            self.open(receive_buffer=self.draw.choice((4096, None)))
        client = self.draw.choice(self.held)
        try:
            client.send(self._burst())
        except OSError:
            self._held.remove(client)
            client.close()
            raise
        if self.draw.random() < 0.7:
            client.socket.settimeout(0.01)
            client.socket.recv(65536)

    def _burst(self):
        fragments = frame(BINARY, b"a", fin=False) + frame(CONTINUATION, b"b", fin=False) * BURST
        return self.draw.choice((
            frame(PING, self.draw.randbytes(125)) * BURST, frame(PONG, b"") * BURST, frame(TEXT, b"") * BURST,
            fragments + frame(CONTINUATION, b"c"), frame(TEXT, b"x" * 60_000), frame(BINARY, b"") * BURST))


class Wanderers(Actor):
    """Come with positions that mean nothing, read a little, and leave."""

    def step(self):
        number = self.draw.choice(("0", "-1", "1e9", "99999999999999999999999", "18446744073709551615",
                                   "9223372036854775807", "", "%00", "4%32", "x", str(self.draw.randrange(5000))))
        epoch = self.draw.choice(("", "0" * 16, "g" * 16, "f" * 3000, "%ff%fe", self.stage.epoch))
        more = self.draw.choice(("", "&seq=7", "&epoch=", "&heartbeat=1", "&heartbeat=0", "&heartbeat=1e99", "&&&=",
                                 "&heartbeat=-1", "&other=" + "y" * 300))
        with self.connect() as client:
            client.send(upgrade_request(f"/ws/sync?epoch={epoch}&seq={number}{more}"))
            client.read_head()
            client.read_frame()


class Churn(Actor):
    """Ordinary clients that come, read, say something and go."""

    crowd = 40
    clients = 60
    pause = 0.0

    def step(self):
        client = self.open()
        client.read_frame()
        client.send_frame(self.draw.choice((TEXT, BINARY, PING)), b"hello")


class Browsers(Actor):
    """HTTP without an upgrade, also many requests in one."""

    clients = 0

    def step(self):
        port = self.draw.choice((self.stage.port, self.stage.admin_port))
        path = self.draw.choice(("/health", "/metrics", "/", "/ws/sync", "/ws/sync/", "/health?x=" + "y" * 900))
        method = self.draw.choice(("GET", "GET", "GET", "HEAD", "POST", "DELETE", "BREW"))
        request = f"{method} {path} HTTP/1.1\r\nHost: x\r\n{self._body()}".encode()
        with self.connect() as client:
            client.socket.close()
            client.socket = socket.create_connection(("127.0.0.1", port), timeout=0.5)
            client.send(request * self.draw.choice((1, 1, 3, 100)))
            with contextlib.suppress(*MISSES):
                client.read_head()

    def _body(self):
        return self.draw.choice(("\r\n", "\r\n", "Connection: close\r\n\r\n", "Content-Length: 9\r\n\r\n{\"a\": 1}\n",
                                 "Content-Length: 99999999\r\n\r\nabc"))
