"""What one might try with tokens: ambiguous places, forgeries, renewals in odd orders, keys that change meanwhile."""

import asyncio
import base64
import json
import signal
import time

import jwt
import pytest
import websockets

from channel_client import ChannelClient
from deadline import until
from raw_client import RawClient, upgrade_request
from tokens import LEEWAY, Issuer, jwks_file

HEAD_BYTES = 16 * 1024


@pytest.fixture
def issuer():
    return Issuer("ES256")


@pytest.fixture
def relay_with(start_relay, tmp_path):
    def start(issuer, *options):
        return start_relay("--token-key", issuer.key_file(tmp_path / "key"), "--open-channels", "room:*", *options)
    return start


async def open_with(relay, *tokens, channels=()):
    query = "&".join(f"channel={channel}" for channel in channels)
    return ChannelClient(await websockets.connect(
        f"ws://127.0.0.1:{relay.port}/ws/sync" + (f"?{query}" if query else ""), compression=None, ping_interval=None,
        subprotocols=["syncrelay", *[f"token.{token}" for token in tokens]]))


async def renew(client, token):
    answer = await client.ask({"type": "sync:token", "token": token})
    return answer.get("code", answer["type"])


def first_word(relay, fields):
    """What a request with these fields, in their order, comes to: the first message's type, or the close reason."""
    lines = "".join(f"{name}: {value}\r\n" for name, value in fields).encode()
    with RawClient(relay.port) as client:
        client.send(upgrade_request().removesuffix(b"\r\n") + lines + b"\r\n")
        status, _ = client.read_head()
        if status != 101:
            return status
        frame = client.read_frame()
        return frame.payload[2:].decode() if frame.opcode == 8 else json.loads(frame.payload)["type"]


def part(value):
    text = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(text).rstrip(b"=").decode()


# Places

@pytest.mark.parametrize("optional", [(), ("--token-optional",)], ids=["required", "optional"])
def test_of_two_fields_neither_is_believed_and_nobody_gets_in_by_giving_two(relay_with, issuer, optional):
    relay = relay_with(issuer, *optional)
    good, bad = f"Bearer {issuer.token()}", "Bearer a.b.c"
    for pair in ((good, bad), (bad, good), (good, good), (bad, bad)):
        assert first_word(relay, [("Authorization", value) for value in pair]) == "token_invalid"


def test_the_first_of_two_subprotocols_counts_in_whichever_field(relay_with, issuer):
    relay = relay_with(issuer)
    good, bad = f"token.{issuer.token()}", "token.a.b.c"
    name = "Sec-WebSocket-Protocol"
    for first, second, word in ((good, bad, "sync:full"), (bad, good, "token_invalid"),
                                ("token.", good, "token_invalid")):
        assert first_word(relay, [(name, f"syncrelay, {first}, {second}")]) == word
        assert first_word(relay, [(name, f"syncrelay, {first}"), (name, second)]) == word


def test_the_first_of_two_cookies_counts_in_whichever_field(relay_with, issuer):
    relay = relay_with(issuer, "--token-cookie", "session")
    good, bad = f"session={issuer.token()}", "session=a.b.c"
    for first, second, word in ((good, bad, "sync:full"), (bad, good, "token_invalid")):
        assert first_word(relay, [("Cookie", f"{first}; {second}")]) == word
        assert first_word(relay, [("Cookie", first), ("Cookie", second)]) == word
    assert first_word(relay, [("Cookie", "other=1"), ("Cookie", good)]) == "sync:full"  # as HTTP/2 splits them
    for near in (f"x{good}", f"other=1,{good}", good.replace("session", "Session"), f"session2={issuer.token()}"):
        assert first_word(relay, [("Cookie", near)]) == "token_missing"


def test_a_bad_token_in_one_place_is_not_made_good_by_another(relay_with, issuer):
    relay = relay_with(issuer, "--token-cookie", "session", "--token-optional")
    good = issuer.token()
    assert first_word(relay, [("Authorization", "Bearer a.b.c"), ("Cookie", f"session={good}")]) == "token_invalid"
    assert first_word(relay, [("Authorization", f"Bearer {good}"), ("Cookie", "session=a.b.c")]) == "sync:full"


def test_a_token_that_fills_the_head_is_no_token_and_one_beyond_it_no_head(relay_with, issuer):
    relay = relay_with(issuer)
    assert first_word(relay, [("Authorization", "Bearer " + "a" * (8 * 1024 + 1))]) == "token_invalid"
    assert first_word(relay, [("Authorization", "Bearer " + "a" * (HEAD_BYTES - 1024))]) == "token_invalid"
    assert first_word(relay, [("Authorization", "Bearer " + "a" * HEAD_BYTES)]) == 431
    assert relay.metrics().value("tokens_refused_total", fault="malformed") == 2


