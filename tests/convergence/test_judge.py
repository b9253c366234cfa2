"""The judge finds what is wrong: each test spoils the record of a real run in one way."""

import json
from collections import defaultdict

from channel_client import Told
from commands import CHANNELS, CONFIGURED, TEMPS, increment_in, is_doomed, is_quiet, tag_of
from doctored import (append, are_of_one_batch, event, everywhere, expect, index_of, is_event, is_loud, line_of, made_by,
                      neighbours, rewrite_everywhere, rewritten, spoil, unit, witness)
from history import Message
from judge import findings
from leases import gone_keys
from listener import Ask, Leave
from one_log import Step
from one_order import OneOrder
from plan import STATE_KEYS


def test_a_true_record_has_no_findings(recorded):
    assert findings(recorded) == []


# What a client was sent.

def test_an_event_that_one_client_missed(record):
    del record.whole[index_of(record.whole, lambda t: t.channel == "room:3" and t.type == "app:event")]
    expect(record, "a client from 0: event")


def test_a_seq_with_two_meanings(record):
    spoil(witness(record), is_event, ts=1.0)
    expect(record, "has two meanings")


def test_a_snapshot_that_is_not_the_state_behind_its_event(record):
    script = witness(record)
    told = script[index_of(script, lambda t: t.type == "sync:full" and t.channel == "room:1")]
    spoil(script, lambda t: t is told, data={**told.body["data"], "radio": "never sent"})
    expect(record, "is not the state behind that event")


def test_a_snapshot_that_tells_a_wrong_number_of_skipped_events(record):
    state = next(t for t in record.fresh if isinstance(t, Told) and t.channel == "")
    append(witness(record), ("", {**state.body, "seq": state.body["seq"] + 5, "skipped": 4}))
    expect(record, "says skipped 4")


def test_a_beginning_that_was_not_asked_for(record):
    append(witness(record), ("", record.fresh[index_of(record.fresh, lambda t: t.channel == "")].body))
    expect(record, "a beginning of '' that it had not asked for")


def test_an_event_of_a_channel_that_was_left(record):
    append(witness(record), Leave(""), ("", {"type": "sync:unsubscribed"}), ("", event(record.whole, channel="").body))
    expect(record, "an event of '', which it does not follow")


def test_an_end_that_was_not_asked_for(record):
    append(witness(record), ("room:1", {"type": "sync:unsubscribed", "channel": "room:1"}))
    expect(record, "'room:1' ended without its wish")


def test_an_end_of_a_channel_that_nobody_dropped(record):
    append(witness(record), ("room:1", {"type": "sync:unsubscribed", "channel": "room:1", "reason": "dropped"}))
    expect(record, "'room:1' ended, which nobody had dropped")


def test_a_drop_that_skipped_nothing_and_says_so(record):
    append(record.whole, ("temp:0", {"type": "sync:unsubscribed", "reason": "dropped", "skipped": 0}))
    expect(record, "was dropped with skipped 0")


def test_a_refused_subscription(record):
    append(witness(record), Ask("temp:1", None), ("temp:1", {"type": "sync:refused", "code": "forbidden"}))
    expect(record, "'temp:1' was refused")


def test_a_resume_at_another_place(record):
    told = spoil(record.whole, lambda t: t.type == "sync:resume" and t.channel == "room:2", seq=1)
    expect(record, f"asked for 0, resumed at {told.body['seq']}")


def test_a_resume_that_nobody_asked_for(record):
    record.whole[index_of(record.whole, lambda t: True) - 1] = Ask(CHANNELS[-1], None)
    record.whole[0] = Ask("", None)
    expect(record, "a resume that nobody asked for")


def test_a_snapshot_where_resuming_was_possible(record):
    spoil(record.whole, lambda t: t.type == "sync:resume" and t.channel == "room:2", type="sync:full", data={})
    expect(record, "in 'room:2': a snapshot where resuming was possible")
    expect(record, "resuming 'room:2' from 0 gave a snapshot")


def test_a_log_that_went_back(record):
    told = record.fresh[index_of(record.fresh, lambda t: t.channel == "temp:0")]
    record.fresh[CHANNELS.index("temp:0")] = Ask("temp:0", {"epoch": told.body["epoch"], "seq": told.message.seq + 1})
    expect(record, f"the log went back from {told.message.seq + 1} to {told.message.seq}")


def test_an_epoch_that_changed_over_durable_data(record):
    spoil(record.whole, lambda t: t.type == "sync:resume" and t.channel == "room:2", epoch="0" * 16)
    expect(record, "became 0000000000000000")


def test_a_final_state_that_is_not_the_models(record):
    record.final["room:1"]["state"]["radio"] = "never sent"
    expect(record, "the final state of 'room:1' is not the model's")
    expect(record, "a new client's snapshot of 'room:1' is not its state")
    expect(record, "witness ended with another state of 'room:1'")


