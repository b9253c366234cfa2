"""Redis is killed, emptied, promoted, paused, full or slow: no history is told twice, and nothing is lost that some
relay has been told."""

import time

import pytest

from deadline import wait_until

AOF = ("--appendonly", "yes", "--appendfsync", "always")


def same_epoch(relays) -> str | None:
    epochs = {relay.epoch() for relay in relays}
    return next(iter(epochs)) if len(epochs) == 1 else None


def gather(join, place, count=3, **settings):
    """Relays that have all been told what each of them said."""
    relays = [join(place, **settings) for _ in range(count)]
    for number, relay in enumerate(relays):
        relay.append(f"first{number}")
    for relay in relays:
        relay.until_has(*[f"first{number}" for number in range(count)])
    return relays


def go_on(relays, *texts, word="then"):
    """What is appended now by each comes to all, who have the same."""
    for number, relay in enumerate(relays):
        relay.append(f"{word}{number}")
    for relay in relays:
        relay.until_has(*texts, *[f"{word}{number}" for number in range(len(relays))])
    assert all(relay.row() == relays[0].row() for relay in relays)
    assert same_epoch(relays)


def founded_because(relays, why):
    """One of them says that it has founded an epoch, and why."""
    lines = [line for relay in relays for line in relay.log if "new epoch founded" in line]
    assert any(why in line for line in lines), lines


def new_epoch(relays, old, seconds=20.0):
    return wait_until(lambda: (epoch := same_epoch(relays)) != old and epoch, "a new epoch", seconds)


def test_a_redis_that_lost_nothing_goes_on_under_the_same_epoch(start_redis, join):
    redis = start_redis(*AOF)
    relays = gather(join, redis)
    epoch = same_epoch(relays)
    redis.kill()
    for number, relay in enumerate(relays):
        relay.append(f"meanwhile{number}")
    redis.start()
    go_on(relays, "meanwhile0", "meanwhile1", "meanwhile2")
    assert same_epoch(relays) == epoch
    assert [relay.own_came_back() for relay in relays] == [3, 3, 3]


def test_a_redis_that_lost_everything_gets_the_state_of_the_relays_under_a_new_epoch(redis, join):
    relays = gather(join, redis)
    epoch = same_epoch(relays)
    row = relays[0].row()
    redis.restart()
    new_epoch(relays, epoch)
    founded_because(relays, "this Redis has none")
    go_on(relays)
    assert relays[0].row()[:3] == row
    late = join(redis)
    late.until_has("then0")
    assert late.row() == relays[0].row()


def test_a_redis_that_was_emptied_gets_the_state_of_the_relays(redis, join):
    relays = gather(join, redis)
    epoch = same_epoch(relays)
    redis.cli("FLUSHALL")
    new_epoch(relays, epoch)
    go_on(relays, "first0", "first1", "first2")


def test_a_stranger_that_comes_first_to_an_empty_redis_does_not_win(redis, join):
    relays = gather(join, redis, bid_wait=2000)
    redis.kill()
    stranger = join(redis, bid_wait=2000)
    redis.start()
    stranger.until_has("first0", "first1", "first2")
    go_on([*relays, stranger])


def test_a_redis_that_was_rolled_back_gets_the_newest_state(start_redis, join):
    redis = start_redis()
    relays = gather(join, redis)
    redis.cli("SAVE")
    relays[0].append("unsaved")
    for relay in relays:
        relay.until_has("unsaved")
    epoch = same_epoch(relays)
    redis.restart()
    assert redis.cli("XLEN", "{syncrelay}:log") != "0"
    new_epoch(relays, epoch)
    founded_because(relays, "this Redis has lost what a relay has read")
    go_on(relays, "unsaved")


def test_who_does_not_come_back_may_have_read_more(start_redis, join):
    """The epoch ends although the log holds all that those have read who are there."""
    redis = start_redis(*AOF)
    relays = gather(join, redis)
    epoch = same_epoch(relays)
    relays[2].pause()
    redis.restart()
    new_epoch(relays[:2], epoch)
    founded_because(relays[:2], f"missing: {relays[2].id}")
    go_on(relays[:2])
    relays[2].resume()
    relays[2].until_has("then0", "then1")
    wait_until(lambda: same_epoch(relays) != epoch and same_epoch(relays), "all under one epoch")


