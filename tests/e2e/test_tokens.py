"""Tokens: where they may stand, what they grant, how they are renewed and end, and how keys are replaced."""

import asyncio
import base64
import json
import signal
import time

import pytest
import websockets
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from channel_client import ChannelClient
from deadline import until
from raw_client import RawClient, upgrade_request
from relay_process import run_relay
from tokens import ALGORITHMS, LEEWAY, Issuer, jwks_file

SUBPROTOCOL = "syncrelay"


@pytest.fixture
def issuer():
    return Issuer()


@pytest.fixture
def relay_with(start_relay, tmp_path):
    def start(issuer, *options):
        return start_relay("--token-key", issuer.key_file(tmp_path / "key"), "--open-channels", "room:*", *options)
    return start


def path_of(channels, **query):
    asked = [f"channel={channel}" for channel in channels] + [f"{name}={value}" for name, value in query.items()]
    return "/ws/sync" + ("?" + "&".join(asked) if asked else "")


async def open_with(relay, token, *channels, headers=None, path=None):
    """Offers the token as a browser does."""
    return ChannelClient(await websockets.connect(
        f"ws://127.0.0.1:{relay.port}{path or path_of(channels)}", compression=None, ping_interval=None,
        subprotocols=[SUBPROTOCOL, *([f"token.{token}"] if token else [])], extra_headers=headers or {}))


async def refusal(relay, token, *channels, **more):
    return await (await open_with(relay, token, *channels, **more)).ended()


# Where

@pytest.mark.parametrize("algorithm", ALGORITHMS)
async def test_with_a_key_who_has_a_token_is_let_in_and_nobody_else(relay_with, algorithm):
    issuer = Issuer(algorithm)
    relay = relay_with(issuer)
    client = await open_with(relay, issuer.token(sub="dev-1"))
    assert client.connection.subprotocol == SUBPROTOCOL
    await client.begun("", "@dev-1")
    assert await refusal(relay, Issuer(algorithm).token() + ("x" if algorithm == "HS256" else "")) == (4401, "token_invalid")
    assert await refusal(relay, None) == (4401, "token_missing")
    assert await refusal(relay, issuer.token(ttl=-LEEWAY - 1)) == (4401, "token_expired")
    assert relay.metrics().value("clients_refused_total", reason="token") == 3
    await client.connection.close()


async def test_a_token_may_stand_in_the_authorization_field_or_a_cookie_or_the_url(relay_with, issuer):
    token = issuer.token(sub="dev-1")
    relay = relay_with(issuer, "--token-cookie", "session", "--token-in-url")
    for headers, path in [({"Authorization": f"Bearer {token}"}, None), ({"authorization": f"bearer  {token}"}, None),
                          ({"Cookie": f"other=1; session={token}; more=2"}, None),
                          ({"Authorization": "Basic eDp5", "Cookie": f"session={token}"}, None),
                          ({}, path_of([], token=token))]:
        client = await open_with(relay, None, headers=headers, path=path)
        await client.begun("", "@dev-1")
        await client.connection.close()


async def test_cookies_and_urls_are_not_looked_at_unless_an_option_says_so(relay_with, issuer):
    relay = relay_with(issuer)
    token = issuer.token()
    assert await refusal(relay, None, headers={"Cookie": f"session={token}"}) == (4401, "token_missing")
    assert await refusal(relay, None, path=path_of([], token=token)) == (4401, "token_missing")


async def test_optional_tokens_are_looked_at_all_the_same(relay_with, issuer):
    relay = relay_with(issuer, "--token-optional")
    client = await open_with(relay, None)
    await client.begun("")
    assert await refusal(relay, "a.b.c") == (4401, "token_invalid")
    await client.connection.close()


async def test_issuer_and_audience_are_asked_for(relay_with, issuer):
    relay = relay_with(issuer, "--token-issuer", "https://issuer.example", "--token-audience", "relay")
    assert await refusal(relay, issuer.token(iss="https://issuer.example")) == (4401, "token_invalid")
    client = await open_with(relay, issuer.token(iss="https://issuer.example", aud=["x", "relay"]))
    await client.begun("")
    await client.connection.close()
    assert relay.metrics().value("tokens_refused_total", fault="audience") == 1