# Forgeries (RFC 8725)

async def test_no_forgery_is_taken(relay_with, issuer):
    relay = relay_with(issuer)
    token = issuer.token(sub="dev-1")
    head, payload, signature = token.split(".")
    public = issuer._public_pem()
    key = jwt.get_algorithm_by_name("HS256")
    confused = f"{part({'alg': 'HS256'})}.{payload}"
    wanted = part({"exp": time.time() + 300, "sub": "root"})
    forgeries = [
        f"{part({'alg': 'none'})}.{payload}.", f"{part({'alg': 'None'})}.{payload}.{signature}", f"{head}.{payload}.",
        f"{confused}.{part(key.sign(confused.encode(), public))}",
        f"{head}.{wanted}.{signature}", f"{head}.{payload}.{part(bytes(64))}",
        f"{head}.{payload}.{part(bytes([255] * 64))}",
        f"{head}.{payload}.{signature}=", f"{head}.{payload}.{signature}.", f".{token}", f"{token}.{payload}",
        f"{head}=.{payload}.{signature}", f"{part({'alg': 'ES256', 'crit': ['exp'], 'exp': 1})}.{payload}.{signature}",
        Issuer("ES256").token(sub="dev-1"), Issuer("EdDSA").token(sub="dev-1"), Issuer("HS256").token(sub="dev-1")]
    for forgery in forgeries:
        assert first_word(relay, [("Authorization", f"Bearer {forgery}")]) == "token_invalid", forgery
    client = await open_with(relay, token)
    for forgery in forgeries:
        assert await renew(client, forgery) in ("token_invalid", "rate_limited"), forgery
    await client.connection.close()


@pytest.mark.parametrize("claims", [
    {"exp": "9999999999"}, {"exp": None}, {"exp": True}, {"exp": [9999999999]}, {"exp": 1e300}, {"exp": -1},
    {"nbf": "0"}, {"sub": ""}, {"sub": "@dev-1"}, {"sub": "dev 1"}, {"sub": 1}, {"sub": "d" * 65},
    {"sub": "dev-1\u0000"}, {"info": "x"},
    {"info": {"x": "y" * 1024}}, {"channels": "*"}, {"channels": [1]}, {"channels": ["**"]}, {"channels": ["a*b"]},
    {"channels": ["a"] * 101}, {"publish": {"*": 1}}], ids=json.dumps)
async def test_a_claim_that_is_not_as_it_must_be_lets_nobody_in(relay_with, issuer, claims):
    made = {"exp": int(time.time()) + 300, **claims}
    token = jwt.PyJWS().encode(json.dumps(made).encode(), issuer.key, "ES256")
    code, reason = await (await open_with(relay_with(issuer), token)).ended()
    assert (code, reason) == (4401, "token_expired" if claims == {"exp": -1} else "token_invalid")


async def test_no_pattern_of_a_token_opens_the_channel_of_somebody_else(relay_with, issuer):
    relay = relay_with(issuer)
    client = await open_with(relay, issuer.token(sub="dev-1", channels=["*"], publish=["*"]), channels=["@dev-2", ""])
    assert (await client.until(lambda message: message["type"] == "sync:refused"))["code"] == "forbidden"
    assert (await client.subscribe("@dev-2"))["code"] == "forbidden"
    assert (await client.ask({"type": "sync:publish", "channel": "@dev-2", "event": "x"}))["code"] == "forbidden"
    other = await open_with(relay, issuer.token(sub="dev-1", channels=["@*"]), channels=["@dev-2"])
    assert (await other.ended())[0] in (4401, 4403)
    await client.connection.close()


# Who

async def test_nobody_is_believed_to_be_whom_a_token_names(relay_with, issuer):
    relay = relay_with(issuer, "--token-optional", "--anonymous-identity")
    ada = await open_with(relay, issuer.token(sub="ada"))
    await ada.begun("", "@ada")
    for stranger in (await open_with(relay), await open_with(relay, issuer.token())):
        answer = await stranger.ask({"type": "sync:hello", "id": "ada"})
        assert answer.get("code") == "identity_not_allowed"
        await stranger.connection.close()
    await ada.connection.close()


# Renewals

