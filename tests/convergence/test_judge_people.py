"""The judge finds what is wrong with members, wills and messages: each test spoils the record of a real run in one way."""

import copy

import pytest

from channel_client import Told
from commands import TEMPS
from doctored import everywhere, expect, index_of, is_event, rewrite_everywhere, rewritten, spoil, with_clients
from people import FAR, GRACE, PLACES, PUBLISHED, SAID, WILL, WILL_FAR, Will, identity_of, is_published
from tab import Stay


@pytest.fixture
def record(recorded):
    return with_clients(recorded, ("witness",))


def told_of(record, kind, fits=lambda t: True):
    """The first event of this kind that fits, as a client from 0 was told it."""
    return record.whole[index_of(record.whole, lambda t: t.type == kind and t.channel in PLACES and fits(t))]


def behind(record, told):
    return next(t for t in record.whole if is_event(t) and t.channel == told.channel and t.message.seq == told.message.seq + 1)


def plain_event(record, channel):
    """One that changes no state."""
    return next(t for t in record.whole if is_event(t) and t.channel == channel and t.type == "app:event" and "set" not in t.body)


def left_with_a_will(record):
    return told_of(record, "sync:left", lambda t: t.channel and WILL in {b.type for b in record.whole if is_event(b)
                   and b.channel == t.channel and b.message.seq == t.message.seq + 1})


def withdraw(record, told):
    """As if the event had been another one, for everybody."""
    rewrite_everywhere(record, told, type="app:nothing", data={"by": None})


def snapshot_with_members(record):
    return index_of(record.fresh, lambda t: t.type == "sync:full" and t.body.get("members"))


def answers(record, op):
    """(taker, ask, answer) of each request of this kind that was answered."""
    found = []
    for taker, lines in record.company.takers.items():
        asks = {line["ask"]: line for line in lines if "op" in line}
        found += [(taker, asks[line["ask"]], line) for line in lines if "answer" in line and asks[line["ask"]]["op"] == op]
    return found


def deliveries(record):
    """The answers with messages in them."""
    return [each for each in answers(record, "receive") if each[2]["answer"]["events"]]


# Members.

def test_members_in_a_snapshot_that_came_never(record):
    index = snapshot_with_members(record)
    told = record.fresh[index]
    id, member = next(iter(told.body["members"].items()))
    record.fresh[index] = rewritten(told, members={**told.body["members"], id: {**member, "since": 1.0}})
    expect(record, "has other members")


def test_a_snapshot_without_its_members(record):
    del record.fresh[snapshot_with_members(record)].body["members"]
    expect(record, "has members, or has none, and should not")


def test_members_of_a_channel_that_keeps_none(record):
    spoil(record.fresh, lambda t: t.channel == "room:7" and t.type == "sync:full", members={})
    expect(record, "has members, or has none, and should not")


@pytest.mark.parametrize("place", [place for place in PLACES if place not in TEMPS])
def test_another_answer_to_the_query_for_members(record, place):
    record.company.members[place]["eve"] = {"info": {}, "since": 1.0}
    expect(record, f"the query for members of {place!r}")


def test_a_member_who_left_twice(record):
    left = told_of(record, "sync:left", lambda t: t.channel in ("room:0", "room:1"))
    rewrite_everywhere(record, left, data={"id": "eve"})
    expect(record, "members came, changed or left who could not")


def test_a_member_who_came_twice(record):
    events = [t for t in record.whole if is_event(t) and t.channel == "room:0"]
    joined, told = next((before, t) for before, t in zip(events, events[1:]) if before.type == "sync:joined"
                        and "set" not in t.body and t.type != "sync:left")
    rewrite_everywhere(record, told, type="sync:joined", data=joined.body["data"])
    expect(record, "members came, changed or left who could not")


def test_a_change_that_changed_nothing(record):
    changed = told_of(record, "sync:changed", lambda t: t.channel in ("room:0", "room:1"))
    before = [t for t in record.whole if is_event(t) and t.channel == changed.channel
              and t.type in ("sync:joined", "sync:changed") and t.message.seq < changed.message.seq
              and t.body["data"]["id"] == changed.body["data"]["id"]][-1]
    rewrite_everywhere(record, changed, data={**changed.body["data"], "info": before.body["data"]["info"]})
    expect(record, "members came, changed or left who could not")


