"""Seeded requests that are not what a WebSocket client sends, or not in the way it sends them."""

import random
from dataclasses import dataclass

from raw_client import CLOSE, PING, TEXT, frame, upgrade_request

H2_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
H2_SETTINGS = b"\0\0\0\4\0\0\0\0\0"
H2_GET = b"\0\0\3\1\5\0\0\0\1\x82\x84\x86"  # HEADERS: GET / by http, ends the stream
H2_FRAMES = (b"\0\0\0\4\1\0\0\0\0", b"\0\0\4\3\0\0\0\0\1\0\0\0\0", b"\0\0\x08\6\0\0\0\0\0abcdefgh", H2_GET)
BARE = {"Sec_WebSocket_Key": None, "Sec_WebSocket_Version": None}
TRICKLES = 40


@dataclass(frozen=True)
class Attempt:
    """`pieces` are sent one after the other, `pause` seconds apart; then the sending side is shut or not."""
    pieces: tuple
    pause: float = 0.0
    half_close: bool = False


def h2c(draw):
    """What `curl --http2` asks of a server whose protocols it does not know."""
    headers = {"Upgrade": draw.choice(("h2c", "h2c", "h2c", "h2c, websocket", "websocket, h2c")),
               "Connection": "Upgrade, HTTP2-Settings", "HTTP2_Settings": "AAMAAABkAAQCAAAAAAIAAAAA"}
    path = draw.choice(("/ws/sync", "/ws/sync", "/ws/sync", "/health"))
    request = upgrade_request(path, **(BARE if draw.random() < 0.3 else {}), **headers)
    return Attempt((request, h2_preface(draw).pieces[0]), pause=draw.choice((0.0, 0.02)))


def h2_preface(draw):
    frames = H2_SETTINGS + b"".join(draw.choices(H2_FRAMES, k=draw.randrange(4)))
    frames += draw.randbytes(draw.choice((0, 0, 9, 500)))
    whole = H2_PREFACE + frames
    return Attempt((whole,) if draw.random() < 0.7 else (whole[:draw.randrange(1, len(whole))],))


def huge(draw):
    name = draw.choice(("Cookie", "Origin", "Sec_WebSocket_Protocol", "Sec_WebSocket_Key", "Host", "X_Any"))
    headers = {"host": "127.0.0.1"} | {name: draw.choice("ax,") * draw.randrange(2000, 200_000)}
    host = headers.pop("Host", headers.pop("host"))
    return Attempt((upgrade_request(host=host, **headers),))


def trickled(draw):
    request = upgrade_request() if draw.random() < 0.7 else h2c(draw).pieces[0]
    size = 1 if draw.random() < 0.3 else 1 + len(request) // TRICKLES
    return Attempt(tuple(request[at:at + size] for at in range(0, len(request), size)),
                   pause=draw.choice((0.0, 0.001, 0.005)))


def pipelined(draw):
    """More behind the request, before it is answered."""
    behind = draw.choice((
        upgrade_request() * draw.randrange(1, 20), frame(TEXT, b"early"), frame(PING, b"p") * 50,
        frame(CLOSE, b"\x03\xe8"), draw.randbytes(500), b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n" * 30))
    first = draw.choice((upgrade_request(), b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n"))
    return Attempt((first + behind,))


def half_closed(draw):
    request = upgrade_request()
    return Attempt((request[:draw.choice((len(request), draw.randrange(len(request))))],), half_close=True)


def odd_headers(draw):
    return Attempt((upgrade_request(**draw.choice((
        {"Upgrade": draw.choice(("WEBSOCKET", "websocket, foo", "foo, websocket", "tls/1.0", ""))},
        {"Connection": draw.choice(("keep-alive, Upgrade", "close", "Upgrade, close", ""))},
        {"Sec_WebSocket_Version": draw.choice(("8", "0", "-1", "13, 8", "99999999999999999999"))},
        {"Sec_WebSocket_Key": draw.choice(("", "x", "=" * 24, "A" * 23 + "\0"))},
        {"Sec_WebSocket_Protocol": draw.choice(("chat", "a, b", ",", ", ,"))},
        {"Sec_WebSocket_Extensions": draw.choice(("permessage-deflate", "permessage-deflate; x=y; z", ";;;"))},
        {"Origin": draw.choice(("http://evil.example", "null", "", "http://[::1", "file://"))},
        {"Content_Length": draw.choice(("5", "-1", "99999999999"))},
        {"Transfer_Encoding": "chunked"}, {"Expect": "100-continue"}))),))


def odd_lines(draw):
    request = upgrade_request()
    method = draw.choice((b"HEAD", b"OPTIONS", b"CONNECT", b"get", b"PUT", b"\0\0\0", b"G" * 900))
    path = draw.choice((b"http://x/ws/sync", b"*", b"/ws/sync/..", b"/ws/sync%00", b"//ws//sync", b"/ws/sync#a",
                        b"/ws/sync?" + b"&" * 900, b"/" + b"%2e" * 300))
    return Attempt((draw.choice((request.replace(b"GET", method, 1), request.replace(b"/ws/sync", path, 1),
                                 request.replace(b"HTTP/1.1", draw.choice((b"HTTP/1.0", b"HTTP/2.0", b"", b"X"))))),))


KINDS = (h2c, h2c, h2_preface, huge, trickled, pipelined, half_closed, odd_headers, odd_lines)


def attempts(seed):
    """Without an end."""
    draw = random.Random(seed)
    while True:
        yield draw.choice(KINDS)(draw)
