"""The relay's answers, as the contract writes them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from syncrelay import ChannelInfo, Client, CommandRejected, Conflict, Position, Versioned
from syncrelay import answer as answers


def accepted(**members: Any) -> bytes:
    return json.dumps({"ok": True, "seq": 42, "epoch": "9f2c", "clients": 17, **members}).encode()


def refused(code: str, **members: Any) -> bytes:
    return json.dumps({"ok": False, "error": {"code": code, "message": "why", "offset": 0, **members}}).encode()


def test_a_command_has_its_position_and_the_versions_it_gave() -> None:
    position = answers.position(accepted(versions={"radio": 18}), "room:42")
    assert position == Position("9f2c", 42, channel="room:42")
    assert (position.clients, position.versions, position.duplicate) == (17, {"radio": 18}, False)
    assert (position.positions, position.results) == ({}, [])


def test_a_duplicate_has_only_its_position() -> None:
    position = answers.position(accepted(duplicate=True), "a")
    assert (position.seq, position.duplicate, position.versions, position.results) == (42, True, {}, [])


def test_a_list_has_a_position_for_each() -> None:
    places = {"a": {"seq": 42, "epoch": "9f2c"}, "": {"seq": 3, "epoch": "9f2c"}}
    position = answers.position(accepted(positions=places), "a")
    assert position.positions == {"a": Position("9f2c", 42, channel="a"), "": Position("9f2c", 3)}


def test_a_batch_has_a_result_for_each() -> None:
    results = [
        {"channel": "a", "seq": 41, "epoch": "9f2d", "versions": {"radio": 18}},
        {"seq": 3, "epoch": "9f2c"},
        {"positions": {"b": {"seq": 7, "epoch": "9f2e"}, "a": {"seq": 42, "epoch": "9f2d"}}},
    ]
    first, second, third = answers.position(accepted(results=results), "b").results
    assert (first, first.versions) == (Position("9f2d", 41, channel="a"), {"radio": 18})
    assert second == Position("9f2c", 3)
    assert (third, third.positions["a"]) == (Position("9f2e", 7, channel="b"), Position("9f2d", 42, channel="a"))


def test_a_conflict_tells_what_there_is_instead() -> None:
    current = {"radio": {"version": 18, "value": {"track": 7}}, "none": {"version": 19, "value": None}, "lock": {"version": 0}}
    with pytest.raises(Conflict) as error:
        answers.position(refused("conflict", current=current))
    assert error.value.current == {"radio": (18, {"track": 7}), "none": (19, None), "lock": Versioned(0, None)}
    assert (error.value.code, error.value.index, str(error.value)) == ("conflict", None, "conflict: why")


def test_a_refusal_in_a_batch_tells_of_which_command() -> None:
    with pytest.raises(CommandRejected) as error:
        answers.position(refused("state_full", index=0))
    assert (error.value.index, str(error.value)) == (0, "state_full: why (command 0 of the batch)")
    with pytest.raises(Conflict) as conflict:
        answers.position(refused("conflict", index=3, offset=9, current={"lock": {"version": 0}}))
    assert str(conflict.value) == "conflict: why (at byte 9) (command 3 of the batch)"


def test_state_has_versions() -> None:
    answer = accepted(state={"radio": {"a": 1}, "comparison": None}, versions={"radio": 18, "comparison": 2})
    assert answers.part(answer, None) == {"radio": {"a": 1}, "comparison": None}
    assert answers.versioned_part(answer, None) == {"radio": (18, {"a": 1}), "comparison": (2, None)}
    assert answers.versioned_part(answer, "radio") == (18, {"a": 1})
    assert answers.versioned_part(accepted(state={}, versions={}), "none") == (0, None)


def test_a_page_of_channels_says_whether_there_is_more() -> None:
    info = {"name": "room:1", "seq": 7, "epoch": "9f2c", "subscribers": 3, "keys": 2, "bytes": 120}
    answer = accepted(channels=[{**info, "later": "member"}], more=True)
    assert answers.channels(answer) == ([ChannelInfo("room:1", 7, "9f2c", 3, 2, 120)], True)


def test_clients_tell_how_many_channels_they_follow_and_who_they_are() -> None:
    client = {"id": 1, "address": "a", "since": 1.5, "lag": 0, "bytes": 10, "last_pong": 0.1}
    assert answers.clients(accepted(clients=[{**client, "channels": 3, "identity": "dev-1", "later": "member"}, client])) == [
        Client(1, "a", 1.5, 0, 10, 0.1, channels=3, identity="dev-1"),
        Client(1, "a", 1.5, 0, 10, 0.1),
    ]
