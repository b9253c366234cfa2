"""What a client has of a relay behind each of the proxies in examples/proxies, over TLS."""

import asyncio
import urllib.error
import urllib.request

import pytest
import websockets

from control_peer import control_peers
from deadline import PATIENCE, until
from proxy_process import ALL, name_of
from pusher import Pusher
from tokens import LEEWAY, Issuer

LARGE = 8_000_000  # bytes
LONGEST_TOKEN = 8192
SHORT = 2  # seconds: an idle timeout that a test can outlive


@pytest.fixture
def issuer():
    return Issuer("ES256")


@pytest.fixture
def relay(start_relay, issuer, directory):
    """It lets in who has no token, and looks at the tokens of those who have one."""
    key = issuer.key_file(directory / "key")
    return start_relay("--token-key", key, "--token-optional", "--open-channels", "room:*",
                       "--data", directory / "data")


@pytest.fixture
def app(start_app):
    return start_app("first")


@pytest.fixture
def proxy(kind, relay, app, start_proxy):
    return start_proxy(kind, relay, app)


@pytest.fixture
def peer_of():
    with control_peers() as connect:
        yield connect


@pytest.fixture
def peer(relay, peer_of):
    return peer_of(relay)


async def ended(connection):
    """The code and the reason of the close that ends it."""
    try:
        while True:
            await asyncio.wait_for(connection.recv(), PATIENCE)
    except websockets.ConnectionClosed:
        return connection.close_code, connection.close_reason


def say(peer, data):
    peer.confirm({"op": "broadcast", "type": "said", "data": data})


# What comes through

async def test_pages_state_and_events_come_through(proxy, relay, peer, way_in):
    got = way_in.page(proxy, "/page?x=1")
    assert (got["app"], got["path"]) == ("first", "/page?x=1")
    assert [value for name, value in got["headers"] if name.lower() == "host"] == [f"localhost:{proxy.port}"]
    peer.confirm({"op": "set", "key": "radio", "value": {"track": 7}})
    client = await way_in.client(proxy)
    assert client.first.data["radio"] == {"track": 7}
    pusher = Pusher(relay.endpoint)
    for n in range(2000):
        pusher.broadcast("step", n)
    pusher.hand_over()
    assert [(await client.next_event()).data for _ in range(2000)] == list(range(2000))


async def test_plain_http_leads_to_tls(proxy):
    class Stays(urllib.request.HTTPRedirectHandler):
        def redirect_request(self, *_):
            return None

    with pytest.raises(urllib.error.HTTPError) as answer:
        urllib.request.build_opener(Stays).open(f"http://localhost:{proxy.plain_port}/page", timeout=5)
    assert answer.value.code in (301, 308) and answer.value.headers["Location"].startswith("https://")


async def test_large_messages_come_through_whole(proxy, peer, way_in):
    client = await way_in.client(proxy)
    command = {"op": "broadcast", "type": "large", "data": "x" * LARGE, "set": {"large": "y" * LARGE}}
    peer.confirm(command, seconds=PATIENCE)
    message = await client.next_event()
    assert (message.data, message.body["set"]["large"]) == ("x" * LARGE, "y" * LARGE)
    assert (await way_in.client(proxy)).first.data["large"] == "y" * LARGE


async def test_what_clients_say_comes_through(proxy, peer, way_in):
    peer.confirm({"op": "receive"})  # there is a backend
    connection = await way_in.bare(proxy)
    await connection.send('{"type":"cart:buy","item":"%s","ref":"r1"}' % ("x" * 60_000))
    while '"sync:ack"' not in await asyncio.wait_for(connection.recv(), PATIENCE):
        pass
    [message] = peer.confirm({"op": "receive", "wait": 5})["events"]
    assert len(message["data"]["item"]) == 60_000


async def test_a_token_in_the_subprotocol_comes_through_also_the_longest_and_many_channels(proxy, issuer, way_in):
    token = issuer.token(sub="dev-1", channels=["room:*", *["c" * 80 for _ in range(66)]])
    assert 0.9 * LONGEST_TOKEN < len(token) <= LONGEST_TOKEN
    rooms = [f"room:{n:060}" for n in range(60)]
    connection = await way_in.bare(proxy, token=token, channel=rooms)
    assert connection.subprotocol == "syncrelay"
    begun = [await asyncio.wait_for(connection.recv(), PATIENCE) for _ in range(61)]
    assert sum('"type":"sync:full"' in text for text in begun) == 61  # and its personal channel