def test_one_that_is_gone_by_the_log_is_not_waited_for_where_another_has_not_heard_of_that(start_redis, join):
    """What it has read is in front of the entry that says so, which is in the log."""
    redis = start_redis(*AOF)
    relays = gather(join, redis)
    epoch = same_epoch(relays)
    relays[1].pause()  # it has heard last that all three are there
    relays[2].stop()
    relays[0].wait_for("gone ")
    redis.kill()
    relays[1].resume()
    redis.start()
    go_on(relays[:2], *relays[0].row())
    assert same_epoch(relays[:2]) == epoch


def test_all_are_killed_and_the_state_is_what_redis_has(start_redis, join):
    redis = start_redis(*AOF)
    relays = gather(join, redis)
    epoch = same_epoch(relays)
    for relay in relays:
        relay.kill()
    redis.restart()
    later = [join(redis) for _ in range(2)]
    go_on(later, "first0", "first1", "first2")
    assert same_epoch(later) != epoch


def test_all_have_stopped_and_a_redis_that_was_restarted_begins_a_new_epoch_with_all(start_redis, join):
    """Nobody is there who knows whether this is the newest that Redis had."""
    redis = start_redis(*AOF)
    relays = gather(join, redis)
    epoch = same_epoch(relays)
    for relay in relays:
        relay.stop()
    redis.restart()
    later = join(redis)
    later.until_has("first0", "first1", "first2")
    later.wait_for("caught_up")
    assert later.epoch() != epoch
    founded_because([later], "no relay is there that has read this log")
    go_on([later, join(redis)], "first0", "first1", "first2")


def test_all_have_stopped_and_the_epoch_goes_on_in_a_redis_that_ran_on(redis, join):
    relays = gather(join, redis)
    epoch = same_epoch(relays)
    for relay in relays:
        relay.stop()
    later = join(redis)
    later.until_has("first0", "first1", "first2")
    assert later.epoch() == epoch


def test_one_that_is_stopped_while_it_enters_leaves_again(redis, slow_way, join):
    first = join(redis)
    first.append("one")
    first.until_has("one")
    second = join(slow_way(redis, 0.1))
    wait_until(lambda: redis.cli("HLEN", "{syncrelay}:relays").strip() == "2", "it is in, and does not know")
    second.stop()
    assert redis.cli("HKEYS", "{syncrelay}:relays").split() == [first.id]


@pytest.mark.parametrize("end", ["stop", "kill"])
def test_a_copy_from_a_time_in_which_no_relay_ran_goes_on_under_a_new_epoch(start_redis, join, end):
    redis = start_redis("--dbfilename", "dump.rdb")
    first = join(redis)
    first.append("first")
    first.until_has("first")
    first.stop()
    redis.cli("SAVE")
    copy = (redis.directory / "dump.rdb").read_bytes()
    second = join(redis)
    second.append("lost")
    second.until_has("first", "lost")
    told = second.epoch()
    getattr(second, end)()
    redis.kill()
    (redis.directory / "dump.rdb").write_bytes(copy)
    redis.start()
    relays = [join(redis), join(redis)]
    go_on(relays, "first")
    assert "lost" not in relays[0].row()
    assert same_epoch(relays) != told


def test_a_copy_that_is_put_back_under_running_relays_gets_their_state_whoever_comes_first(start_redis, join):
    redis = start_redis("--dbfilename", "dump.rdb")
    first = join(redis)
    first.append("first")
    first.until_has("first")
    first.stop()
    redis.cli("SAVE")
    relays = gather(join, redis, bid_wait=3000)
    told = same_epoch(relays)
    for relay in relays:
        relay.pause()
    redis.kill()
    redis.start()
    newcomer = join(redis, bid_wait=3000)
    wait_until(lambda: redis.cli("EXISTS", "{syncrelay}:bids") == "1", "the newcomer bids")
    for relay in relays:
        relay.resume()
    go_on([*relays, newcomer], "first", "first0", "first1", "first2")
    assert same_epoch(relays) != told


