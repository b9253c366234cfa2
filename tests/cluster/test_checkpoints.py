"""Checkpoints: written in turn, the log trimmed behind them, and what a relay does that needs one."""

import pytest

from deadline import wait_until

LOG = "{syncrelay}:log"
INFO = "{syncrelay}:info"


def record(redis, which):
    """name parts n id mark bytes sum"""
    return redis.cli("HGET", INFO, which).split()


def fill(relay, prefix, count):
    for number in range(count):
        relay.append(f"{prefix}{number}")
        relay.until_has(f"{prefix}{number}")


def parts(redis):
    return redis.cli("KEYS", "*checkpoint*").split()


def wait_for_checkpoints(redis):
    wait_until(lambda: record(redis, "older"), "two checkpoints")


def test_the_log_is_trimmed_behind_the_checkpoint_before_the_last(redis, join):
    relay = join(redis, entries=50)
    fill(relay, "a", 300)
    wait_for_checkpoints(redis)
    older, newest = record(redis, "older"), record(redis, "newest")
    first = redis.cli("XRANGE", LOG, "-", "+", "COUNT", "1").splitlines()[0]
    assert first == older[3]
    assert int(older[2]) < int(newest[2])
    assert int(redis.cli("XLEN", LOG)) < 200
    assert len(parts(redis)) == 2


def test_a_relay_that_comes_loads_the_older_one_and_reads_what_came_after_it(redis, join):
    relay = join(redis, entries=50)
    fill(relay, "a", 300)
    wait_for_checkpoints(redis)
    late = join(redis, entries=50)
    late.wait_for("caught_up")
    assert late.row() == relay.row()
    assert late.all("loaded ")[0].split()[1] == record(redis, "older")[3]
    assert len(late.all("letters ")) >= int(record(redis, "newest")[2]) - int(record(redis, "older")[2])


def test_two_relays_take_turns(redis, join):
    relays = [join(redis, entries=30) for _ in range(2)]
    for number in range(10):
        fill(relays[number % 2], f"{number}-", 40)
    assert all(relay.all("wanted ") for relay in relays)
    wait_until(lambda: all(any("result=OK" in line for line in relay.log) for relay in relays), "each wrote one")


def test_a_checkpoint_is_due_after_so_many_bytes_too(redis, join):
    relay = join(redis, bytes=2000)
    wanted = len(relay.all("wanted "))
    fill(relay, "x" * 100, 30)
    wait_until(lambda: len(relay.all("wanted ")) > wanted, "it is wanted")


def test_a_large_checkpoint_is_in_parts_and_the_relay_that_writes_it_stays_alive(redis, join):
    writer, other = join(redis, entries=50), join(redis, entries=100_000)
    writer.say(f"fill {40 << 20}")
    writer.wait_for("caught_up")
    other.wait_for("caught_up")
    fill(writer, "a", 120)
    wait_until(lambda: any("result=OK" in line for line in writer.log), "it is written", 40)
    assert int(record(redis, "newest")[1]) == 21
    assert not other.all("gone ")
    redis.cli("CONFIG", "SET", "maxmemory-policy", "noeviction")
    late = join(redis)
    late.wait_for("caught_up")
    assert late.row() == writer.row()


def test_a_relay_that_fell_behind_the_log_loads_a_checkpoint_of_the_same_epoch(redis, join):
    slow, relay = join(redis, entries=20, silent=60_000), join(redis, entries=20, silent=60_000)
    slow.append("slow")
    relay.until_has("slow")
    epoch = relay.epoch()
    slow.pause()
    fill(relay, "a", 200)
    wait_for_checkpoints(redis)
    slow.resume()
    slow.until_has("a199")
    assert slow.row() == relay.row()
    assert slow.epoch() == relay.epoch() == epoch
    assert slow.all("loaded ")


def test_a_relay_that_was_gone_and_fell_behind_appends_nothing_twice(redis, join):
    slow, relay = join(redis, entries=20), join(redis, entries=20)
    slow.wait_for("caught_up")
    relay.wait_for("caught_up")
    slow.append("warm")
    relay.until_has("warm")
    epoch = relay.epoch()
    slow.say("burst slow 3000")
    wait_until(lambda: relay.has("slow100"), "some of it is in the log")
    slow.pause()
    relay.wait_for("gone ")
    fill(relay, "a", 200)
    wait_until(lambda: "slow0" not in redis.cli("XRANGE", LOG, "-", "+"), "its letters are trimmed")
    slow.resume()
    slow.wait_for("renamed ")
    slow.until_has("slow2999")
    relay.until_has("slow2999")
    assert slow.row() == relay.row()
    assert len(slow.row()) == 3201
    assert slow.own_came_back() == 3001
    assert slow.epoch() == epoch


def test_a_turn_that_is_not_used_is_anothers(redis, join):
    relays = [join(redis, entries=20) for _ in range(2)]
    for relay in relays:
        relay.wait_for("caught_up")
        relay.say("hold")
    began = [len(relay.lines) for relay in relays]
    fill(relays[0], "a", 60)
    [holder] = wait_until(lambda: [at for at in (0, 1) if relays[at].all("wanted ", began[at])], "a turn")
    relays[holder].kill()
    other = relays[1 - holder]
    other.say("release")
    fill(other, "b", 40)
    assert len(other.all("wanted ", began[1 - holder])) == 0
    redis.cli("HSET", INFO, "turn", "1")  # a minute has passed
    fill(other, "c", 40)
    wait_until(lambda: any("result=OK" in line for line in other.log), "the other wrote it")


def test_a_lost_checkpoint_is_made_anew_by_who_has_the_state(redis, join):
    relay = join(redis)
    fill(relay, "a", 3)
    epoch = relay.epoch()
    redis.cli("DEL", *parts(redis))
    late = join(redis)
    late.until_has("a2")
    wait_until(lambda: relay.epoch() == late.epoch() != epoch, "a new epoch")
    assert late.row() == relay.row()


@pytest.mark.parametrize("end", ["stop", "kill"])
@pytest.mark.parametrize("harm", ["DEL", "SETRANGE"])
def test_nothing_is_founded_over_a_state_that_cannot_be_read(redis, join, harm, end):
    relay = join(redis)
    fill(relay, "a", 3)
    getattr(relay, end)()
    for part in parts(redis):
        redis.cli(harm, part, *(["0", "\x7f"] if harm == "SETRANGE" else []))
    late = join(redis)
    assert "cannot be read" in late.wait_for("failed ")
    assert redis.cli("XLEN", LOG) != "0"