def test_positions_that_nobody_saw_anything_of(record):
    told = record.fresh[index_of(record.fresh, lambda t: t.channel == "room:1")]
    append(record.fresh, ("room:1", {**told.body, "seq": told.body["seq"] + 2, "skipped": 2}))
    expect(record, "nobody saw all events up to")


# One order, whole steps.

def test_two_channels_in_another_order_than_others_saw(record):
    script = witness(record)
    index = neighbours(script, lambda a, b: "" not in (a.channel, b.channel) and a.channel != b.channel)
    script[index:index + 2] = script[index:index + 2][::-1]
    expect(record, "there is no one order")


def said(channel, seq, name=None, kind="app:event", **data):
    body = {"type": kind, "data": {"by": name, **data}, "seq": seq}
    return Step(channel, "E", seq, kind, Message(json.dumps(body), body, 0.0), replayed=name == "replayed")


def order_of(*steps, made=None):
    events = defaultdict(dict)
    for step in steps:
        if step.message.is_event:
            events[step.log][step.seq] = step.message
    order = OneOrder(events)
    order.add_flow("one", steps)
    order.add_sender("p0", made or {}, events)
    return order


def test_commands_of_one_sender_in_another_order():
    made = {n: {"op": "broadcast", "type": "app:event", "channel": channel, "data": {"by": f"p0:{n}"}}
            for n, channel in ((4, "room:1"), (5, "room:2"))}
    four, five = said("room:1", 1, "p0:4"), said("room:2", 1, "p0:5")
    assert order_of(four, five, made=made).circle() == []
    assert set(order_of(five, four, made=made).circle()) == {(("room:1", "E", 1), "p0"), (("room:2", "E", 1), "one")}


def test_only_what_a_resume_brings_back_may_be_older():
    resume = said("room:2", 0, kind="sync:resume", to=1)
    old, new = said("room:2", 1, "replayed"), said("room:2", 2)
    for back, is_allowed in ((old, True), (new, False)):
        order = order_of(said("room:1", 1), resume, back)
        order.add_flow("other", [said("room:2", back.seq), said("room:1", 1)])
        assert (order.circle() == []) == is_allowed


def test_a_batch_that_others_came_between(record):
    script = witness(record)
    index = neighbours(script, lambda a, b: are_of_one_batch(a, b) and a.channel != b.channel)
    behind = script[index + 2:]
    other = behind[index_of(behind, lambda t: t.type == "app:event" and unit(t) != unit(script[index]))]
    script.remove(other)
    script.insert(index + 1, other)
    expect(record, "is torn apart by")


def test_a_batch_of_which_a_part_is_missing(record):
    index = neighbours(record.whole, lambda a, b: are_of_one_batch(a, b) and b.type == "app:event" and b.channel not in TEMPS)
    rewrite_everywhere(record, record.whole[index + 1], type="app:done")
    expect(record, f"{unit(record.whole[index])} is there, but in")


def test_a_batch_that_lies_apart_in_a_channel(record):
    index = neighbours(record.whole, lambda a, b: are_of_one_batch(a, b) and a.channel == b.channel == "room:1")
    second = record.whole[index + 1].body
    rewrite_everywhere(record, record.whole[index + 1], type="sync:delete", data=["devices"])
    later = record.whole[index_of(record.whole[index + 2:], lambda t: t.channel == "room:1" and is_event(t)) + index + 2]
    rewrite_everywhere(record, later, type=second["type"], data=second["data"])
    expect(record, "does not lie together")


def test_a_snapshot_in_the_middle_of_a_batch(record):
    index = neighbours(record.whole, lambda a, b: are_of_one_batch(a, b) and a.channel == b.channel)
    told = record.whole[index]
    epoch = record.final[told.channel]["epoch"]
    record.followers["client 1"].insert(0, [])
    append(record.followers["client 1"][0], Ask(told.channel, None),
           (told.channel, {"type": "sync:full", "data": {}, "ts": 1.0, "seq": told.message.seq, "epoch": epoch}))
    expect(record, f"in the middle of {unit(told)}")


def test_a_batch_that_was_to_be_refused_and_is_there(record):
    number = next(n for n in range(1000) if is_doomed(made_by(record, "p0", n)))
    rewrite_everywhere(record, event(record.whole, channel="room:1"), data={"by": f"p0:{number}/0"})
    expect(record, f"p0:{number} could only be refused")


def test_a_batch_that_was_to_be_refused_and_was_confirmed(record):
    line = line_of(record, "l0", lambda made, _: is_doomed(made))
    line["answer"] = {"ok": True, "seq": 1, "epoch": record.final[""]["epoch"], "duplicate": True}
    expect(record, "can only be refused, and was answered")


# Confirmed commands.

