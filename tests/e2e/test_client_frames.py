"""What clients send after the upgrade: ignored when it is well formed, closed with RFC 6455's codes when not."""

import os

import pytest

from deadline import until, wait_until
from raw_client import BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, RawClient, frame

LIMIT = 64 * 1024


@pytest.fixture
def client(relay):
    with RawClient(relay.port).upgrade() as opened:
        opened.read_text()
        yield opened


def answers_ping(client):
    client.send_frame(PING, b"alive?")
    return client.read_opcode(PONG).payload == b"alive?"


@pytest.mark.parametrize("opcode", [TEXT, BINARY], ids=["text", "binary"])
@pytest.mark.parametrize("payload", [b"", b"hello", b'{"type":"x"}', b"a" * LIMIT], ids=len)
def test_messages_are_accepted_and_ignored(client, opcode, payload):
    client.send_frame(opcode, payload)
    assert answers_ping(client)


def test_binary_may_hold_any_bytes(client):
    client.send_frame(BINARY, bytes(range(256)))
    assert answers_ping(client)


def test_fragments_with_a_ping_in_between_are_one_message(client):
    client.send_frame(TEXT, "é".encode()[:1], fin=False)
    assert answers_ping(client)
    client.send_frame(CONTINUATION, "é".encode()[1:], fin=False)
    client.send_frame(CONTINUATION, b"", fin=True)
    assert answers_ping(client)


async def test_what_a_client_sends_reaches_nobody(relay, pusher, connect, client):
    other = await connect(relay)
    client.send_frame(TEXT, b'{"op":"broadcast","type":"x"}')
    assert answers_ping(client)
    pusher.broadcast("end")
    assert (await other.next()).type == "end"


@pytest.mark.parametrize("opcode", [TEXT, BINARY], ids=["text", "binary"])
def test_a_message_over_the_limit_is_closed_with_1009(client, opcode):
    client.send_frame(opcode, b"a" * (LIMIT + 1))
    assert client.read_close_code() == 1009


def test_fragments_that_add_up_over_the_limit_are_closed_with_1009(client):
    client.send_frame(TEXT, b"a" * LIMIT, fin=False)
    client.send_frame(CONTINUATION, b"a", fin=True)
    assert client.read_close_code() == 1009


def test_a_frame_that_announces_too_much_is_closed_when_it_begins_to_come(client):
    client.send(frame(BINARY, b"")[:1] + b"\xff" + (2**40).to_bytes(8, "big") + b"mask" + b"x" * 1024)
    assert client.read_close_code() == 1009


def test_the_limit_can_be_chosen(start_relay):
    relay = start_relay("--max-client-message", "1KiB")
    with RawClient(relay.port).upgrade() as client:
        client.read_text()
        client.send_frame(TEXT, b"a" * 1024)
        assert answers_ping(client)
        client.send_frame(TEXT, b"a" * 1025)
        assert client.read_close_code() == 1009


@pytest.mark.parametrize(
    "payload", [b"\xff", b"\xc0\x80", b"\xed\xa0\x80", b"ok\xe2\x82", b"\xf4\x90\x80\x80"], ids=bytes.hex)
def test_text_that_is_not_utf8_is_closed_with_1007(client, payload):
    client.send_frame(TEXT, payload)
    assert client.read_close_code() == 1007


def test_text_cut_inside_a_letter_over_fragments_is_closed_with_1007(client):
    client.send_frame(TEXT, b"\xe2\x82", fin=False)
    client.send_frame(CONTINUATION, b"a", fin=True)
    assert client.read_close_code() == 1007