def test_a_replica_that_missed_what_the_last_relay_was_told_goes_on_under_a_new_epoch(start_redis, join):
    master, replica = start_redis(), start_redis()
    replica.replicate(master)
    first = join(master)
    first.append("first")
    first.until_has("first")
    first.stop()
    wait_until(lambda: replica.cli("XLEN", "{syncrelay}:log") == master.cli("XLEN", "{syncrelay}:log"), "copied")
    replica.cut_replica()
    second = join(master)
    second.append("lost")
    second.until_has("lost")
    told = second.epoch()
    second.kill()
    master.kill()
    replica.promote()
    relays = [join(replica), join(replica)]
    go_on(relays, "first")
    assert same_epoch(relays) != told


def promoted(master, replica, sentinel):
    master.kill()
    replica.promote()
    sentinel.master = replica


def test_a_replica_that_has_everything_keeps_the_epoch(start_redis, start_sentinel, join):
    master, replica = start_redis(), start_redis()
    replica.replicate(master)
    sentinel = start_sentinel(master)
    relays = gather(join, sentinel)
    epoch = same_epoch(relays)
    wait_until(lambda: replica.cli("XLEN", "{syncrelay}:log") == master.cli("XLEN", "{syncrelay}:log"), "copied")
    promoted(master, replica, sentinel)
    go_on(relays, "first0", "first1", "first2")
    assert same_epoch(relays) == epoch


def test_a_replica_that_lacks_the_tail_gets_it_under_a_new_epoch(start_redis, start_sentinel, join):
    master, replica = start_redis(), start_redis()
    replica.replicate(master)
    sentinel = start_sentinel(master)
    relays = gather(join, sentinel)
    epoch = same_epoch(relays)
    wait_until(lambda: replica.cli("XLEN", "{syncrelay}:log") == master.cli("XLEN", "{syncrelay}:log"), "copied")
    replica.cut_replica()
    relays[0].append("tail0")
    relays[1].append("tail1")
    for relay in relays:
        relay.until_has("tail0", "tail1")
    promoted(master, replica, sentinel)
    new_epoch(relays, epoch)
    go_on(relays, "tail0", "tail1")
    assert [relay.own_came_back() for relay in relays] == [3, 3, 2]


def test_who_has_read_less_takes_over_what_the_others_have_read(start_redis, start_sentinel, join):
    """Its own letter is in what it takes over: it is told so, and does not append it again."""
    master, replica = start_redis(), start_redis()
    replica.replicate(master)
    sentinel = start_sentinel(master)
    relays = gather(join, sentinel, silent=60_000)
    wait_until(lambda: replica.cli("XLEN", "{syncrelay}:log") == master.cli("XLEN", "{syncrelay}:log"), "copied")
    epoch = same_epoch(relays)
    replica.cut_replica()
    relays[2].say("burst mine 5000")
    wait_until(lambda: "mine0" in relays[0].row(), "some of it was read")
    relays[2].pause()
    promoted(master, replica, sentinel)
    new_epoch(relays[:2], epoch)
    relays[2].resume()
    relays[2].until_has("mine4999")
    go_on(relays, *[f"mine{number}" for number in range(5000)])
    assert [text for text in relays[0].row() if text.startswith("mine")] == [f"mine{n}" for n in range(5000)]
    assert relays[2].own_came_back() == 5002


def test_two_masters_never_have_one_epoch(start_redis, start_sentinel, join):
    """One relay stays with the old master, two have the new one; then the old one's history ends."""
    old, new = start_redis(), start_redis()
    new.replicate(old)
    alone, together = start_sentinel(old), start_sentinel(old)
    relays = [join(alone, silent=60_000), join(together, silent=60_000), join(together, silent=60_000)]
    for number, relay in enumerate(relays):
        relay.append(f"first{number}")
    for relay in relays:
        relay.until_has("first0", "first1", "first2")
    epoch = same_epoch(relays)
    wait_until(lambda: new.cli("XLEN", "{syncrelay}:log") == old.cli("XLEN", "{syncrelay}:log"), "copied")
    new.promote()
    together.master = new
    old.kill_readers()  # all other connections stay with the old master
    new_epoch(relays[1:], epoch)
    relays[0].append("alone")
    relays[0].until_has("alone")
    relays[1].append("together")
    relays[2].until_has("together")
    wait_until(lambda: all(relay.is_reachable() for relay in relays), "each has a master")
    assert relays[0].epoch() == epoch
    assert "alone" not in relays[1].row()
    old.replicate(new)
    alone.master = new
    old.cli("CLIENT", "KILL", "TYPE", "normal")
    wait_until(lambda: relays[0].epoch() == relays[1].epoch(), "the one has come over")
    assert "alone" not in relays[0].row()
    go_on(relays, "together")