async def test_renewals_in_odd_orders_do_what_each_says(relay_with, issuer):
    relay = relay_with(issuer, "--client-rate", "0")
    client = await open_with(relay, issuer.token(channels=["a", "b"]), channels=["a"])
    tokens = [issuer.token(channels=["b"]), None, issuer.token(sub="dev-1", channels=["a"]), None,
              issuer.token(channels=["a"]), issuer.token(sub="dev-1", channels=[])]
    refs = iter("1234")
    for token in tokens:  # without waiting, and before the first message has come
        await client.say({"type": "sync:token", "token": token, "ref": next(refs)} if token else
                         {"type": "sync:subscribe", "channel": "a"})
    await client.until(lambda message: message.get("ref") == "4")
    assert [(m["type"], m.get("code", m.get("ref"))) for m in client.answers] == [
        ("sync:refused", "forbidden"), ("sync:ack", "1"), ("sync:refused", "forbidden"), ("sync:ack", "2"),
        ("sync:error", "id_is_fixed"), ("sync:refused", "forbidden"), ("sync:ack", "4")]
    await client.begun("@dev-1")
    await client.connection.close()


async def test_a_token_that_ends_earlier_ends_the_grant_earlier(relay_with, issuer):
    relay = relay_with(issuer)
    client = await open_with(relay, issuer.token(sub="dev-1"))
    assert await renew(client, issuer.token(sub="dev-1", ttl=1 - LEEWAY)) == "sync:ack"
    assert await client.ended() == (4401, "token_expired")


async def test_the_same_token_again_prolongs_nothing(relay_with, issuer):
    relay = relay_with(issuer, "--client-rate", "0")
    token = issuer.token(ttl=3 - LEEWAY)
    client = await open_with(relay, token)
    begun = time.monotonic()
    while time.monotonic() - begun < 1:
        assert await renew(client, token) == "sync:ack"
    assert await client.ended() == (4401, "token_expired")
    assert time.monotonic() - begun < 6
    warnings = [answer for answer in client.answers if answer["type"] == "sync:expiring"]
    assert len(warnings) <= 10, "told four times a second at most"


# Keys

async def test_a_token_that_was_good_is_not_remembered_beyond_its_key(start_relay, tmp_path):
    old, new = Issuer("ES256"), Issuer("ES256")
    path = jwks_file(tmp_path / "jwks.json", key=old)
    relay = start_relay("--token-jwks", path, "--shards", 2)
    token = old.token(sub="dev-1", kid="key")
    clients = [await open_with(relay, token) for _ in range(4)]
    jwks_file(path, key=new)
    relay.signal(signal.SIGHUP)
    await until(lambda: "read again" in relay.log(), "they are read again")
    for _ in range(4):
        assert await (await open_with(relay, token)).ended() == (4401, "token_invalid")
    assert await renew(clients[0], token) == "token_invalid"
    for client in clients:
        await client.connection.close()


async def test_keys_that_change_all_the_time_let_in_who_has_one_of_them_and_nobody_else(start_relay, tmp_path):
    stays, comes, forged = Issuer("ES256"), Issuer("EdDSA"), Issuer("ES256")
    path = jwks_file(tmp_path / "jwks.json", stays=stays)
    relay = start_relay("--token-jwks", path, "--shards", 2)

    async def change():
        for turn in range(30):
            jwks_file(path, stays=stays, **({"comes": comes} if turn % 2 else {}))
            relay.signal(signal.SIGHUP)
            await asyncio.sleep(0)

    async def come(issuer, kid, expected):
        for n in range(30):
            client = await open_with(relay, issuer.token(sub=f"dev-{n}", kid=kid))
            if expected is None:
                await client.begun("")
                await client.connection.close()
            else:
                assert await client.ended() == expected

    await asyncio.gather(change(), come(stays, "stays", None), come(forged, "stays", (4401, "token_invalid")))


async def test_half_a_file_is_never_taken(start_relay, tmp_path):
    issuer, path = Issuer("ES256"), tmp_path / "jwks.json"
    relay = start_relay("--token-jwks", jwks_file(path, key=issuer))
    whole = path.read_bytes()
    for half in (whole[:len(whole) // 2], b"", b"{}", b'{"keys":[]}', b"\0" * 100):
        said = relay.log().count("cannot be used")
        path.write_bytes(half)
        relay.signal(signal.SIGHUP)
        await until(lambda: relay.log().count("cannot be used") > said, "it is told")
        client = await open_with(relay, issuer.token(kid="key"))
        await client.begun("")
        await client.connection.close()