def test_a_relay_without_keys_takes_the_subprotocol_and_looks_at_no_token(relay):
    for offered in ("syncrelay", "syncrelay, token.abc", "x, syncrelay"):
        with RawClient(relay.port) as client:
            client.send(upgrade_request(Sec_WebSocket_Protocol=offered))
            status, headers = client.read_head()
            assert (status, headers["sec-websocket-protocol"]) == (101, "syncrelay")


# What

async def test_a_token_says_which_channels_in_the_place_of_the_rule_for_everybody(relay_with, issuer):
    relay = relay_with(issuer)
    client = await open_with(relay, issuer.token(channels=["doc:*"]), "doc:1", "room:1", "")
    await client.begun("doc:1")
    while len(client.answers) < 2:
        await client.next()
    assert {(answer.get("channel", ""), answer["code"]) for answer in client.answers} == {
        ("", "forbidden"), ("room:1", "forbidden")}
    assert await refusal(relay, issuer.token(channels=["doc:*"])) == (4403, "forbidden")
    assert await refusal(relay, issuer.token(sub="dev-1", channels=["doc:*"]), "@dev-2") == (4403, "forbidden")
    assert relay.metrics().value("clients_refused_total", reason="forbidden") == 2
    everybody = await open_with(relay, issuer.token(), "room:1")
    await everybody.begun("room:1")
    for each in (client, everybody):
        await each.connection.close()


async def test_a_token_says_where_one_may_publish(relay_with, issuer):
    relay = relay_with(issuer, "--client-publish", "room:*")
    client = await open_with(relay, issuer.token(sub="dev-1", channels=["*"], publish=["doc:*"]), "doc:1", "room:1")
    await client.begun("doc:1", "room:1")
    assert (await client.ask({"type": "sync:publish", "channel": "doc:1", "event": "moved"}))["type"] == "sync:ack"
    assert (await client.ask({"type": "sync:publish", "channel": "room:1", "event": "moved"}))["code"] == "forbidden"
    await client.connection.close()


async def test_who_a_token_names_is_a_member_and_nobody_else_can_say_so(relay_with, issuer, peer_of):
    relay = relay_with(issuer, "--presence", "", "--anonymous-identity")
    peer = peer_of(relay)
    client = await open_with(relay, issuer.token(sub="dev-1", info={"name": "Phone"}))
    await client.begun("", "@dev-1")
    await until(lambda: peer.ask({"op": "members"})["members"].get("dev-1", {}).get("info") == {"name": "Phone"},
                "a member by its token")
    assert (await client.ask({"type": "sync:hello", "id": "dev-1", "info": {"name": "x"}}))["code"] == "identity_not_allowed"
    await client.connection.close()


async def test_the_own_channel_goes_on_from_a_position(relay_with, issuer, peer_of):
    relay = relay_with(issuer)
    peer = peer_of(relay)
    client = await open_with(relay, issuer.token(sub="dev-1"))
    await client.begun("@dev-1")
    position = client.channels["@dev-1"]
    await client.connection.close()
    peer.ask({"op": "broadcast", "channel": "@dev-1", "type": "ring", "data": 1})
    again = await open_with(relay, issuer.token(sub="dev-1"), f"@dev-1,{position.epoch},{position.seq}")
    await again.until(lambda message: message["type"] == "ring")
    assert [told.type for told in again.told] == ["sync:resume", "ring"]
    await again.connection.close()


# Until when

async def test_a_client_is_warned_before_the_end_and_closed_at_it(relay_with, issuer):
    relay = relay_with(issuer)
    client = await open_with(relay, issuer.token(ttl=2 - LEEWAY))
    begun = time.monotonic()
    warning = await client.until(lambda message: message["type"] == "sync:expiring")
    assert warning["in"] in (1, 2)
    assert await client.ended() == (4401, "token_expired")
    assert 0.5 < time.monotonic() - begun < 10


