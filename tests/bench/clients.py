"""Thousands of clients on bare sockets in one thread, for loads whose own cost must be small: what they are sent is thrown
away, or handed on as bytes."""

import os
import selectors
import socket

HEAD = ("GET /ws/sync{query} HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n{fields}\r\n")
CLOSE = b"\x88\x82\0\0\0\0\x03\xe8"  # 1000
CHUNK = 1 << 16


def frame(text):
    """A text frame; its mask is all zeros, which is one, too."""
    length = len(text)
    head = bytes((0x81, 0x80 | length)) if length < 126 else bytes((0x81, 0x80 | 126)) + length.to_bytes(2, "big")
    return head + b"\0\0\0\0" + text


class Clients:
    """`heard(client, bytes)` is called with what comes."""

    def __init__(self, port, heard=lambda client, data: None):
        self._address, self._heard = ("127.0.0.1", port), heard
        self._selector = selectors.DefaultSelector()

    def open(self, client, query, *texts, fields=""):
        """Connects and says these at once; `fields` are more lines of the head, each with its end; `client` is whatever the caller knows it by. Returns its socket."""
        connection = socket.create_connection(self._address)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.sendall(HEAD.format(query=query, fields=fields).encode() + b"".join(frame(text) for text in texts))
        connection.setblocking(False)
        self._selector.register(connection, selectors.EVENT_READ, client)
        return connection

    def close(self, connection, clean):
        self._selector.unregister(connection)
        if clean:
            try:
                connection.send(CLOSE)
            except OSError:
                pass
        connection.close()

    def listen(self, seconds):
        """Takes in what there is, waiting for it so long at most."""
        for key, _ in self._selector.select(seconds):
            try:
                data = key.fileobj.recv(CHUNK)
            except BlockingIOError:
                continue
            if not data:
                raise ConnectionError(f"client {key.data} was closed")
            self._heard(key.data, data)


def cpu_seconds(pid):
    """Of all threads of a process."""
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