def test_a_master_that_becomes_another_under_an_open_connection(start_redis, join):
    """It takes a full copy from another and is master again, and no connection has ended."""
    redis, other = start_redis(), start_redis()
    relays = gather(join, redis)
    epoch = same_epoch(relays)
    redis.replicate(other)
    redis.promote()
    new_epoch(relays, epoch)
    go_on(relays, "first0", "first1", "first2")


def test_a_paused_redis_is_unreachable_and_nobody_is_gone(redis, join):
    relays = gather(join, redis)
    epoch = same_epoch(relays)
    redis.pause()
    relays[0].append("waiting")
    wait_until(lambda: not any(relay.is_reachable() for relay in relays), "it is unreachable")
    redis.resume()
    go_on(relays, "waiting")
    assert same_epoch(relays) == epoch
    assert not any(relay.all("gone ") for relay in relays)
    wait_until(lambda: all(relay.is_reachable() for relay in relays), "it is reachable")


def test_a_slow_redis_loses_nothing(redis, join):
    relays = gather(join, redis)
    for number in range(5):
        redis.cli("CLIENT", "PAUSE", "400", "ALL")
        relays[number % 3].append(f"slow{number}")
    go_on(relays, *[f"slow{number}" for number in range(5)])


def test_connections_that_end_all_the_time_neither_lose_nor_double(redis, join):
    relays = gather(join, redis)
    for relay in relays:
        relay.say(f"burst {relay.id}- 2000")
    for number in range(40):
        redis.cli("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
        relays[number % 3].append(f"kill{number}")
    wait_until(lambda: all(len(relay.row()) == 6043 for relay in relays), "all is told once")
    assert [relay.own_came_back() for relay in relays] == [2015, 2014, 2014]
    go_on(relays)


def test_a_full_redis_refuses_and_goes_on_when_there_is_room(redis, join):
    relays = gather(join, redis)
    redis.cli("CONFIG", "SET", "maxmemory", "1")
    for number, relay in enumerate(relays):
        relay.append(*[f"full{number}-{text}" for text in range(20)])
    wait_until(lambda: not all(relay.is_reachable() for relay in relays), "a refusal is seen")
    redis.cli("CONFIG", "SET", "maxmemory", "0")
    go_on(relays, *[f"full{number}-{text}" for number in range(3) for text in range(20)])
    for number, relay in enumerate(relays):
        mine = [text for text in relay.row() if text.startswith(f"full{number}-")]
        assert mine == [f"full{number}-{text}" for text in range(20)]


def test_an_entry_that_is_gone_from_the_middle_ends_the_epoch(redis, join):
    relays = gather(join, redis, count=2)
    epoch = same_epoch(relays)
    relays[1].pause()
    relays[0].append("beginning")  # an answer that is under way to the paused one already
    relays[0].until_has("beginning")
    relays[0].append("middle")
    relays[0].until_has("middle")
    last = redis.cli("XREVRANGE", "{syncrelay}:log", "+", "-", "COUNT", "1").splitlines()[0]
    relays[0].append("end")
    relays[0].until_has("end")
    redis.cli("XDEL", "{syncrelay}:log", last)
    relays[1].resume()
    new_epoch(relays, epoch)
    go_on(relays, "beginning", "middle", "end")


def test_a_relay_that_missed_a_settlement_and_read_more_demands_a_new_epoch(start_redis, start_sentinel, join):
    """Its registration was lost with the tail, so that the others did not wait for it."""
    master, replica = start_redis(), start_redis()
    replica.replicate(master)
    sentinel, late_sentinel = start_sentinel(master), start_sentinel(master)
    relays = gather(join, sentinel, count=2)
    epoch = same_epoch(relays)
    wait_until(lambda: replica.cli("XLEN", "{syncrelay}:log") == master.cli("XLEN", "{syncrelay}:log"), "copied")
    replica.cut_replica()
    for relay in relays:
        relay.pause()
    late = join(late_sentinel)
    late.append("late")
    late.until_has("late")
    late.pause()
    promoted(master, replica, sentinel)
    late_sentinel.master = replica
    for relay in relays:
        relay.resume()
    go_on(relays)
    kept = same_epoch(relays)
    late.resume()
    everybody = [*relays, late]
    wait_until(lambda: (now := same_epoch(everybody)) and now != epoch, "one new epoch")
    for relay in everybody:
        relay.append(f"end-{relay.id}")
    for relay in everybody:
        relay.until_has(*[f"end-{other.id}" for other in everybody])
    assert late.row() == relays[0].row() == relays[1].row()
    assert kept in (epoch, same_epoch(everybody))


def test_time_of_entries_never_goes_back(redis, join):
    relays = gather(join, redis, count=2)
    began = time.time() * 1000
    redis.restart()
    go_on(relays)
    for relay in relays:
        stamps = [int(line.split()[1].split("-")[0])
                  for line in relay.lines if line.split()[0] in ("letters", "founded", "loaded", "gone")]
        assert stamps == sorted(stamps)
        assert abs(stamps[-1] - began) < 60_000


def test_a_relay_that_appends_all_the_time_notices_that_redis_does_not_answer(redis, join):
    relay = join(redis)
    relay.wait_for("caught_up")
    redis.pause()
    appended = 0

    def one_more():
        nonlocal appended
        relay.append(f"on{appended}")
        appended += 1
        return [line for line in relay.log if "took no append" in line]

    wait_until(one_more, "it is noticed", 6)
    redis.resume()
    relay.until_has(f"on{appended - 1}")


CUTS = {"deleted": ("DEL",), "emptied": ("XTRIM", "MAXLEN", "0"), "cut": ("XTRIM", "MAXLEN", "3")}


def cut(redis, how) -> None:
    command, *rest = CUTS[how]
    redis.cli(command, "{syncrelay}:log", *rest)


@pytest.mark.parametrize("how", CUTS)
def test_a_log_of_which_something_was_taken_is_founded_anew_by_who_has_read_it(redis, join, how):
    """Nobody has to append, or to come: they see it."""
    relays = gather(join, redis)
    relays[0].append("a", "b", "c", "d")
    for relay in relays:
        relay.until_has("d")
    epoch = same_epoch(relays)
    row = relays[0].row()
    cut(redis, how)
    new_epoch(relays, epoch)
    assert relays[0].row() == row
    go_on([*relays, join(redis)], *row)


@pytest.mark.parametrize("how", CUTS)
def test_who_lags_behind_a_log_of_which_something_was_taken_gets_it_from_who_does_not(redis, join, how):
    relays = gather(join, redis, silent=60_000, bid_wait=3000)
    relays[2].pause()
    for text in ("a", "b", "c", "d"):
        relays[0].append(text)
        relays[0].until_has(text)
    relays[1].until_has("d")
    epoch = same_epoch(relays[:2])
    cut(redis, how)
    relays[0].append("e")
    relays[2].resume()
    new_epoch(relays, epoch)
    go_on(relays, "a", "b", "c", "d", "e")
    assert len([line for line in relays[2].log if "a new epoch is needed" in line]) < 3


@pytest.mark.parametrize("how", CUTS)
def test_who_finds_a_log_of_which_something_was_taken_serves_what_is_left(redis, join, how):
    relays = gather(join, redis, entries=20)
    for number in range(70):
        relays[0].append(f"a{number}")
        relays[0].until_has(f"a{number}")
    wait_until(lambda: "older" in redis.cli("HKEYS", "{syncrelay}:info"), "two checkpoints")
    row = relays[0].row()
    epoch = same_epoch(relays)
    for relay in relays:
        relay.stop()
    cut(redis, how)
    late = join(redis)
    late.wait_for("caught_up")
    assert late.epoch() != epoch
    assert len(late.row()) > 3
    assert late.row() == row[:len(late.row())]
    go_on([late, join(redis)])
