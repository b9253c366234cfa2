"""Commands that are refused: counted by reason, explained in the log, without any effect."""

import json
import re
import time

import pytest

from deadline import until
from ws_client import settle, settled_snapshot
from vectors import command_bytes, load

REJECTED = load("commands_rejected")
REASONS = ["invalid_json", "not_a_number", "invalid_utf8", "lone_surrogate", "trailing_bytes", "too_large",
           "too_deep", "not_an_object", "missing_member", "unknown_member", "duplicate_member", "wrong_type",
           "unknown_op", "invalid_key", "invalid_type", "reserved_type", "multipart", "state_full"]
LIMITS = ("--max-command", "64KiB", "--max-state", "16KiB")
NESTING = 512
KEPT = {"comparison": None, "radio": {"kept": True}}


def nested(levels):
    """A set command whose whole text nests `levels` deep."""
    return '{"op":"set","key":"deep","value":' + "[" * (levels - 1) + "]" * (levels - 1) + "}"


def rejections(relay):
    return relay.metrics().labels("commands_rejected_total", "reason")


def provoke(pusher, reason):
    """Pushes one command that is refused for this reason under LIMITS."""
    special = {"too_large": json.dumps({"op": "set", "key": "big", "value": "x" * 65536}),
               "too_deep": nested(NESTING + 1),
               "state_full": json.dumps({"op": "set", "key": "big", "value": "x" * 20000})}
    if reason == "multipart":
        pusher.push_parts(b'{"op":"delete","key":"radio"}', b'{"op":"delete","key":"radio"}')
    else:
        pusher.push(special.get(reason) or next(command_bytes(v) for v in REJECTED if v["reason"] == reason))


async def test_every_example_is_refused_for_its_reason_and_changes_nothing(relay, pusher, connect):
    pusher.set("radio", {"kept": True})
    await settle(relay, pusher)
    watcher = await connect(relay)
    wrong = []
    for vector in REJECTED:
        before = rejections(relay)
        pusher.push(command_bytes(vector))
        await settle(relay, pusher)
        after = rejections(relay)
        got = {r: n - before.get(r, 0) for r, n in after.items() if n != before.get(r, 0)}
        if got != {vector["reason"]: 1}:
            wrong.append((vector["name"], vector["reason"], got))
    assert not wrong, wrong
    assert (await settled_snapshot(relay, pusher)).data == KEPT
    await watcher.read_to_seq(relay.health()["seq"])
    assert {m.type for m in watcher.events()} == {"test:fence"}


@pytest.mark.parametrize("reason", REASONS)
async def test_the_reason_stands_in_the_log(start_relay, push_to, reason):
    relay = start_relay(*LIMITS)
    pusher = push_to(relay)
    provoke(pusher, reason)
    await until(lambda: reason in relay.log(), f"the log tells {reason}")
    assert rejections(relay)[reason] == 1
    assert sum(rejections(relay).values()) == 1


@pytest.mark.parametrize("vector", [v for v in REJECTED if v["name"] in (
    "value: NaN", "a letter after the end", "lone surrogate: a high surrogate alone", "a missing colon",
    "value: a byte that UTF-8 never has")], ids=lambda v: v["reason"])
async def test_the_log_tells_the_byte_offset(relay, pusher, vector):
    pusher.push(command_bytes(vector))
    await until(lambda: vector["reason"] in relay.log(), "the log tells the reason")
    line = relay.logged(vector["reason"])
    assert f"reason={vector['reason']} " in line and f" offset={vector['offset']} " in line, line


async def test_a_flood_of_bad_commands_is_counted_in_full_and_logged_once_per_second(relay, pusher):
    begin = time.monotonic()
    for _ in range(1000):
        pusher.push('{"op":"nonsense"}')
    await settle(relay, pusher)
    seconds = time.monotonic() - begin
    assert relay.logged("unknown_op")
    assert rejections(relay) == {**rejections(relay), "unknown_op": 1000}
    lines = [line for line in relay.log().splitlines() if "unknown_op" in line]
    assert 1 <= len(lines) <= seconds + 2


