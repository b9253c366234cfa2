"""A client on a bare socket: for what no WebSocket library would send, and for peers that do not read."""

import os
import socket
import struct
import zlib
from dataclasses import dataclass

from deadline import PATIENCE

TEXT, BINARY, CLOSE, PING, PONG, CONTINUATION = 1, 2, 8, 9, 10, 0
KEY = "dGhlIHNhbXBsZSBub25jZQ=="
ACCEPT = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="  # RFC 6455, section 1.3
BLOCK_END = b"\x00\x00\xff\xff"  # RFC 7692, section 7.2.1
LINGER_RESET = struct.pack("ii", 1, 0)


@dataclass(frozen=True)
class Frame:
    fin: bool
    opcode: int
    payload: bytes
    deflated: bool = False  # RSV1: the message that begins here is (RFC 7692)

    @property
    def close_code(self):
        return struct.unpack("!H", self.payload[:2])[0] if len(self.payload) >= 2 else None


def frame(opcode, payload=b"", fin=True, reserved=0, masked=True):
    """A frame's bytes; `reserved` is the three bits RSV1 to RSV3 as a number."""
    length = len(payload)
    head = bytes([fin << 7 | reserved << 4 | opcode])
    mask_bit = masked << 7
    if length < 126:
        head += bytes([mask_bit | length])
    elif length < 65536:
        head += struct.pack("!BH", mask_bit | 126, length)
    else:
        head += struct.pack("!BQ", mask_bit | 127, length)
    return head + mask(payload) if masked else head + payload


def mask(payload):
    key = os.urandom(4)
    stream = (key * (len(payload) // 4 + 1))[:len(payload)]
    masked = int.from_bytes(payload, "big") ^ int.from_bytes(stream, "big")
    return key + masked.to_bytes(len(payload), "big")


def deflate(payload, window_bits=15):
    """The payload of a message of permessage-deflate."""
    deflater = zlib.compressobj(wbits=-window_bits)
    return (deflater.compress(payload) + deflater.flush(zlib.Z_SYNC_FLUSH))[:-len(BLOCK_END)]


def inflate(payload, window_bits=12):
    """And what it was, for a client that has set aside so much."""
    inflater = zlib.decompressobj(wbits=-window_bits)
    text = inflater.decompress(payload + BLOCK_END)
    assert not inflater.unconsumed_tail and not inflater.unused_data
    return text


def upgrade_request(path="/ws/sync", host="127.0.0.1", **headers):
    """Header names are given with underscores; None leaves a header out."""
    fields = {"Host": host, "Upgrade": "websocket", "Connection": "Upgrade",
              "Sec_WebSocket_Key": KEY, "Sec_WebSocket_Version": "13", **headers}
    lines = [f"{name.replace('_', '-')}: {value}" for name, value in fields.items() if value is not None]
    return "\r\n".join([f"GET {path} HTTP/1.1", *lines, "", ""]).encode()


class RawClient:
    """Blocking, with a deadline on every read. `receive_buffer` bounds what the kernel takes in for it; `tls` is a
    context to speak TLS with."""

    def __init__(self, port, receive_buffer=None, source=None, seconds=PATIENCE, tls=None, session=None):
        self.socket = socket.socket()
        self.socket.settimeout(seconds)
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        if source:
            self.socket.bind((source, 0))
        self.socket.connect(("127.0.0.1", port))
        if tls:
            self.socket = tls.wrap_socket(self.socket, server_hostname="localhost", session=session)
        self._buffer = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    @property
    def local_port(self):
        return self.socket.getsockname()[1]

    def send(self, data):
        self.socket.sendall(data)

    def send_frame(self, opcode, payload=b"", **how):
        self.send(frame(opcode, payload, **how))

    def _fill(self):
        data = self.socket.recv(65536)
        if not data:
            raise EOFError("the relay closed the connection")
        self._buffer += data

    def _take(self, count):
        while len(self._buffer) < count:
            self._fill()
        taken, self._buffer = self._buffer[:count], self._buffer[count:]
        return taken

    def read_head(self):
        """An HTTP answer's status and headers; the body is left."""
        while b"\r\n\r\n" not in self._buffer:
            self._fill()
        head, _, self._buffer = self._buffer.partition(b"\r\n\r\n")
        status, *lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (x.partition(":") for x in lines)}
        return int(status.split()[1]), headers

    def upgrade(self, **request):
        """Opens the WebSocket; returns the client itself."""
        self.send(upgrade_request(**request))
        status, headers = self.read_head()
        assert status == 101, status
        assert headers["sec-websocket-accept"] == ACCEPT
        return self

    def read_frame(self):
        first, second = self._take(2)
        assert not second & 0x80, "the relay masked a frame"
        length = second & 0x7F
        if length == 126:
            length, = struct.unpack("!H", self._take(2))
        elif length == 127:
            length, = struct.unpack("!Q", self._take(8))
        return Frame(bool(first & 0x80), first & 0x0F, self._take(length), bool(first & 0x40))

    def read_text(self):
        """The next text message, fragments joined and inflated; pings and pongs in between are dropped."""
        payload, complete, deflated = b"", False, False
        while not complete:
            part = self.read_frame()
            assert part.opcode != CLOSE, f"closed with {part.close_code}"
            if part.opcode in (TEXT, CONTINUATION):
                payload, complete, deflated = payload + part.payload, part.fin, deflated or part.deflated
        return (inflate(payload) if deflated else payload).decode()

    def read_opcode(self, opcode):
        """The next frame with this opcode; others are dropped."""
        while (received := self.read_frame()).opcode != opcode:
            pass
        return received

    def read_close_code(self):
        """The code of the relay's close frame; None when it closes without one."""
        try:
            return self.read_opcode(CLOSE).close_code
        except (EOFError, ConnectionResetError):
            return None

    def read_to_end(self):
        """Drops everything until the relay has closed the TCP connection."""
        try:
            while True:
                self._fill()
                self._buffer = b""
        except (EOFError, ConnectionResetError):
            return

    def close(self):
        self.socket.close()

    def reset(self):
        """Ends the TCP connection with a RST."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_RESET)
        self.socket.close()
