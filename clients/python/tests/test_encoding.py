from __future__ import annotations

import datetime
import json
from typing import Any

import pytest

from syncrelay import CommandTooLarge, InvalidValue
from syncrelay.encoding import CommandEncoder

encoder = CommandEncoder()
NAN = float("nan")


def refusal(data: object) -> InvalidValue:
    with pytest.raises(InvalidValue) as caught:
        encoder.broadcast("t", data, None, True)
    return caught.value


def nested(levels: int) -> Any:
    value: Any = []
    for _ in range(levels - 1):
        value = [value]
    return value


def test_every_operation_has_the_members_of_the_contract() -> None:
    commands = [
        (encoder.set("radio", 1, False), {"op": "set", "key": "radio", "value": 1, "notify": False}),
        (encoder.set("radio", None, True), {"op": "set", "key": "radio", "value": None}),
        (encoder.merge("radio", {"a": None}, True), {"op": "merge", "key": "radio", "value": {"a": None}}),
        (encoder.merge("radio", 1, False), {"op": "merge", "key": "radio", "value": 1, "notify": False}),
        (encoder.delete("radio", False), {"op": "delete", "key": "radio", "notify": False}),
        (encoder.delete("radio", True), {"op": "delete", "key": "radio"}),
        (encoder.broadcast("t", None, None, True), {"op": "broadcast", "type": "t"}),
        (encoder.broadcast("t", 0, {}, True), {"op": "broadcast", "type": "t", "data": 0}),
        (
            encoder.broadcast("t", [], {"radio": 1}, True),
            {"op": "broadcast", "type": "t", "data": [], "set": {"radio": 1}},
        ),
        (
            encoder.broadcast("t", None, {"radio": 1}, False),
            {"op": "broadcast", "type": "t", "set": {"radio": 1}, "notify": False},
        ),
    ]
    for body, expected in commands:
        assert json.loads(body) == expected


def test_text_travels_as_utf8_and_without_spaces() -> None:
    assert encoder.set("k", {"ä": "😀"}, True) == '{"op":"set","key":"k","value":{"ä":"😀"}}'.encode()


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"ratings": [1, 2, 3, {"score": NAN}]}, "data.ratings[3].score is NaN"),
        ([float("inf")], "data[0] is Infinity"),
        (-float("inf"), "data is -Infinity"),
        ({"a b": {1: NAN}}, 'data["a b"][1] is NaN'),
        ({"length": datetime.timedelta(1)}, "data.length is a datetime.timedelta"),
        ({"ids": iter([1])}, "data.ids is a builtins.list_iterator"),
        ({"name": "x\ud800"}, "data.name has a lone surrogate (U+D800) at index 1"),
        ({"\ud800": 1}, "data has the key '\\ud800', which has a lone surrogate"),
        ({(1, 2): 1}, "data has a key of type tuple"),
        ({NAN: 1}, "data has the key NaN"),
    ],
)
def test_a_value_that_json_does_not_have_is_named_by_its_path(data: object, message: str) -> None:
    assert message in str(refusal(data))


def test_a_fault_in_state_is_named_by_its_path_too() -> None:
    with pytest.raises(InvalidValue, match=r"^value\.score is NaN"):
        encoder.set("k", {"score": NAN}, False)
    with pytest.raises(InvalidValue, match=r"^set\.radio\[0\] is NaN"):
        encoder.broadcast("t", None, {"radio": [NAN]}, False)


def test_the_error_is_a_value_error_with_path_and_reason() -> None:
    error = refusal({"score": NAN})
    assert isinstance(error, ValueError)
    assert (error.path, error.reason) == ("data.score", "is NaN, which JSON does not have")


def test_a_value_that_contains_itself_is_refused_with_a_short_message() -> None:
    loop: dict[str, object] = {}
    loop["self"] = loop
    error = refusal(loop)
    assert "contains itself" in str(error)
    assert len(str(error)) < 400


def test_nesting_up_to_512_levels_with_the_command_passes_and_deeper_is_refused() -> None:
    assert json.loads(encoder.broadcast("t", nested(511), None, True))
    assert "nested deeper than 512 levels" in str(refusal(nested(512)))
    assert "nested deeper than 512 levels" in str(refusal(nested(100_000)))


def test_many_brackets_are_no_depth() -> None:
    assert encoder.broadcast("t", [{"text": "[[[{{{"}] * 1000, None, True)


@pytest.mark.parametrize("name", ["", "x" * 257, "ä" * 129, "\ud800", 7, None])
def test_keys_and_types_have_1_to_256_bytes_of_utf8(name: Any) -> None:
    with pytest.raises(InvalidValue, match="^key "):
        encoder.set(name, 1, False)
    with pytest.raises(InvalidValue, match="^key "):
        encoder.merge(name, 1, False)
    with pytest.raises(InvalidValue, match="^key "):
        encoder.delete(name, False)
    with pytest.raises(InvalidValue, match="^type "):
        encoder.broadcast(name, 1, None, True)
    with pytest.raises(InvalidValue, match="^set key "):
        encoder.broadcast("t", 1, {name: 1}, False)


def test_256_bytes_are_a_name() -> None:
    assert encoder.set("ä" * 128, 1, False)
    assert encoder.broadcast("x" * 256, 1, {"x" * 256: 1}, False)


@pytest.mark.parametrize("type", ["ping", "sync:", "sync:full"])
def test_the_types_of_the_relay_are_reserved(type: str) -> None:
    with pytest.raises(InvalidValue, match="reserved"):
        encoder.broadcast(type, None, None, True)


def test_types_that_only_look_reserved_are_free() -> None:
    for type in ("pinging", "Ping", "synced", "radio:sync:x"):
        assert encoder.broadcast(type, None, None, True)


def test_set_must_be_a_mapping() -> None:
    with pytest.raises(InvalidValue, match="set must map keys to values"):
        encoder.broadcast("t", None, ["radio"], False)  # type: ignore[arg-type]


def test_notify_on_a_broadcast_that_sets_nothing_is_refused() -> None:
    with pytest.raises(InvalidValue, match="notify says whether the change of the state is told, and without set"):
        encoder.broadcast("t", 1, None, False)
    assert json.loads(encoder.broadcast("t", 1, {}, False)) == {"op": "broadcast", "type": "t", "data": 1}


def test_a_command_over_the_limit_is_refused_and_one_at_the_limit_is_not() -> None:
    small = CommandEncoder(100)
    overhead = len(small.set("k", "", False))
    assert len(small.set("k", "x" * (100 - overhead), False)) == 100
    with pytest.raises(CommandTooLarge, match="101 bytes; the limit is 100"):
        small.set("k", "x" * (101 - overhead), False)
