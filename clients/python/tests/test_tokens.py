"""Tokens: what they hold, which keys sign them, what is refused here, and that the real relay agrees."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any, Iterator

import pytest
from modules import missing, require
from pull_peer import DEADLINE
from real_relay import BINARY, RealRelay

from syncrelay import InvalidValue, Relay, tokens

SECRET = "s" * 32
HOUR = 3600


@pytest.fixture(autouse=True)
def packages() -> None:
    require("jwt")
    require("cryptography")


def claims_of(token: str, key: Any = SECRET, algorithm: str = "HS256", **options: Any) -> dict[str, Any]:
    import jwt

    claims: dict[str, Any] = jwt.decode(token, key, [algorithm], options={"verify_aud": False}, **options)
    return claims


def header_of(token: str) -> dict[str, Any]:
    import jwt

    header: dict[str, Any] = jwt.get_unverified_header(token)
    return header


def private_key(algorithm: str) -> Any:
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

    return {
        "RS256": lambda: rsa.generate_private_key(65537, 2048),
        "ES256": lambda: ec.generate_private_key(ec.SECP256R1()),
        "EdDSA": ed25519.Ed25519PrivateKey.generate,
    }[algorithm]()


def pem_of(key: Any, password: bytes | None = None, form: str = "PKCS8") -> str:
    from cryptography.hazmat.primitives import serialization as form_of

    sealed = form_of.BestAvailableEncryption(password) if password else form_of.NoEncryption()
    pem: bytes = key.private_bytes(form_of.Encoding.PEM, getattr(form_of.PrivateFormat, form), sealed)
    return pem.decode()


def public_pem_of(key: Any) -> str:
    from cryptography.hazmat.primitives import serialization as form_of

    pem: bytes = key.public_key().public_bytes(form_of.Encoding.PEM, form_of.PublicFormat.SubjectPublicKeyInfo)
    return pem.decode()


# What they hold


def test_a_token_holds_what_was_given_and_ends_in_an_hour() -> None:
    token = tokens.make(SECRET, sub="dev-1", info={"name": "Zoë"}, channels=["room:*", ""], publish=[], kid="a",
                        issuer="https://issuer.example", audience=("relay", "x"), jti="7")  # fmt: skip
    claims = claims_of(token)
    assert abs(claims.pop("exp") - time.time() - HOUR) < DEADLINE
    assert claims == {"sub": "dev-1", "info": {"name": "Zoë"}, "channels": ["room:*", ""], "publish": [],
                      "iss": "https://issuer.example", "aud": ["relay", "x"], "jti": "7"}  # fmt: skip
    assert header_of(token) == {"alg": "HS256", "typ": "JWT", "kid": "a"}
    assert list(claims_of(tokens.make(SECRET))) == ["exp"]


def test_a_time_may_be_seconds_or_a_timedelta_and_dates_may_be_datetimes() -> None:
    for ttl, seconds in [(90, 90), (0.5, 1), (timedelta(days=1), 86_400)]:
        assert abs(claims_of(tokens.make(SECRET, ttl=ttl))["exp"] - time.time() - seconds) < DEADLINE
    begin = datetime(2020, 1, 1, tzinfo=timezone(timedelta(hours=1)))
    claims = claims_of(tokens.make(SECRET, nbf=begin, iat=1577833200.5))
    assert (claims["nbf"], claims["iat"]) == (1577833200, 1577833200.5)


def test_info_takes_what_commands_take_by_the_same_rules() -> None:
    @dataclass
    class Seat:
        row: Decimal
        since: datetime

    seat = Seat(Decimal("1.50"), datetime(2020, 1, 1, tzinfo=timezone.utc))
    for info, plain in [(seat, {"row": "1.50", "since": "2020-01-01T00:00:00+00:00"}),
                        ({"roles": {"b", "a"}, 1: seat.row}, {"roles": ["a", "b"], "1": "1.50"})]:  # fmt: skip
        assert claims_of(tokens.make(SECRET, sub="a", info=info))["info"] == plain


# Keys


@pytest.mark.parametrize("algorithm, form", [
    ("RS256", "PKCS8"), ("RS256", "TraditionalOpenSSL"), ("ES256", "PKCS8"), ("ES256", "TraditionalOpenSSL"), ("EdDSA", "PKCS8"),
])  # fmt: skip
def test_a_private_key_says_which_algorithm_it_is_for(algorithm: str, form: str) -> None:
    key = private_key(algorithm)
    for pem in (pem_of(key, form=form), pem_of(key, form=form).encode()):
        token = tokens.make(pem, sub="dev-1")
        assert header_of(token)["alg"] == algorithm
        assert claims_of(token, key.public_key(), algorithm)["sub"] == "dev-1"


def test_the_parameters_before_a_key_of_openssl_do_no_harm() -> None:
    made = subprocess.run(["openssl", "ecparam", "-name", "prime256v1", "-genkey"], capture_output=True, check=True)
    assert made.stdout.startswith(b"-----BEGIN EC PARAMETERS") and header_of(tokens.make(made.stdout))["alg"] == "ES256"


@pytest.mark.parametrize("end", ["", "\n", "\r\n"])
def test_the_end_of_a_line_is_no_part_of_a_secret_as_in_the_relay(directory: Path, end: str) -> None:
    path = directory / "token.key"
    path.write_bytes((SECRET + end).encode())
    for key in (path, SECRET + end):
        assert claims_of(tokens.make(key))


def test_bytes_are_a_secret_as_they_are() -> None:
    secret = b"\xff" * 31 + b"\n"
    assert claims_of(tokens.make(secret), secret)


def test_a_file_is_read_each_time(directory: Path) -> None:
    path = directory / "token.key"
    for secret in ("a" * 32, "b" * 32):
        path.write_text(secret)
        assert claims_of(tokens.make(path), secret)
    path.unlink()
    with pytest.raises(FileNotFoundError):
        tokens.make(path)


def bad_keys() -> Iterator[tuple[str, Any, str]]:
    from cryptography.hazmat.primitives.asymmetric import ec, rsa

    key = private_key("ES256")
    yield "short", "hunter2" * 4, "32 at least"
    yield "a line end that the relay does not count", SECRET[1:] + "\n", "31 bytes"
    yield "lines as bytes", (SECRET + "\n").encode(), "give it as str, or the file's Path"
    yield "half a letter", SECRET + "\ud800", "lone surrogate"
    yield "a path", __file__, "pathlib.Path"
    yield "nothing", None, "NoneType"
    yield "a key of SSH", "ssh-ed25519 " + "A" * 60, "SSH"
    yield "public", public_pem_of(key), "private key"
    yield "encrypted", pem_of(key, b"hunter2"), "encrypted"
    yield "damaged", pem_of(key)[:80] + "\n-----END PRIVATE KEY-----", "can be read"
    yield "short RSA", pem_of(rsa.generate_private_key(65537, 1024)), "1024 bits"
    yield "another curve", pem_of(ec.generate_private_key(ec.SECP384R1())), "P-256"


def test_a_key_that_is_none_is_refused_and_not_shown() -> None:
    for what, key, words in bad_keys():
        with pytest.raises(InvalidValue, match=words) as caught:
            tokens.make(key)
        assert caught.value.path == "key" and "hunter2" not in str(caught.value) and "sss" not in str(caught.value), what


@pytest.mark.parametrize("module, key", [("jwt", SECRET), ("cryptography.hazmat.primitives.serialization", "EdDSA")])
def test_what_to_install_is_said(monkeypatch: pytest.MonkeyPatch, module: str, key: str) -> None:
    key = pem_of(private_key(key)) if key == "EdDSA" else key
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ImportError, match="python3-jwt.*pip install 'pyjwt"):
        tokens.make(key)


def test_another_package_of_the_same_name_is_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "jwt", type(sys)("jwt"))
    with pytest.raises(ImportError, match="another package than PyJWT"):
        tokens.make(SECRET)


# What is refused here


@pytest.mark.parametrize("arguments, words", [
    ({"sub": 7}, "sub must be a str"),
    ({"info": {"name": "x"}}, "info says something of an identity"),
    ({"sub": "a", "info": [1]}, "info must become an object"),
    ({"sub": "a", "info": {"at": [float("nan")]}}, r"info.at\[0\] is NaN"),
    ({"sub": "a", "info": {"picture": b"x"}}, r"info.picture is a builtins.bytes"),
    ({"channels": "room:*"}, "channels must be a list"),
    ({"channels": ["a", 5]}, r"channels\[1\] must be a str"),
    ({"channels": ["@dev-1"]}, r"channels\[0\].*personal"),
    ({"publish": ["@*"]}, r"publish\[0\].*personal"),
    ({"ttl": 0}, "ttl is 0"), ({"ttl": float("inf")}, "ttl is inf"), ({"ttl": "1h"}, "ttl must be"),
    ({"channel": ["a"]}, "channels is"), ({"pubish": []}, "publish is"), ({"exp": 1}, "ttl="), ({"aud": "x"}, "audience="),
    ({"nbf": datetime(2020, 1, 1)}, "time zone"), ({"iat": "now"}, "iat must be"), ({'a"b': 1}, "escape"),
    ({"audience": 5}, "audience must be"), ({"issuer": ""}, "issuer"), ({"kid": 5}, "kid must be"),
    ({"note": "x" * 8192}, "token has"), ({"note": float("inf")}, "note is Infinity"),
])  # fmt: skip
def test_what_no_token_can_mean_is_refused(arguments: dict[str, Any], words: str) -> None:
    with pytest.raises(InvalidValue, match=words):
        tokens.make(SECRET, **arguments)


# The real relay


async def first_messages(relay: RealRelay, token: str, path: str, count: int) -> list[dict[str, Any]]:
    import websockets

    url = f"ws://127.0.0.1:{relay.port}/ws/sync{path}"
    async with websockets.connect(url, subprotocols=["syncrelay", f"token.{token}"]) as client:
        return [json.loads(await asyncio.wait_for(client.recv(), DEADLINE)) for _ in range(count)]


def refusal(relay: RealRelay, token: str) -> "tuple[int, str] | None":
    """None: the client is let in."""
    import websockets

    try:
        asyncio.run(first_messages(relay, token, "", 1))
    except websockets.ConnectionClosed as closed:
        assert closed.rcvd is not None
        return closed.rcvd.code, closed.rcvd.reason
    return None


def start(directory: Path, key: str, *options: str) -> RealRelay:
    path = directory / "relay.key"
    path.write_text(key)
    return RealRelay(directory, "--token-key", str(path), *options).start()


@pytest.fixture
def relays() -> Iterator[list[RealRelay]]:
    require("websockets")
    if not BINARY.exists():
        missing(f"no relay at {BINARY}: build it, or set SYNCRELAY_BINARY")
    started: list[RealRelay] = []
    yield started
    for relay in started:
        relay.stop()


@pytest.mark.parametrize("algorithm", ["HS256", "RS256", "ES256", "EdDSA"])
def test_the_relay_takes_it_and_grants_what_it_says(directory: Path, relays: list[RealRelay], algorithm: str) -> None:
    pair = None if algorithm == "HS256" else private_key(algorithm)
    key, relay_key = (SECRET, SECRET + "\n") if pair is None else (pem_of(pair), public_pem_of(pair))
    relays.append(start(directory, relay_key, "--presence", "room:*", "--token-issuer", "app", "--token-audience", "relay"))
    given: dict[str, Any] = {"info": {"name": "Zoë"}, "channels": ["room:*"], "issuer": "app", "audience": "relay"}
    told = asyncio.run(first_messages(relays[0], tokens.make(key, sub="dev-1", **given), "?channel=room:1&channel=doc:1", 4))
    by_channel = {message["channel"]: message for message in told if message["type"] in ("sync:full", "sync:refused")}
    assert by_channel["doc:1"]["code"] == "forbidden" and by_channel["@dev-1"]["type"] == "sync:full"
    with Relay(relays[0].endpoint) as relay:
        assert relay.channel("room:1").members()["dev-1"].info == {"name": "Zoë"}
    for other in ({"issuer": "x"}, {"audience": "x"}):
        assert refusal(relays[0], tokens.make(key, **{**given, "info": None, **other})) == (4401, "token_invalid")
    forged = tokens.make(SECRET[1:] + "x" if pair is None else pem_of(private_key(algorithm)), issuer="app", audience="relay")
    assert refusal(relays[0], forged) == (4401, "token_invalid")


def test_the_relay_of_a_set_of_keys_takes_it_by_its_kid(directory: Path, relays: list[RealRelay]) -> None:
    import base64

    secret = bytes(range(200, 231)) + b"\n"  # a line's end that is part of it
    jwk = {"kty": "oct", "kid": "a", "k": base64.urlsafe_b64encode(secret).decode().rstrip("=")}
    (directory / "jwks.json").write_text(json.dumps({"keys": [jwk]}))
    relays.append(RealRelay(directory, "--token-jwks", str(directory / "jwks.json")).start())
    assert refusal(relays[0], tokens.make(secret, kid="a")) is None
    assert refusal(relays[0], tokens.make(secret, kid="b")) == (4401, "token_invalid")


ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.:~-/"
GRANTS: list[dict[str, Any]] = [
    {"sub": ALPHABET[:64]}, {"sub": ALPHABET[4:]}, {"sub": "a" * 65}, {"sub": ""}, {"sub": "a@b"}, {"sub": "a b"}, {"sub": "é"},
    {"sub": "a", "info": {}}, {"sub": "a", "info": {"x": "y" * 1016}}, {"sub": "a", "info": {"x": "y" * 1017}},
    {"sub": "a", "info": {"x": "é" * 508}}, {"sub": "a", "info": {"x": "é" * 508 + "y"}},
    {"channels": ["", "*", "a*", "a@b", "x" * 128, "x" * 128 + "*"]}, {"channels": ["", "x" * 129]},
    {"channels": ["", "x" * 129 + "*"]}, {"channels": ["", "a*b"]}, {"channels": ["", "**"]}, {"channels": ["", "a b"]},
    {"channels": ["", "é"]}, {"channels": [""] * 100}, {"channels": [""] * 101}, {"publish": []}, {"publish": ["x" * 129]},
    {"publish": ["a"] * 100}, {"publish": ["a"] * 101}, {"channels": ["", *(f"{i:03}" + "x" * 55 for i in range(99))]},
    {"channels": ["", *(f"{i:03}" + "x" * 65 for i in range(99))]},
]  # fmt: skip


def test_what_is_refused_here_is_what_the_relay_would_refuse(directory: Path, relays: list[RealRelay]) -> None:
    import jwt

    relays.append(start(directory, SECRET))
    taken = []
    for grant in GRANTS:
        try:
            token = tokens.make(SECRET, **grant)
        except InvalidValue:
            payload = json.dumps({"exp": time.time() + HOUR, **grant}, ensure_ascii=False).encode()
            assert refusal(relays[0], jwt.PyJWS().encode(payload, SECRET)) == (4401, "token_invalid"), grant
        else:
            assert refusal(relays[0], token) is None, grant
            taken.append(grant)
    assert len(taken) == 10, taken


def test_the_relay_lets_go_of_who_has_one_that_is_over(directory: Path, relays: list[RealRelay]) -> None:
    relays.append(start(directory, SECRET))
    real_time = time.time
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(time, "time", lambda: real_time() - 2 * HOUR)
        over = tokens.make(SECRET)
        patch.setattr(time, "time", lambda: real_time() - HOUR - 30)
        within_the_leeway = tokens.make(SECRET)
    assert refusal(relays[0], over) == (4401, "token_expired")
    assert refusal(relays[0], within_the_leeway) is None
