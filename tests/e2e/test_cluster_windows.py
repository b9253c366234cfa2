"""Relays of a cluster that remember different amounts: each has a window of its own, but what they say is one history."""

import shutil

import pytest

from cluster import OPEN, data, texts
pytestmark = pytest.mark.skipif(not shutil.which("redis-server"), reason="there is no redis-server")


async def test_a_channel_that_one_relay_wants_forgotten_goes_on_for_those_who_follow_it(join, follow, peer_of):
    """b has nothing of it in its window, and proposes that; at a somebody follows."""
    a, b = join("a", *OPEN), join("b", *OPEN, "--log-events", "2")
    follower, backend = await follow(a, "room"), peer_of(a)
    for number in range(3):
        backend.confirm({"op": "broadcast", "channel": "room", "type": "x", "data": number})
    forgotten = "channels_forgotten_total"
    number = 0
    while not a.metrics().value(forgotten):
        number += 1
        backend.confirm({"op": "broadcast", "channel": f"other{number}", "type": "x"})
        assert number < 2000, "nobody wants it forgotten"
    answers = [peer_of(relay).confirm({"op": "broadcast", "channel": "room", "type": "x", "data": f"at {relay.port}"})
               for relay in (b, a)]
    assert answers[1]["seq"] == answers[0]["seq"] + 1 > 4
    await until_has(follower, f"at {b.port}", f"at {a.port}")
    seqs = [told.message.seq for told in follower.told if told.type == "x"]
    assert seqs == sorted(set(seqs)) and seqs[-2:] == [answer["seq"] for answer in answers]
    position = follower.position("room")
    for relay in (a, b):
        again = await follow(relay, position)
        peer_of(relay).confirm({"op": "broadcast", "channel": "room", "type": "x", "data": "last"})
        await until_has(again, "last")
        assert again.channels["room"].seq > position[2]
        assert again.channels["room"].epoch == position[1]
    assert texts(follower, "sync:unsubscribed") == []


async def until_has(client, *values):
    while not set(values) <= set(data(client, "x")):
        await client.next()
