"""The ledger finds what is wrong: each test breaks a true history in one way."""

import json

import pytest

from commands import tag
from fold import makes_event
from history import Message
from ledger import Ledger
from plain_commands import command

E1, E2 = "1" * 16, "2" * 16
COUNT = 60


def answer(seq, epoch=E1, **more):
    return {"ok": True, "seq": seq, "epoch": epoch, "clients": 3, **more}


def as_event(made, seq):
    """What clients are told of a command."""
    if made["op"] == "broadcast":
        body = {"type": made["type"], "data": made["data"], **({"set": made["set"]} if "set" in made else {})}
    elif made["op"] == "delete":
        configured = made["key"] in ("comparison", "radio")
        body = ({"type": "sync:set", "data": {made["key"]: None}} if configured
                else {"type": "sync:delete", "data": [made["key"]]})
    else:
        body = {"type": f"sync:{made['op']}", "data": {made["key"]: made["value"]}}
    body["seq"] = seq
    return Message(json.dumps(body), body, 0.0)


class Told:
    """A ledger with many confirmed commands, the state they make, and the log that clients saw."""

    def __init__(self):
        self.ledger, self.log, self.seq, self.made = Ledger(), {}, 0, {}
        for number in range(COUNT):
            self.confirm(command(5, "w0", number))

    def confirm(self, made):
        if makes_event(made):
            self.seq += 1
            self.log[self.seq] = as_event(made, self.seq)
            self.made[self.seq] = made
        self.ledger.confirm(made, answer(self.seq))

    def state(self):
        return dict(self.ledger._pages[E1].state)

    def findings(self, state=None, epoch=E1):
        self.ledger.check_state(epoch, self.state() if state is None else state)
        self.ledger.check_log({epoch: self.log})
        return self.ledger.findings

    def seq_of(self, op):
        return next(seq for seq, made in self.made.items() if made["op"] == op)


@pytest.fixture
def told():
    return Told()


def expect(findings, words):
    assert any(words in finding for finding in findings), findings


def test_a_true_history_has_no_findings(told):
    assert {made["op"] for made in told.made.values()} == {"broadcast", "set", "merge", "delete"}
    assert told.ledger.confirmed == COUNT
    assert told.findings() == []


def test_a_ledger_grows_only_by_new_commands(told):
    assert told.ledger.grew() and not told.ledger.grew()
    seq = told.seq_of("set")
    told.ledger.confirm(told.made[seq], answer(seq, duplicate=True))
    assert not told.ledger.grew()


def test_what_hostile_backends_do_to_their_keys_and_events_is_no_finding(told):
    told.log[told.seq + 1] = Message("", {"type": "chaos:event", "data": [1], "seq": told.seq + 1}, 0.0)
    assert told.findings({**told.state(), "h:3": {"x": 1}}) == []


def test_a_lost_key(told):
    state = told.state()
    key = next(key for key in state if key.startswith("item:"))
    del state[key]
    expect(told.findings(state), f"{key} is none, not")


def test_another_value(told):
    expect(told.findings({**told.state(), "quiet:w0": -1}), "quiet:w0 is -1")


def test_a_key_that_nobody_set(told):
    expect(told.findings({**told.state(), "strange": 1}), "strange is 1")


def test_a_state_of_another_epoch_is_not_excused(told):
    expect(told.findings({"comparison": None, "radio": {"by": "w0:1"}}, epoch=E2), "radio is")


def test_a_command_in_effect_twice(told):
    seq = told.seq_of("broadcast")
    told.log[told.seq + 1] = as_event(told.made[seq], told.seq + 1)
    expect(told.findings(), "took effect more than once")


@pytest.mark.parametrize("op", ["broadcast", "set", "merge", "delete"])
def test_a_command_in_another_place_than_confirmed(told, op):
    seq = told.seq_of(op)
    told.log[seq] = as_event({"op": "broadcast", "type": "chaos:event", "data": None}, seq)
    expect(told.findings(), f"was confirmed at {seq}, where")


def test_a_refusal(told):
    told.ledger.confirm(command(5, "w0", COUNT), {"ok": False, "error": {"code": "state_full"}})
    expect(told.findings(), "was refused")


def test_a_position_that_goes_back(told):
    told.ledger.confirm({"op": "set", "key": "x", "value": 1, "id": "new"}, answer(told.seq - 1))
    expect(told.ledger.findings, "after")


def test_an_event_without_a_position_of_its_own(told):
    told.ledger.confirm({"op": "broadcast", "type": "app:event", "data": None, "id": "new"}, answer(told.seq))
    expect(told.ledger.findings, "was confirmed at")


def test_a_repeated_id_that_takes_effect_again(told):
    made = told.made[told.seq_of("set")]
    told.ledger.confirm(made, answer(told.seq + 1))
    expect(told.ledger.findings, "was sent again and answered with")


def test_a_repeated_id_that_is_answered_as_the_first_time_is_no_finding(told):
    seq = told.seq_of("set")
    told.ledger.confirm(told.made[seq], answer(seq, duplicate=True))
    assert told.findings() == []


def test_a_new_id_that_is_called_a_duplicate(told):
    made = command(5, "w0", COUNT)
    told.ledger.confirm(made, answer(told.seq + 1, duplicate=True))
    expect(told.ledger.findings, f"{tag('w0', COUNT)} is new and was called a duplicate")


def test_a_new_epoch_though_nothing_was_lost(told):
    told.ledger.confirm(command(5, "w0", COUNT), answer(1, epoch=E2))
    expect(told.ledger.findings, "nothing was lost")


def test_a_new_epoch_after_a_loss_begins_with_nothing(told):
    told.ledger.forgive_a_loss()
    told.ledger.confirm({"op": "set", "key": "radio", "value": 3, "id": "new"}, answer(0, epoch=E2))
    told.ledger.check_state(E2, {"comparison": None, "radio": 3})
    assert told.ledger.findings == []