def test_an_info_that_nobody_said(record):
    joined = told_of(record, "sync:joined")
    rewrite_everywhere(record, joined, data={**joined.body["data"], "info": {"n": -1}})
    expect(record, "never said of itself")


def test_a_member_in_a_channel_that_keeps_none(record):
    other = plain_event(record, "room:7")
    rewrite_everywhere(record, other, type="sync:left", data={"id": "ada"})
    expect(record, "a member where none are kept")


@pytest.mark.parametrize("ended", [None, 0.01])
def test_who_has_left_though_it_was_there_or_had_just_gone(record, ended):
    left = told_of(record, "sync:left")
    tab = next(tab for name, tab in record.company.tabs.items() if identity_of(name) == left.body["data"]["id"])
    record.company.slowest, record.company.started = 0.0, []
    at = left.body["ts"]
    tab["direct"], tab["stays"] = True, [Stay(left.channel, at - 9, at - 9, ended and at - ended, at + 9, GRACE)]
    expect(record, "and was there until")


def longest_run(visits):
    """The events without `set` of one channel that a client got behind a snapshot of it, and the channel."""
    runs = []
    for script in visits:
        here = {}
        for entry in script:
            if not is_event(entry):
                here[entry.channel] = []
                if isinstance(entry, Told) and entry.type == "sync:full" and entry.channel in PLACES:
                    runs.append((here[entry.channel], entry.channel))
            elif "set" not in entry.body:
                here[entry.channel].append(entry)
    return max(runs, key=lambda run: len(run[0]), default=([], ""))


def test_who_leaves_again_and_again_though_it_is_there(recorded):
    name = max(recorded.company.tabs, key=lambda name: len(longest_run(recorded.followers[name])[0]))
    record = with_clients(recorded, ("witness", name))
    run, channel = longest_run(record.followers[name])
    for told in run[-2:]:
        rewrite_everywhere(record, told, type="sync:left", data={"id": identity_of(name)})
    expect(record, f"{name} is in {channel!r}, and has left it again and again")


def test_a_list_of_members_that_is_missing(record):
    joined = told_of(record, "sync:joined", lambda t: not t.channel)
    rewrite_everywhere(record, behind(record, joined), type="app:other")
    expect(record, "no list of the members behind")


def test_a_list_of_members_that_is_not_theirs(record):
    record.final[""]["state"]["people"] = [{"id": "eve"}]
    expect(record, "the list of members is")


# Wills.

def test_a_will_that_did_not_speak(record):
    withdraw(record, behind(record, left_with_a_will(record)))
    expect(record, "the will that spoke was None")


def test_a_will_that_was_replaced_and_spoke(record):
    will = behind(record, left_with_a_will(record))
    rewrite_everywhere(record, will, data={**will.body["data"], "will": will.body["data"]["will"] - 1})
    expect(record, "and the will that spoke was")


def test_a_will_that_spoke_twice(record):
    will = behind(record, left_with_a_will(record))
    rewrite_everywhere(record, plain_event(record, "room:7"), type=WILL, data=will.body["data"])
    expect(record, "wills that spoke more than once")


def test_a_will_that_spoke_though_nobody_had_left(record):
    events = [t for t in record.whole if is_event(t) and t.channel == "room:0"]
    told = next(t for before, t in zip(events, events[1:]) if before.type == t.type == "app:event" and "set" not in t.body)
    rewrite_everywhere(record, told, type=WILL, data={"will": 1, "id": "ada"})
    expect(record, "a will that nobody's leaving brought")


def test_a_will_that_was_refused_and_spoke(record):
    number = behind(record, left_with_a_will(record)).body["data"]["will"]
    line = next(line for line in record.company.wills if line["will"] == number and "answer" in line)
    line["answer"] = {"ok": False, "error": {"code": "no_such_member"}}
    expect(record, "was refused, or could not speak")


def test_a_will_that_was_refused_for_another_reason(record):
    line = next(line for line in record.company.wills if "answer" in line)
    line["answer"] = {"ok": False, "error": {"code": "state_full"}}
    expect(record, f"will {line['will']} was answered")


def test_a_will_that_was_applied_in_part(record):
    withdraw(record, next(t for t in record.whole if is_event(t) and t.channel == FAR and t.type == WILL_FAR
                          and Will(record.plan.seed, t.body["data"]["will"]).channel not in TEMPS))
    expect(record, "wills that were applied in part")


# Messages.

