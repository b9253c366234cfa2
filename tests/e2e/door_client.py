"""One who speaks HTTP to the admin listener: a request a call, or raw bytes on a socket of its own."""

import http.client
import json
import socket
from dataclasses import dataclass

JSON = {"Content-Type": "application/json"}
NDJSON = {"Content-Type": "application/x-ndjson"}


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict
    body: bytes

    def json(self):
        return json.loads(self.body)

    @property
    def code(self):
        return self.json()["error"]["code"]


class DoorClient:
    """Each call is a connection of its own."""

    def __init__(self, relay, token=None):
        self.port = relay.ready["admin"]
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}

    def ask(self, method, path, body=None, seconds=10, **headers):
        fields = {**self._headers, **{name.replace("_", "-"): value for name, value in headers.items()}}
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=seconds)
        try:
            connection.request(method, path, body=body, headers=fields)
            reply = connection.getresponse()
            return Answer(reply.status, dict(reply.headers), reply.read())
        finally:
            connection.close()

    def get(self, path, **how):
        return self.ask("GET", path, **how)

    def post(self, *commands, path="/commands", **headers):
        """One command, or several as lines."""
        lines = [c if isinstance(c, (bytes, str)) else json.dumps(c) for c in commands]
        body = b"\n".join(line.encode() if isinstance(line, str) else line for line in lines)
        return self.ask("POST", path, body, **headers)


class RawDoor:
    """A socket at the admin listener, for what no library would send."""

    def __init__(self, relay, seconds=5):
        self.socket = socket.create_connection(("127.0.0.1", relay.ready["admin"]), timeout=seconds)
        self._reader = self.socket.makefile("rb")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._reader.close()
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data)

    def answer(self):
        """The next one; None at the end of the connection."""
        try:
            line = self._reader.readline()
        except ConnectionResetError:
            return None
        if not line:
            return None
        headers = {}
        while (field := self._reader.readline()) not in (b"\r\n", b""):
            name, _, value = field.decode().partition(":")
            headers[name.strip().lower()] = value.strip()
        body = self._reader.read(int(headers.get("content-length", 0)))
        return Answer(int(line.split()[1]), headers, body)


def request(method, path, body=b"", host="127.0.0.1", **headers):
    """The bytes of a request with a Content-Length, unless `headers` say another length."""
    fields = {"Host": host, **{name.replace("_", "-"): value for name, value in headers.items()}}
    if body and not {"Content-Length", "Transfer-Encoding"} & set(fields):
        fields["Content-Length"] = str(len(body))
    lines = [f"{name}: {value}" for name, value in fields.items() if value is not None]
    return "\r\n".join([f"{method} {path} HTTP/1.1", *lines, "", ""]).encode() + body