def test_a_confirmed_command_that_is_not_in_the_log(record):
    line_of(record, "s0", is_loud)["answer"].setdefault("positions", {})
    line = line_of(record, "s0", lambda made, answer: is_loud(made, answer) and "channels" not in made)
    line["answer"]["seq"] += 10**6
    expect(record, "and there is no such event")


def test_a_confirmed_command_in_another_place(record):
    line = line_of(record, "l0", lambda made, answer: is_loud(made, answer) and "channels" not in made)
    line["answer"]["seq"] -= 1
    expect(record, f"l0:{line['n']} was confirmed at")


def test_a_command_that_was_confirmed_in_two_places(record):
    line = line_of(record, "l0", lambda made, answer: is_loud(made, answer) and "channels" not in made)
    record.journals["l0"].append({"n": line["n"], "answer": {**line["answer"], "seq": line["answer"]["seq"] + 1, "versions": {}}})
    expect(record, "was answered with several positions")


def test_a_refused_command(record):
    line_of(record, "s0", is_loud)["answer"] = {"ok": False, "error": {"code": "storage_failed"}}
    expect(record, "was refused")


def test_a_command_that_took_effect_twice(record):
    first = event(record.whole, "l0", "room:1")
    second = event(record.whole[record.whole.index(first) + 1:], channel="room:1")
    rewrite_everywhere(record, second, data=first.body["data"])
    expect(record, "took effect more than once")


def test_deletes_that_nobody_sent(record):
    for told in [t for t in record.whole if is_event(t) and t.channel == "room:4"][:2]:
        rewrite_everywhere(record, told, type="sync:delete", data=["never"])
    expect(record, "deletes that nobody was told of")


def test_pushed_commands_in_another_order(record):
    first = event(record.whole, "p0", "room:5")
    second = event(record.whole[record.whole.index(first) + 1:], "p0", "room:5")
    rewrite_everywhere(record, first, data=second.body["data"])
    rewrite_everywhere(record, second, data=first.body["data"])
    expect(record, "p0: not in the order sent in 'room:5'")


def test_a_pushed_command_that_was_lost_though_nobody_had_ended(record):
    number = record.journals["p1"][-1]["n"]
    fits = (n for n in range(number + 1, number + 999) if made_by(record, "p1", n).get("channel") == "room:1"
            and not is_quiet(made_by(record, "p1", n)))
    record.journals["p1"].append({"n": next(fits), "life": 0})
    expect(record, "arrived, and nobody had ended")


def test_a_quiet_change_that_was_lost(record):
    record.final[""]["state"].pop("quiet:s0")
    expect(record, "quiet:s0 is None")


# Counters, versions, ttl.

def test_a_lost_increment(record):
    record.final[""]["state"]["count"]["n"] -= 1
    expect(record, "were confirmed")


def test_an_increment_that_saw_an_old_value(record):
    counts = [t for t in record.whole if is_event(t) and t.type == "sync:set" and "count" in t.body["data"]]
    rewrite_everywhere(record, counts[0], data={"count": {**counts[0].body["data"]["count"], "n": 17000}})
    expect(record, "the counter of")


def test_a_version_that_was_given_twice(record):
    versions = [line["answer"]["versions"] for line in record.journals["s0"] if line["answer"].get("versions")]
    first, second = [v for v in versions if set(v.values()) != {0}][:2]
    second.update(dict.fromkeys(second, next(iter(first.values()))))
    expect(record, "versions that were given twice")


def test_versions_that_fall(record):
    lines = [line["answer"] for line in record.journals["s0"] if line["answer"].get("versions", {}).get("count")]
    lines[-1]["versions"]["count"] = 1
    lines[0]["versions"]["count"] = 10**6
    expect(record, "fall in")


def test_a_version_that_ended_below_what_was_told(record):
    record.final[""]["versions"]["count"] = 1
    expect(record, "ended below what was told before")


def expiry(record):
    return record.whole[index_of(record.whole, lambda t: is_event(t) and t.channel not in TEMPS
                                 and any(key.startswith("lease:") for key in gone_keys(t.message)))]


def test_a_key_that_went_before_its_time(record):
    rewrite_everywhere(record, expiry(record), ts=1.0)
    expect(record, "s too early")


def test_a_key_that_went_and_was_not_there(record):
    rewrite_everywhere(record, expiry(record), type="sync:delete", data=["lease:9"])
    expect(record, "and it was not there")


def test_a_key_that_went_though_its_ttl_had_ended(record):
    rewrite_everywhere(record, expiry(record), type="sync:delete", data=["kept:1"])
    expect(record, "and its ttl had ended")


def test_a_key_that_outlived_its_ttl(record):
    record.final["room:1"]["state"]["lease:1"] = 1
    expect(record, "outlived their ttl in 'room:1'")


def test_the_configured_keys_are_the_models():
    assert list(STATE_KEYS[1::2]) == list(CONFIGURED)