async def test_close_codes_and_reasons_come_through(proxy, issuer, peer, way_in):
    assert await ended(await way_in.bare(proxy, token="a.b.c")) == (4401, "token_invalid")
    assert await ended(await way_in.bare(proxy, token=issuer.token(ttl=-LEEWAY - 1))) == (4401, "token_expired")
    client = await way_in.bare(proxy, token=issuer.token(sub="dev-1"))
    await asyncio.wait_for(client.recv(), PATIENCE)
    peer.confirm({"op": "disconnect", "id": "dev-1", "code": 4409, "reason": "signed in elsewhere"})
    assert await ended(client) == (4409, "signed in elsewhere")


async def test_pages_of_the_proxys_own_name_are_let_in_and_others_are_not(proxy, way_in):
    await way_in.client(proxy, headers={"Origin": f"https://localhost:{proxy.port}"})
    code, reason = await ended(await way_in.bare(proxy, headers={"Origin": "https://elsewhere.example"}))
    assert code == 4403 and "https://elsewhere.example" in reason


# Time

async def test_pings_keep_a_silent_connection_for_longer_than_the_proxys_timeout(kind, start_relay, app, start_proxy,
                                                                                 peer_of, way_in):
    relay = start_relay("--ping-interval", "500ms")
    client = await way_in.client(start_proxy(kind, relay, app, idle=SHORT))
    with pytest.raises(asyncio.TimeoutError):
        await client.next(seconds=2 * SHORT)
    say(peer_of(relay), "still there")
    assert (await client.next_event()).data == "still there"


@pytest.mark.parametrize("kind", [kind for kind in ALL if kind.IDLE], indirect=True, ids=name_of)
async def test_without_pings_in_time_the_proxy_cuts_the_connection(kind, start_relay, app, start_proxy, way_in):
    client = await way_in.client(start_proxy(kind, start_relay("--ping-interval", "60s"), app, idle=SHORT))
    assert await client.read_to_end(PATIENCE) in (1006, 1000)


# Restarts

async def test_a_client_goes_on_after_the_proxy_has_read_its_file_again(proxy, peer, way_in, start_app):
    client = await way_in.client(proxy)
    proxy.write(start_app("second").port)
    proxy.reload()
    await until(lambda: way_in.page(proxy)["app"] == "second", "the new file counts")
    say(peer, 1)
    if proxy.ends_connections_at_reload:
        assert await client.read_to_end(PATIENCE) < 4000  # no code that would keep it away
    else:
        assert (await client.next_event()).data == 1
    say(peer, 2)
    again = await way_in.client(proxy, **client.position)
    assert again.first.type == "sync:resume"
    await again.read_to_seq(2)
    assert again.events()[-1].data == 2


async def test_a_client_goes_on_after_a_restart_of_the_proxy(proxy, peer, way_in):
    client = await way_in.client(proxy)
    proxy.stop()
    assert await client.read_to_end(PATIENCE) == 1006
    say(peer, "meanwhile")
    proxy.start()
    again = await way_in.client(proxy, **client.position)
    assert again.first.type == "sync:resume"
    assert (await again.next_event()).data == "meanwhile"


async def test_a_client_goes_on_after_a_restart_of_the_relay_and_is_told_of_its_end(proxy, relay, start_relay,
                                                                                    directory, way_in):
    client = await way_in.client(proxy)
    relay.stop()
    assert await client.read_to_end(PATIENCE) == 1001
    with pytest.raises((websockets.InvalidStatusCode, websockets.InvalidMessage)):
        await way_in.bare(proxy)
    start_relay("--data", directory / "data", "--port", relay.port)
    again = await way_in.client(proxy, **client.position)
    assert again.first.type == "sync:resume"


# Who

async def test_the_relay_knows_a_clients_own_address_and_no_client_can_choose_it(kind, start_relay, app, start_proxy,
                                                                                 peer_of, way_in):
    relay = start_relay("--trusted-proxy", "127.0.0.1")
    proxy = start_proxy(kind, relay, app)
    await way_in.client(proxy, source="127.0.0.2")
    liars = [{"X-Forwarded-For": "10.1.1.1"}, {"Forwarded": "for=10.1.1.1"},
             {"X-Forwarded-For": "127.0.0.1", "Forwarded": "for=10.1.1.1;proto=https"}]
    for headers in liars:
        await way_in.client(proxy, source="127.0.0.3", headers=headers)
    listed = peer_of(relay).confirm({"op": "clients"})["clients"]
    assert sorted(each["address"] for each in listed) == ["127.0.0.2", *3 * ["127.0.0.3"]]
    got = dict((name.lower(), value) for name, value in way_in.page(proxy, headers=liars[2])["headers"])
    assert "forwarded" not in got and got["x-forwarded-for"] == "127.0.0.1" and got["x-forwarded-proto"] == "https"