async def test_a_newer_token_prolongs_it_and_takes_away_what_it_does_not_allow(relay_with, issuer):
    relay = relay_with(issuer)
    client = await open_with(relay, issuer.token(sub="dev-1", ttl=3 - LEEWAY, channels=["a", "b"]), "a", "b")
    await client.until(lambda message: message["type"] == "sync:expiring")
    begun = time.monotonic()
    assert (await client.ask({"type": "sync:token", "token": issuer.token(sub="dev-1", channels=["b"])}))["type"] == "sync:ack"
    refused = [answer for answer in client.answers if answer["type"] == "sync:refused"]
    assert [(answer["channel"], answer["code"]) for answer in refused] == [("a", "forbidden")]
    with pytest.raises(asyncio.TimeoutError):
        await client.next(seconds=4)
    assert time.monotonic() - begun >= 4
    await client.connection.close()


async def test_a_newer_token_that_is_not_taken_leaves_the_one_before(relay_with, issuer):
    relay = relay_with(issuer)
    client = await open_with(relay, issuer.token(sub="dev-1"))
    await client.begun("", "@dev-1")
    for token, code in [("a.b.c", "token_invalid"), (issuer.token(ttl=-100), "token_expired"), (None, "token_invalid"),
                        (issuer.token(sub="dev-2"), "id_is_fixed"), (issuer.token(), "id_is_fixed")]:
        assert (await client.ask({"type": "sync:token", "token": token}))["code"] == code
    await client.connection.close()


# Keys

async def test_keys_are_read_again_when_the_file_changes_and_nobody_is_dropped(start_relay, tmp_path):
    old, new = Issuer("ES256"), Issuer("EdDSA")
    path = jwks_file(tmp_path / "jwks.json", old=old)
    relay = start_relay("--token-jwks", path)
    client = await open_with(relay, old.token(kid="old"))
    await client.begun("")
    assert await refusal(relay, new.token(kid="new")) == (4401, "token_invalid")
    jwks_file(path, new=new)
    await until(lambda: "read again" in relay.log(), "they are read again")
    late = await open_with(relay, new.token(kid="new"))
    await late.begun("")
    assert await refusal(relay, old.token(kid="old")) == (4401, "token_invalid")
    assert not client.connection.closed
    for each in (client, late):
        await each.connection.close()


async def test_a_bad_file_is_told_and_the_keys_before_stay(relay_with, issuer, tmp_path):
    relay = relay_with(issuer)
    (tmp_path / "key").write_text("short")
    await until(lambda: "cannot be used" in relay.log(), "it is told")
    client = await open_with(relay, issuer.token())
    await client.begun("")
    issuer.key_file(tmp_path / "key")
    relay.signal(signal.SIGHUP)
    await until(lambda: "read again" in relay.log(), "it is read again")
    await client.connection.close()


@pytest.mark.parametrize("content, said", [
    (b"", "32 at least"), (b"hunter2\n", "32 at least"), (b"-----BEGIN PUBLIC KEY-----\nx\n", "PEM"), (None, "cannot be read")])
def test_a_relay_does_not_start_with_a_key_that_is_none(runtime_dir, tmp_path, content, said):
    path = tmp_path / "key"
    if content is not None:
        path.write_bytes(content)
    done = run_relay("--port", "0", "--token-key", path, runtime_dir=runtime_dir)
    assert done.returncode == 1 and str(path) in done.stderr and said in done.stderr
    assert "hunter2" not in done.stderr


def der_of(encoding):
    key = Issuer("RS256").key
    if encoding == "public":
        return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())


def ssh_of(algorithm):
    return Issuer(algorithm).key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)


