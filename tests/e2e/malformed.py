"""Seeded generators of malformed input, from a backend and from a client."""

import json
import random

from raw_client import BINARY, CLOSE, CONTINUATION, PING, TEXT, frame, upgrade_request

VALID = [{"op": "set", "key": "radio", "value": {"track": 7, "tags": ["é", "\n", 1.5]}},
         {"op": "merge", "key": "radio", "value": {"a": None}}, {"op": "delete", "key": "radio"},
         {"op": "broadcast", "type": "radio:started", "data": [1, {"b": "🎵"}], "set": {"radio": None}}]


def is_well_formed(data):
    """Whether Python's strict reading takes it for one of our commands; errs towards yes."""
    def refuse(name):
        raise ValueError(name)
    try:
        command = json.loads(data.decode(), parse_constant=refuse)
    except (ValueError, RecursionError):
        return False
    return isinstance(command, dict) and command.get("op") in ("set", "merge", "delete", "broadcast")


def _mutate(choice, data):
    """One random edit: a flipped, removed, repeated, inserted or cut part."""
    at = choice.randrange(len(data))
    end = min(len(data), at + choice.randrange(1, 9))
    return choice.choice([
        data[:at] + bytes([data[at] ^ 1 << choice.randrange(8)]) + data[at + 1:],
        data[:at] + data[end:],
        data[:end] + data[at:],
        data[:at] + choice.randbytes(choice.randrange(1, 9)) + data[at:],
        data[:at]])


def malformed_commands(seed, count):
    """Commands that every strict reader refuses."""
    choice, result = random.Random(seed), []
    while len(result) < count:
        data = json.dumps(choice.choice(VALID), ensure_ascii=choice.random() < 0.5).encode()
        kind = choice.randrange(5)
        if kind == 0:
            data = choice.randbytes(choice.randrange(2000))
        elif kind == 1:
            data = choice.choice([b"[", b'{"a":', b'[{"op":', b'"', b"\\"]) * choice.randrange(1, 20_000)
        else:
            for _ in range(choice.randrange(1, 6)):
                data = _mutate(choice, data) or b"{"
        if not is_well_formed(data):
            result.append(data)
    return result


def _broken_requests(choice):
    request = upgrade_request()
    return choice.choice([
        choice.randbytes(choice.randrange(1, 4000)),
        _mutate(choice, request),
        request[:choice.randrange(1, len(request))],
        b"GET /" + b"x" * choice.randrange(10_000, 200_000) + b" HTTP/1.1\r\n\r\n",
        request[:-2] + b"".join(b"X-%d: y\r\n" % n for n in range(choice.randrange(100, 5000))) + b"\r\n",
        request.replace(b"13", b"%d" % choice.randrange(99)),
        request.replace(b"\r\n", b"\n"),
        request.replace(b"HTTP/1.1", b"HTTP/%d.%d" % (choice.randrange(9), choice.randrange(9))),
        b"POST /ws/sync HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % choice.randrange(10**12),
        b"POST /health HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"])


def _broken_frames(choice):
    payload = choice.randbytes(choice.randrange(200))
    return choice.choice([
        choice.randbytes(choice.randrange(2, 4000)),
        frame(choice.choice([3, 4, 5, 6, 7, 11, 12, 13, 14, 15]), payload[:100]),
        frame(choice.choice([TEXT, BINARY]), payload, reserved=choice.randrange(1, 8)),
        frame(choice.choice([TEXT, BINARY, PING]), payload[:100], masked=False),
        frame(CONTINUATION, payload),
        frame(TEXT, b"\xff" + payload),
        frame(PING, choice.randbytes(choice.randrange(126, 1000))),
        frame(CLOSE, choice.randbytes(choice.choice([1, 2, 3, 125]))),
        frame(TEXT, b"a" * choice.randrange(65537, 300_000)),
        frame(TEXT, b"a", fin=False) + frame(BINARY, b"b"),
        frame(BINARY, b"", fin=False) + frame(CONTINUATION, b"", fin=False) * 2000,
        frame(BINARY, payload + b"cut")[:-1],
        b"\x82\xff" + choice.randbytes(12)])


def malformed_connections(seed, count):
    """Pairs of whether to upgrade first and the bytes to send then."""
    choice = random.Random(seed)
    for _ in range(count):
        upgraded = choice.random() < 0.5
        yield upgraded, (_broken_frames if upgraded else _broken_requests)(choice)