BROKEN = {
    "RSV1": frame(TEXT, b"hello", reserved=4), "RSV2": frame(TEXT, b"hello", reserved=2),
    "RSV3": frame(TEXT, b"hello", reserved=1),
    "reserved-opcode-3": frame(3, b"hello"), "reserved-opcode-7": frame(7), "reserved-control-11": frame(11),
    "reserved-control-15": frame(15), "ping-of-126-bytes": frame(PING, b"x" * 126),
    "fragmented-ping": frame(PING, b"x", fin=False), "fragmented-close": frame(CLOSE, b"", fin=False),
    "continuation-of-nothing": frame(CONTINUATION, b"x"),
    "text-inside-text": frame(TEXT, b"x", fin=False) + frame(TEXT, b"y"),
    "close-with-one-byte": frame(CLOSE, b"x"),
    **{f"close-with-{code}": frame(CLOSE, code.to_bytes(2, "big"))
       for code in (0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535)},
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_frame_is_closed_with_1002(relay, client, name):
    client.send(BROKEN[name])
    assert client.read_close_code() == 1002
    client.read_to_end()
    assert relay.health()["status"] == "ok"


def test_an_unmasked_frame_is_closed_with_1002(relay, client):
    """RFC 6455, section 5.1."""
    client.send(frame(TEXT, b"hello", masked=False))
    assert client.read_close_code() == 1002
    assert relay.metrics().value("clients_closed_total", reason="protocol_error") == 1


@pytest.mark.parametrize("code", [1000, 1001, 1002, 1003, *range(1007, 1015), 3000, 3999, 4000, 4999])
def test_a_close_is_answered_with_its_code(client, code):
    client.send_frame(CLOSE, code.to_bytes(2, "big") + b"bye")
    assert client.read_close_code() == code
    client.read_to_end()


def test_a_close_without_a_code_is_answered_without_one(client):
    client.send_frame(CLOSE)
    assert client.read_opcode(CLOSE).payload == b""
    client.read_to_end()


def test_a_close_reason_that_is_not_utf8_is_closed_with_1007(client):
    client.send_frame(CLOSE, (1000).to_bytes(2, "big") + b"\xce\xba\xff")
    assert client.read_close_code() == 1007


def test_nothing_is_read_after_a_close_frame(client):
    client.send(frame(CLOSE, (1000).to_bytes(2, "big")) + frame(PING, b"late") + BROKEN["RSV1"])
    first = client.read_frame()
    assert (first.opcode, first.close_code) == (CLOSE, 1000)
    with pytest.raises((EOFError, ConnectionResetError)):
        client.read_frame()


@pytest.mark.parametrize("size", [LIMIT + 6000, 4 * 2**20], ids=["70-kB", "4-MiB"])
async def test_who_is_still_sending_gets_the_close_frame_and_no_reset(client, size):
    """RFC 6455, section 7.1.1: what is on its way is read, so that no reset overtakes the close frame."""
    client.send_frame(BINARY, b"a" * size)
    client.send_frame(BINARY, b"a" * size)
    close = client.read_opcode(CLOSE)
    assert (close.close_code, close.payload[2:]) == (1009, b"message_too_large")
    with pytest.raises(EOFError):
        client.read_frame()


def test_the_connection_ends_at_once_when_both_have_closed(relay, client):
    client.send(BROKEN["RSV1"])
    assert client.read_close_code() == 1002
    client.read_to_end()
    client.close()
    wait_until(lambda: relay.connections() == 0, "its descriptor is closed", 2)


def test_a_burst_of_pings_gets_its_latest_pong(client):
    client.send(b"".join(frame(PING, str(number).encode()) for number in range(1000)))
    payload = None
    while payload != b"999":
        payload = client.read_opcode(PONG).payload


async def test_a_bad_client_is_counted_and_nobody_else_notices(relay, pusher, connect):
    other = await connect(relay)
    with RawClient(relay.port).upgrade() as bad:
        bad.send(BROKEN["RSV1"])
        assert bad.read_close_code() == 1002
    await until(lambda: relay.health()["clients"] == 1, "the bad client is gone")
    assert relay.metrics().value("clients_closed_total", code="1002") == 1
    pusher.broadcast("tick")
    assert (await other.next_event()).type == "tick"


async def test_a_flood_of_fragments_is_bounded(relay, client, memory_is_measurable):
    before = relay.rss()
    flood = frame(CONTINUATION, b"", fin=False) * 1000
    client.send_frame(BINARY, b"", fin=False)
    try:
        for _ in range(200):
            client.send(flood)
    except (BrokenPipeError, ConnectionResetError):
        pass  # closing it is a fine answer, too
    assert relay.health()["status"] == "ok"
    assert relay.rss() - before < 8 * 2**20


async def test_endless_pings_from_one_client_starve_nobody(relay, pusher, connect, client):
    other = await connect(relay)
    pings = b"".join(frame(PING, os.urandom(8)) for _ in range(1000))
    for round_number in range(20):
        client.send(pings)
        pusher.broadcast("count", round_number)
        assert (await other.next_event(2)).data == round_number
    until_answered(client, b"after the flood")


def until_answered(client, payload):
    """One ping of a burst may be the only one answered (RFC 6455, section 5.5.3): a new one follows every answer."""
    client.send_frame(PING, payload)
    while client.read_opcode(PONG).payload != payload:
        client.send_frame(PING, payload)
