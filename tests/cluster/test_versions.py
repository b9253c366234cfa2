"""Entries that a relay of another version has written."""

from deadline import wait_until


def told_of(relay, seconds=20.0):
    return relay.wait_for("failed ", seconds=seconds)


def test_what_a_later_version_adds_behind_the_known_is_no_matter(redis, join):
    relays = [join(redis) for _ in range(2)]
    for relay in relays:
        relay.wait_for("caught_up")
    redis.append_entry(data=b"other;", more=(b"x", b"something new"))
    relays[0].append("mine")
    for relay in relays:
        relay.until_has("other", "mine")
    assert relays[0].row() == relays[1].row() == ["other", "mine"]


def test_an_entry_of_a_form_that_is_not_known_ends_all_relays_and_says_which_it_is(redis, join):
    relays = [join(redis) for _ in range(2)]
    for number, relay in enumerate(relays):
        relay.append(f"known{number}")
    for relay in relays:
        relay.until_has("known0", "known1")
    redis.append_entry(version=b"2", data=b"unknown;")
    relays[0].append("behind")
    last = redis.cli("XREVRANGE", "{syncrelay}:log", "+", "-", "COUNT", "2").splitlines()
    ids = [line for line in last if "-" in line and line.replace("-", "").isdigit()]
    for relay in relays:
        assert any(id in told_of(relay) for id in ids)
        assert relay.row()[:2] == relays[0].row()[:2] and not {"unknown", "behind"} & set(relay.row())
    late = join(redis)
    assert any(id in told_of(late) for id in ids)
    wait_until(lambda: not late.has("behind"), "it goes no further")
