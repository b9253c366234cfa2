"""The judge finds what is wrong: each test spoils the record of a real run in one way."""

import asyncio
import copy
import dataclasses
import json

import pytest

from commands import command, is_quiet
from history import Message
from judge import findings
from plan import BACKENDS, Fault, Plan
from scene import Scene

QUIET_PLAN = Plan(7, (), "always", False, False, (Fault(60, "cut link", 0), Fault(60, "drop client", 1, False)))


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    return asyncio.run(Scene(QUIET_PLAN, tmp_path_factory.mktemp("cv")).play())


@pytest.fixture
def record(recorded):
    return copy.deepcopy(recorded)


def rewritten(message, **members):
    body = {**message.body, **members}
    return Message(json.dumps(body), body, message.arrived)


def everywhere(record, change):
    """Applies change(message) to every message that anybody got."""
    visits = [messages for visits in record.followers.values() for _, messages in visits]
    for messages in [*visits, record.fresh, record.whole]:
        messages[:] = [change(message) for message in messages]


def answered_loudly(record, backend):
    """(line of the journal, number) of a confirmed command with an event that carries its tag."""
    for line in record.journals[backend]:
        made = command(record.plan.seed, backend, line["n"], BACKENDS[backend])
        if not is_quiet(made) and made["op"] != "delete":
            return line, line["n"]
    raise LookupError(backend)


def expect(record, words):
    found = findings(record)
    assert any(words in finding for finding in found), found


def test_a_true_record_has_no_findings(record):
    assert findings(record) == []


def test_an_event_that_one_client_missed(record):
    del record.followers["client 2"][-1][1][5]
    expect(record, "client 2: event")


def test_a_seq_with_two_meanings(record):
    messages = record.followers["client 3"][-1][1]
    messages[4] = rewritten(messages[4], ts=1.0)
    expect(record, "has two meanings")


def test_a_snapshot_that_is_not_the_state_behind_its_event(record):
    visit = record.followers["client 1"][0][1]
    visit[0] = rewritten(visit[0], data={**visit[0].data, "radio": "never sent"})
    expect(record, "is not the state behind that event")


def test_a_snapshot_that_hides_how_much_was_skipped(record):
    messages = record.followers["client 2"][-1][1]
    messages[-1] = dataclasses.replace(record.fresh[0])
    messages[-3:-1] = []
    expect(record, "says skipped None")


def test_a_resume_at_another_place(record):
    asked, messages = record.followers["client 0"][-1]
    assert messages[0].type == "sync:resume"
    messages[0] = rewritten(messages[0], seq=asked["seq"] + 1)
    expect(record, "resumed at")


def test_an_epoch_that_changed_over_durable_data(record):
    asked, messages = record.followers["client 0"][-1]
    messages[0] = rewritten(messages[0], epoch="0" * 16)
    expect(record, "became 0000000000000000")


def test_a_confirmed_command_that_is_not_in_the_log(record):
    line, _ = answered_loudly(record, "s0")
    line["answer"]["seq"] += 10**6
    expect(record, "and there is no such event")


def test_a_confirmed_command_in_another_place(record):
    line, _ = answered_loudly(record, "l0")
    line["answer"]["seq"] += 1
    expect(record, "was confirmed at")


def test_a_refused_command(record):
    record.journals["s0"][0]["answer"] = {"ok": False, "error": {"code": "storage_failed"}}
    expect(record, "was refused")


def test_a_command_that_took_effect_twice(record):
    tagged = [m for m in record.whole if m.type == "app:event" and m.data["by"].startswith("l0")]
    first, second = tagged[:2]
    everywhere(record, lambda m: rewritten(m, data=first.data) if m.is_event and m.seq == second.seq else m)
    expect(record, "took effect more than once")


def test_a_delete_that_nobody_sent(record):
    first, second = [m for m in record.whole if m.type == "app:event" and m.data["by"].startswith("p0")][:2]
    strange = {first.seq, second.seq}
    everywhere(record, lambda m: rewritten(m, type="sync:delete", data=["devices"])
               if m.is_event and m.seq in strange else m)
    expect(record, "deletes that nobody was told of")


def test_a_pushed_command_that_was_lost_though_nobody_had_ended(record):
    number = record.journals["p1"][-1]["n"]
    record.journals["p1"].append({"n": next(n for n in range(number + 1, number + 99) if not is_quiet(
        command(record.plan.seed, "p1", n, "pushed")))})
    expect(record, "nobody had ended")


def test_a_final_state_that_is_not_the_models(record):
    record.final["state"]["radio"] = "never sent"
    expect(record, "the final state is not the model's")


def test_a_quiet_change_that_was_lost(record):
    del record.final["state"]["quiet:s0"]
    expect(record, "quiet:s0 is None")