async def test_the_log_stays_text_whatever_a_command_holds(relay, pusher):
    """Neither bytes that are not UTF-8 nor line breaks nor a terminal's control characters get through."""
    pusher.push(b'{"op":"\xff\xfe\n2026-01-01 fake line\r\x1b[31m\x00"}')
    await until(lambda: "command refused" in relay.log(), "the log tells the refusal")
    assert len([line for line in relay.log().splitlines() if "fake line" in line]) == 1
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f\ufffd]", relay.log())


async def test_a_refused_broadcast_with_set_changes_nothing_at_all(relay, pusher, connect):
    client = await connect(relay)
    pusher.push('{"op":"broadcast","type":"t","data":1,"set":{"radio":1,"comparison":NaN}}')
    assert (await settled_snapshot(relay, pusher)).data == {"comparison": None, "radio": None}
    assert (await client.next_event()).type == "test:fence"


async def test_nesting_of_512_passes_and_513_does_not(relay, pusher):
    pusher.push(nested(NESTING))
    await settle(relay, pusher)
    assert rejections(relay).get("too_deep", 0) == 0
    deeper = '{"op":"set","key":"a","value":'
    pusher.push(nested(NESTING + 1), deeper + "[" * 1_000_000, deeper + '{"a":' * 100_000)
    snapshot = await settled_snapshot(relay, pusher)
    assert rejections(relay)["too_deep"] == 3
    assert '"deep":' + "[" * 511 + "]" * 511 in snapshot.text


async def test_the_size_of_a_command_is_bounded(start_relay, push_to):
    relay = start_relay("--max-command", "64KiB")
    pusher = push_to(relay)
    frame = len('{"op":"set","key":"big","value":""}')
    largest, larger = ('{"op":"set","key":"big","value":"%s"}' % (letter * (65536 - frame + extra))
                       for letter, extra in (("a", 0), ("b", 1)))
    pusher.push(largest, larger)
    snapshot = await settled_snapshot(relay, pusher)
    assert snapshot.data["big"] == "a" * (65536 - frame)
    assert rejections(relay)["too_large"] == 1


async def test_sixteen_mebibytes_are_the_default_bound(relay, pusher):
    frame = len('{"op":"set","key":"big","value":""}')
    for extra in (0, 1):
        pusher.push('{"op":"set","key":"big","value":"%s"}' % ("x" * (16 * 2**20 - frame + extra)))
    snapshot = await settled_snapshot(relay, pusher)
    assert len(snapshot.data["big"]) == 16 * 2**20 - frame
    assert rejections(relay)["too_large"] == 1


async def test_the_whole_state_is_bounded_and_room_comes_back(start_relay, push_to):
    relay = start_relay("--max-state", "64KiB")
    pusher = push_to(relay)
    for number in range(10):
        pusher.set(f"k{number}", "x" * 10_000)
    snapshot = await settled_snapshot(relay, pusher)
    assert [k for k in snapshot.data if k.startswith("k")] == [f"k{n}" for n in range(6)]
    assert rejections(relay)["state_full"] == 4
    pusher.delete("k0")
    pusher.set("fits", "x" * 10_000)
    pusher.merge("k1", {"a": "x" * 30_000})
    pusher.broadcast("t", set={"small": 1, "huge": "x" * 50_000})
    snapshot = await settled_snapshot(relay, pusher)
    assert "fits" in snapshot.data and "small" not in snapshot.data
    assert snapshot.data["k1"] == "x" * 10_000
    assert rejections(relay)["state_full"] == 6


async def test_parts_are_counted_once_and_the_next_command_passes(relay, pusher):
    pusher.push_parts(b'{"op":"set","key":"radio","value":1}', b"")
    pusher.push_parts(*[b'{"op":"set","key":"radio","value":2}'] * 50)
    pusher.set("comparison", 3)
    assert (await settled_snapshot(relay, pusher)).data == {"comparison": 3, "radio": None}
    assert rejections(relay)["multipart"] == 2


async def test_every_reason_is_shown_from_the_start(relay):
    """A rate over a counter that appears with its first count would miss that one."""
    assert {reason: rejections(relay).get(reason) for reason in REASONS} == dict.fromkeys(REASONS, 0)