PUBLIC_FILES = {
    "a set of keys": (lambda: json.dumps({"keys": [Issuer("RS256").jwk("one")]}).encode(), "--token-jwks"),
    "a list": (lambda: b"\n [" + b"1," * 40 + b"1]", "--token-jwks"),
    "DER": (lambda: der_of("public"), "in DER"), "DER of Ed25519": (
        lambda: Issuer("EdDSA").key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo), "in DER"),
    "private DER": (lambda: der_of("private"), "in DER"), "base64": (lambda: base64.b64encode(der_of("public")), "in base64"),
    "base64 in lines": (lambda: base64.encodebytes(der_of("public")), "in base64"),
    "ssh": (lambda: ssh_of("EdDSA"), "of SSH"), "ssh ecdsa": (lambda: ssh_of("ES256") + b" me@host\n", "of SSH"),
    "authorized_keys": (lambda: b'command="true" ' + ssh_of("RS256"), "of SSH"),
    "CURVE": (lambda: b"# syncrelay CURVE public key\n" + b"x" * 40 + b"\n", "of CURVE"),
    "XML": (lambda: b"<RSAKeyValue>" + b"x" * 40, "XML"), "an address": (lambda: b"https://id.example/jwks" + b"x" * 40, "fetch"),
    "a token": (lambda: Issuer().token().encode(), "a token")}


@pytest.mark.parametrize("kind", PUBLIC_FILES)
def test_what_strangers_may_have_is_no_secret(runtime_dir, tmp_path, kind):
    make, said = PUBLIC_FILES[kind]
    path = tmp_path / "key"
    path.write_bytes(make())
    done = run_relay("--port", "0", "--token-key", path, runtime_dir=runtime_dir)
    assert done.returncode == 1 and str(path) in done.stderr and said in done.stderr and "no secret" in done.stderr


async def test_a_file_that_strangers_may_have_does_not_replace_a_key(relay_with, issuer, tmp_path):
    relay = relay_with(issuer)
    jwks_file(tmp_path / "key", one=Issuer("RS256"))
    await until(lambda: "a set of keys goes to --token-jwks" in relay.log(), "it is told")
    client = await open_with(relay, issuer.token())
    await client.begun("")
    await client.connection.close()


def test_a_public_file_by_its_name_is_no_secret(runtime_dir, tmp_path):
    path = tmp_path / "key.pub"
    path.write_text("x" * 40 + "\n")
    done = run_relay("--port", "0", "--token-key", path, runtime_dir=runtime_dir)
    assert done.returncode == 1 and "by its name it is a public key" in done.stderr


@pytest.mark.parametrize("secret", [bytes(range(256)), b"\x30\x1e" + bytes(range(1, 31)), b"{" + bytes(range(1, 40)),
                                    b"MIIB" + b"Qx" * 30, b"a phrase of several words, in one line\n", b"2f" * 32 + b"\n"])
def test_secrets_are_taken_whatever_their_bytes(start_relay, tmp_path, secret):
    path = tmp_path / "key"
    path.write_bytes(secret)
    assert "tokens=required" in start_relay("--token-key", path, "--log-level", "info").log_of_start()


def test_a_secret_in_the_place_of_its_file_is_not_shown(runtime_dir):
    for option in ("token-key", "curve-key"):
        secret = "2f" * 20
        more = ("--curve-clients", "/dev/null") if option == "curve-key" else ()
        done = run_relay("--port", "0", *more, runtime_dir=runtime_dir,
                         env={f"SYNCRELAY_{option.upper().replace('-', '_')}": secret})
        assert done.returncode == 1 and "name a file" in done.stderr and secret not in done.stderr


async def test_the_log_says_which_claim_is_wrong(relay_with, issuer):
    relay = relay_with(issuer)
    assert await refusal(relay, issuer.token(sub="auth0|ada")) == (4401, "token_invalid")
    await until(lambda: "claim=sub" in relay.log(), "it is named")
    assert "why=claims" in relay.log() and "A-Z a-z 0-9" in relay.log() and "auth0" not in relay.log()


async def test_no_token_is_in_the_log_or_the_metrics(relay_with, issuer, peer_of):
    relay = relay_with(issuer, "--log-level", "debug", "--token-in-url")
    tokens = [issuer.token(sub="dev-1"), issuer.token(ttl=-100), "a-header.and-a-payload.and-its-signature"]
    for token in tokens:
        for client in (await open_with(relay, None, path=path_of([], token=token)), await open_with(relay, token)):
            await client.connection.close()
    peer = peer_of(relay)
    said = relay.log() + relay.metrics_text() + json.dumps(peer.ask({"op": "clients"})) + json.dumps(peer.ask({"op": "stats"}))
    for token in tokens:
        assert not [part for part in token.split(".") if len(part) > 8 and part in said]