def test_a_message_that_came_to_nobody(record):
    tab, number = next((name, n) for name, told in record.company.tabs.items() for n in range(told["said"])
                       if not is_published(n))
    for _, _, line in deliveries(record):
        line["answer"]["events"] = [e for e in line["answer"]["events"]
                                    if (e["data"]["tab"], e["data"]["number"]) != (tab, number)]
    expect(record, f"{tab} was told that [{number}] are taken, and they came to nobody")


def test_a_message_that_nobody_said(record):
    deliveries(record)[0][2]["answer"]["events"][0]["data"]["more"] = 1
    expect(record, "was told what nobody said")


def test_a_message_of_another_sender(record):
    deliveries(record)[0][2]["answer"]["events"][0]["id"] = "eve"
    expect(record, "was told what nobody said")


def again(record, delivery, **changes):
    """Has the same worker receive it once more, at the end."""
    taker, ask, line = copy.deepcopy(delivery)
    line["answer"]["events"] = [{**line["answer"]["events"][0], **changes}]
    late = max(line.get("heard", 0.0) for lines in record.company.takers.values() for line in lines) + 100
    ask |= {"ask": -1, "at": late}
    line |= {"ask": -1, "heard": late}
    record.company.takers[taker] += [ask, line]


def test_a_message_that_came_after_its_done(record):
    again(record, deliveries(record)[0], attempt=99)
    expect(record, "came after their done was answered")


def test_a_ref_that_came_as_another_message(record):
    again(record, deliveries(record)[0], n=10**9)
    expect(record, "messages that came anew under a ref")


def test_a_number_that_was_given_twice(record):
    numbers = sorted({e["n"] for _, _, line in deliveries(record) for e in line["answer"]["events"]})
    first = deliveries(record)[0]
    again(record, first, n=next(n for n in numbers if n != first[2]["answer"]["events"][0]["n"]))
    expect(record, "numbers that were given twice")


def test_an_attempt_that_was_taken_back(record):
    again(record, deliveries(record)[0], attempt=0)
    expect(record, "came with fewer attempts than before")


def test_messages_of_one_sender_in_another_order(record):
    of_tab = {}
    for _, _, line in sorted(deliveries(record), key=lambda each: each[2]["heard"]):
        for e in line["answer"]["events"]:
            of_tab.setdefault(e["data"]["tab"], []).append(e)
    first, second = next(events for events in of_tab.values() if len(events) > 1 and events[0]["n"] != events[1]["n"])[:2]
    first["data"], second["data"] = second["data"], first["data"]
    expect(record, "came behind")


def test_two_workers_that_had_messages_of_one_sender(record):
    taker, ask, line = deliveries(record)[0]
    other = next(name for name in record.company.takers if name != taker)
    stolen = {**line["answer"], "events": [{**line["answer"]["events"][0], "attempt": 98}]}
    record.company.takers[other] += [{**ask, "ask": -1}, {"ask": -1, "heard": line["heard"] + 1e-6, "answer": stolen}]
    expect(record, f"while {taker} had")


def test_a_refused_message(record):
    name, tab = next(iter(record.company.tabs.items()))
    tab["answers"][0] = ("inbox_full", 0.0)
    expect(record, f"{name} was refused")


def test_a_message_without_an_answer(record):
    name, tab = next(iter(record.company.tabs.items()))
    tab["said"] += 1
    expect(record, f"{name} was not answered all")


def test_an_acknowledged_event_that_is_nowhere(record):
    withdraw(record, next(t for t in record.whole if is_event(t) and t.channel == PUBLISHED and t.type == SAID))
    expect(record, "are taken, and they are nowhere")


def test_an_event_that_was_published_twice(record):
    told = next(t for t in record.whole if is_event(t) and t.channel == PUBLISHED and t.type == SAID)
    other = next(t for t in record.whole if is_event(t) and t.channel == PUBLISHED and t.type == "app:event"
                 and t.message.seq > told.message.seq)
    everywhere(record, lambda t: rewritten(t, type=SAID, data=told.body["data"], **{"from": told.body["from"]})
               if is_event(t) and t.channel == PUBLISHED and t.message.seq == other.message.seq else t)
    expect(record, "published twice, or not in order")


def test_an_event_from_somebody_else(record):
    told = next(t for t in record.whole if is_event(t) and t.channel == PUBLISHED and t.type == SAID)
    rewrite_everywhere(record, told, **{"from": "eve"})
    expect(record, "is not from it")
