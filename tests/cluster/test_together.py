"""Relays of one cluster while nothing is wrong."""

import pytest

from deadline import wait_until


def now(redis) -> int:
    seconds, microseconds = redis.cli("TIME").split()
    return int(seconds) * 1000 + int(microseconds) // 1000


def signs_of_life(redis) -> list[int]:
    return [int(value) for value in redis.cli("HVALS", "{syncrelay}:relays").split()]


def test_what_one_appends_all_are_told_in_the_same_order(redis, join):
    relays = [join(redis) for _ in range(3)]
    for relay in relays:
        relay.say(f"burst {relay.id}- 200")
    wait_until(lambda: all(len(relay.row()) == 600 for relay in relays), "all texts are everywhere")
    rows = [relay.row() for relay in relays]
    assert rows[0] == rows[1] == rows[2]
    for relay in relays:
        assert [text for text in rows[0] if text.startswith(relay.id)] == [f"{relay.id}-{n}" for n in range(200)]
        assert relay.own_came_back() == 200


def test_all_that_come_later_are_under_the_epoch_of_the_first(redis, join):
    first = join(redis)
    first.append("a")
    first.until_has("a")
    second = join(redis)
    second.wait_for("caught_up")
    assert second.row() == ["a"]
    assert second.epoch() == first.epoch() != "-"


def test_a_relay_that_stops_is_gone_at_once(redis, join):
    first, second = join(redis, silent=60_000), join(redis)
    second.wait_for("caught_up")
    first.wait_for("caught_up")
    first.stop()
    assert second.wait_for("gone ").endswith(first.id)
    assert redis.cli("HKEYS", "{syncrelay}:relays") == second.id


def test_a_relay_that_is_killed_is_gone_once(redis, join):
    first, *others = [join(redis) for _ in range(3)]
    first.append("a")
    for relay in others:
        relay.until_has("a")
    first.kill()
    for relay in others:
        relay.wait_for("gone ")
    others[0].append("b")
    for relay in others:
        relay.until_has("b")
        assert [line.split()[2] for line in relay.all("gone ")] == [first.id]


def test_a_relay_that_was_paused_lives_on_under_another_id_and_loses_nothing(redis, join):
    paused, other = join(redis), join(redis)
    paused.append("a")
    other.until_has("a")
    paused.pause()
    assert other.wait_for("gone ").endswith(paused.id)
    other.append("b")
    paused.append("c")
    paused.resume()
    paused.wait_for("renamed ")
    for relay in (paused, other):
        relay.until_has("a", "b", "c")
    assert paused.row() == other.row()
    assert paused.own_came_back() == 2
    assert paused.epoch() == other.epoch()


def test_two_clusters_in_one_redis_know_nothing_of_each_other(redis, join):
    one, other = join(redis.url("/0?prefix=one")), join(redis.url("/0?prefix=other"))
    one.append("a")
    one.until_has("a")
    other.append("b")
    other.until_has("b")
    assert one.row() == ["a"]
    assert other.row() == ["b"]


def test_a_relay_with_other_options_does_not_start(redis, join):
    first = join(redis, option=("max-state", "1 MiB"))
    first.wait_for("caught_up")
    second = join(redis, option=("max-state", "2 MiB"))
    said = second.wait_for("failed ")
    assert "max-state, which is 1 MiB in the cluster and 2 MiB here" in said


@pytest.mark.parametrize("why", ["full", "paused"])
def test_a_relay_with_other_options_does_not_start_where_the_others_are_only_silent(redis, join, why):
    relays = [join(redis, option=("max-state", "1 MiB"), silent=1000) for _ in range(2)]
    for relay in relays:
        relay.wait_for("caught_up")
    relays[0].append("a")
    for relay in relays:
        relay.until_has("a")
    epoch = relays[0].epoch()
    if why == "full":
        redis.cli("CONFIG", "SET", "maxmemory", "1")
    else:
        for relay in relays:
            relay.pause()
    wait_until(lambda: all(seen < now(redis) - 1200 for seen in signs_of_life(redis)), "nobody gives a sign of life")
    stranger = join(redis, option=("max-state", "2 MiB"), silent=1000)
    assert "max-state" in stranger.wait_for("failed ")
    redis.cli("CONFIG", "SET", "maxmemory", "0")
    for relay in relays:
        relay.resume()
    relays[1].append("b")
    for relay in relays:
        relay.until_has("a", "b")
        assert relay.epoch() == epoch


def test_a_relay_with_other_options_takes_over_from_those_that_have_been_silent_for_long(redis, join):
    first = join(redis, option=("max-state", "1 MiB"))
    first.append("a")
    first.until_has("a")
    first.kill()
    wait_until(lambda: all(seen < now(redis) - 3000 for seen in signs_of_life(redis)), "it was silent for long")
    second = join(redis, option=("max-state", "2 MiB"), silent=500)
    second.wait_for("caught_up")
    assert second.row() == ["a"]


def test_a_relay_that_is_alone_may_come_with_other_options_and_founds_a_new_epoch(redis, join):
    first = join(redis, option=("max-state", "1 MiB"))
    first.append("a")
    first.until_has("a")
    epoch = first.epoch()
    first.stop()
    second = join(redis, option=("max-state", "2 MiB"))
    second.wait_for("caught_up")
    assert second.row() == ["a"]
    wait_until(lambda: second.epoch() != epoch, "another epoch")


def test_what_there_is_no_room_for_waits(redis, join):
    relay = join(redis)
    relay.wait_for("caught_up")
    redis.pause()
    relay.say("burst x 70000")
    wait_until(lambda: relay.ask("health")[2] == "0", "there is no room")
    redis.resume()
    wait_until(lambda: len(relay.row()) == 70_000, "all came back")
    assert relay.row() == [f"x{n}" for n in range(70_000)]
