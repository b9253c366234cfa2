"""A new epoch is founded while something else goes wrong."""

import time

from deadline import wait_until
from test_faults import gather, go_on, new_epoch, same_epoch

LOG = "{syncrelay}:log"


def chosen(relays, since):
    return wait_until(lambda: [at for at, relay in enumerate(relays) if relay.all("wanted ", since[at])],
                      "one is to found")[0]


def held_founding(redis, relays):
    """Redis is emptied, and the one that is to found keeps its state to itself: which one it is."""
    for relay in relays:
        relay.say("hold")
    since = [len(relay.lines) for relay in relays]
    redis.cli("FLUSHALL")
    return chosen(relays, since)


def test_relays_that_have_nothing_to_do_see_that_redis_was_emptied_before_a_newcomer_founds(redis, join):
    relays = gather(join, redis, beat=60_000, silent=120_000, bid_wait=4000)
    redis.cli("FLUSHALL")
    newcomer = join(redis, beat=60_000, silent=120_000, bid_wait=4000)
    newcomer.wait_for("caught_up")
    go_on([*relays, newcomer], "first0", "first1", "first2")


def test_an_emptied_redis_in_which_a_newcomer_founds_while_all_others_are_away_is_a_cluster_with_nothing(redis, join):
    """What guarantees.md says is lost: and those that come back know it."""
    relays = gather(join, redis)
    epoch = same_epoch(relays)
    for relay in relays:
        relay.pause()
    redis.cli("FLUSHALL")
    newcomer = join(redis)
    newcomer.wait_for("caught_up")
    for relay in relays:
        relay.resume()
    new_epoch(relays, epoch)
    go_on([*relays, newcomer])
    assert "first0" not in newcomer.row()


def test_the_founder_dies_and_another_founds(redis, join):
    relays = gather(join, redis)
    epoch = same_epoch(relays)
    founder = relays.pop(held_founding(redis, relays))
    founder.kill()
    for relay in relays:
        relay.say("release")
    new_epoch(relays, epoch)
    go_on(relays, "first0", "first1", "first2")


def test_the_founder_is_paused_another_founds_and_it_follows(redis, join):
    relays = gather(join, redis, silent=60_000)
    epoch = same_epoch(relays)
    founder = relays[held_founding(redis, relays)]
    founder.pause()
    others = [relay for relay in relays if relay is not founder]
    for relay in others:
        relay.say("release")
    wait_until(lambda: (now := same_epoch(others)) != epoch and now, "a new epoch")
    founder.say("release")
    founder.resume()
    new_epoch(relays, epoch)
    go_on(relays, "first0", "first1", "first2")


def test_redis_is_emptied_again_while_the_founder_makes_its_state(redis, join):
    relays = gather(join, redis)
    epoch = same_epoch(relays)
    held_founding(redis, relays)
    redis.restart()
    for relay in relays:
        relay.say("release")
    new_epoch(relays, epoch)
    go_on(relays, "first0", "first1", "first2")


def test_a_large_state_is_founded_and_all_load_it(redis, join):
    relays = [join(redis, bid_wait=1000) for _ in range(2)]
    for relay in relays:
        relay.wait_for("caught_up")
        relay.say(f"fill {100 << 20}")
    relays[0].append("a")
    for relay in relays:
        relay.until_has("a")
    epoch = same_epoch(relays)
    redis.restart()
    new_epoch(relays, epoch, 40)
    go_on(relays, "a")
    assert len(redis.cli("KEYS", "*checkpoint*").split()) == 51
    assert redis.cli("TTL", redis.cli("KEYS", "*checkpoint*").split()[0]) == "-1"


def test_what_is_appended_while_an_epoch_is_founded_comes_once(redis, join):
    relays = gather(join, redis)
    epoch = same_epoch(relays)
    for turn in range(4):
        for relay in relays:
            relay.say(f"burst {turn}-{relay.id}- 300")
        redis.restart()
    new_epoch(relays, epoch)
    wait_until(lambda: all(len(relay.row()) == 3603 for relay in relays), "all came")
    go_on(relays)
    assert [relay.own_came_back() for relay in relays] == [1202] * 3


def test_time_goes_on_behind_a_redis_whose_clock_was_ahead(redis, join):
    relays = gather(join, redis, count=2)
    epoch = same_epoch(relays)
    ahead = int(time.time() * 1000) + 3_600_000
    redis.cli("XSETID", LOG, f"{ahead}-5")
    go_on(relays)
    redis.restart()
    new_epoch(relays, epoch)
    go_on(relays, word="later")
    [founded] = [line for relay in relays for line in relay.all("founded ")][1:]
    assert int(founded.split()[1].split("-")[0]) > ahead


def test_a_cluster_of_relays_that_start_together_is_founded_once(redis, join):
    relays = [join(redis) for _ in range(4)]
    for relay in relays:
        relay.wait_for("caught_up")
    assert same_epoch(relays)
    assert sum(len(relay.all("founded ")) for relay in relays) == 1


def test_a_relay_stops_although_redis_does_not_answer(redis, join):
    relay = join(redis)
    relay.wait_for("caught_up")
    redis.pause()
    relay.append("never")
    began = time.monotonic()
    relay.stop()
    assert time.monotonic() - began < 10


def test_tls_is_refused_where_there_is_none(join):
    relay = join("rediss://127.0.0.1:1")
    wait_until(lambda: [line for line in relay.log if "no TLS" in line], "it is said")
