"""The judge of several relays, against a true record of one that is told as theirs, and spoilt."""

import dataclasses

import pytest

from cluster_judge import cluster_findings
from cluster_plan import ClusterPlan
from cluster_scene import ClusterRecord
from commands import COUNT
from doctored import append, event, with_clients, witness
from listener import Ask


def clustered(record, mood="kept"):
    plan = dataclasses.replace(ClusterPlan.from_seed(0), seed=record.plan.seed, mood=mood, options=record.plan.options)
    return ClusterRecord(plan, record.followers, record.journals, record.final, record.fresh, record.whole, record.restarts,
                         record.faults, dataclasses.replace(record.company, tabs={}), record.final[""]["epoch"])


def told_again(record, told, epoch, seq):
    """The same event, a second time, under another epoch."""
    script = [Ask(told.channel, None)]
    append(script, (told.channel, {"type": "sync:full", "data": {}, "ts": 1.0, "seq": seq - 1, "epoch": epoch}),
           (told.channel, {**told.body, "seq": seq}))
    record.followers["one who was elsewhere"] = [script]


def expect(record, words):
    found = cluster_findings(record)
    assert any(words in finding for finding in found), found


@pytest.mark.parametrize("mood", ["kept", "lossless", "lossy"])
def test_a_true_record_has_no_findings(record, mood):
    assert not cluster_findings(clustered(record, mood))


def test_relays_that_differ_are_found(record):
    spoilt = clustered(record)
    spoilt.differ.append("relay b tells another state")
    expect(spoilt, "another state")


def test_what_takes_effect_under_a_second_epoch_is_found_where_nothing_is_lost(record):
    again = event(witness(record), "s0", "room:0")
    for mood, is_found in (("lossless", True), ("lossy", False)):
        spoilt = clustered(with_clients(record, set(record.followers)), mood)
        told_again(spoilt, again, "another", 70_000)
        assert any("under another epoch" in finding for finding in cluster_findings(spoilt)) == is_found


def test_a_new_epoch_is_found_where_no_redis_has_ended(record):
    spoilt = clustered(record)
    script = witness(record)
    channel = event(script, "s0", "room:0").channel
    spoilt.followers["one who came back"] = [[Ask(channel, {"epoch": "before", "seq": 3})]]
    append(spoilt.followers["one who came back"][0],
           (channel, {"type": "sync:full", "data": {}, "ts": 1.0, "seq": 3, "epoch": "another"}))
    expect(spoilt, "epoch before became another")


def test_a_count_that_lacks_what_was_confirmed_under_an_earlier_epoch_is_found(record):
    spoilt = clustered(record, "lossless")
    value = spoilt.final[""]["state"][COUNT]
    spoilt.final[""] = {**spoilt.final[""], "state": {**spoilt.final[""]["state"], COUNT: {**value, "n": value["n"] - 1}}}
    expect(spoilt, "were confirmed under all epochs")
