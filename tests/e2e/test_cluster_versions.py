"""Relays of a cluster of which some are of another version than others."""

import shutil
import struct

import pytest

from cluster import epoch_of, state
from deadline import wait_until
from relay_process import RelayExited

pytestmark = pytest.mark.skipif(not shutil.which("redis-server"), reason="there is no redis-server")


def letters(version):
    """A frame with letters of that version and nothing in it."""
    return struct.pack("<I", 1) + bytes([version])


def test_an_entry_with_something_new_behind_the_known_is_applied(join, redis, peer_of):
    a, b = join("a"), join("b")
    redis.append_entry(data=letters(1), more=(b"x", b"new"))
    answer = peer_of(a).confirm({"op": "set", "key": "k", "value": 1})
    backend = peer_of(b)
    wait_until(lambda: state(backend) == {"k": 1}, "b goes on, too")
    assert answer["epoch"] == epoch_of(b)


@pytest.mark.parametrize("how, words", [
    ({"version": b"2"}, "not written by a relay of this version"),
    ({"data": letters(2)}, "holds what this version cannot read"),
    ({"data": b"\xff"}, "holds what this version cannot read")], ids=["entry", "letters", "damage"])
def test_a_relay_that_cannot_read_an_entry_says_so_and_serves_nobody(join, redis, peer_of, how, words):
    relays = [join("a"), join("b")]
    peer_of(relays[0]).confirm({"op": "set", "key": "k", "value": 1})
    wait_until(lambda: relays[1].health()["seq"] == 1, "both have all")
    redis.append_entry(**how)
    for relay in relays:
        assert words in relay.logged(words)
        wait_until(lambda relay=relay: epoch_of(relay) is None, "it serves nobody")
    wait_until(lambda: all(relay.exit_code() not in (None, 0) for relay in relays), "they have ended")
    with pytest.raises(RelayExited, match=words):
        join("c")
