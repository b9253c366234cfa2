"""What is said of values that have no form: where, why, and what to give."""

from __future__ import annotations

from collections import UserString
from typing import Any

import pytest
from modules import require

from syncrelay import InvalidValue, Relay
from syncrelay.testing import FakeRelay


def fault(value: object) -> str:
    with pytest.raises(InvalidValue) as error:
        FakeRelay().set("k", {"a": [value]})
    return str(error.value)


def test_what_stands_for_text_is_to_be_given_as_text() -> None:
    assert fault(UserString("x")).startswith("value.a[0] is a collections.UserString")
    assert fault(UserString("x")).endswith("it stands for text, give str(value)")


def test_djangos_lazy_values_have_a_path_and_an_advice() -> None:
    require("django")
    from django.utils.functional import SimpleLazyObject, lazy

    assert "value.a[0] is a django" in fault(lazy(lambda: "x", str)()) and "str(value)" in fault(lazy(lambda: "x", str)())
    for value, kind in (("x", "str"), (7, "int"), (1.5, "float"), (True, "bool")):
        said = fault(SimpleLazyObject(lambda value=value: value))  # type: ignore[misc]
        assert said.startswith("value.a[0] is a django") and f"it stands for a {kind}, give that itself" in said


class Text(str):
    def __str__(self) -> str:
        return "something else"


class Number(int):
    def __repr__(self) -> str:
        return "something else"


class Real(float):
    def __repr__(self) -> str:
        return "something else"


@pytest.mark.parametrize("beside", [None, {1}], ids=["at once", "by a walk"])
def test_subclasses_of_scalars_are_the_scalars(beside: object) -> None:
    relay = FakeRelay()
    relay.set("k", [Text("x"), Number(7), Real(-0.0), {Text("k"): Number(1)}, beside])
    assert relay.stored["k"][:4] == ["x", 7, -0.0, {"k": 1}]
    assert str(relay.stored["k"][2]) == "-0.0"


def test_numbers_that_python_does_not_write_have_a_path() -> None:
    huge = 10**5000
    assert fault(huge).startswith("value.a[0] is a number of more than 4300 digits")
    assert fault({huge: 1}).startswith("value.a[0] has a key that is a number of more than 4300 digits")


def test_sets_may_be_nested_as_deeply_as_all_else_and_no_deeper() -> None:
    def nested(levels: int) -> Any:
        value: Any = frozenset({1})
        for _ in range(levels - 1):
            value = frozenset({value})
        return value

    FakeRelay().set("k", nested(511))
    said = fault(nested(600))
    assert said.startswith("value.a[0]{…}{…}") and "is nested deeper than 512 levels" in said


def test_a_fake_relay_takes_the_arguments_of_a_relay_and_checks_them_alike() -> None:
    options: dict[str, Any] = {"control": "tcp://h:2", "when_full": "drop_oldest", "max_queue_commands": 9, "max_queue_bytes": 90}
    options.update(max_command=80, close_timeout=0.1, default=str, on_new_epoch=print)
    for kind in (Relay, FakeRelay):
        relay = kind("tcp://h:1", **options)
        assert (relay.endpoint, relay.control) == ("tcp://h:1", "tcp://h:2")
        for wrong in ({"max_queue_bytes": 0}, {"when_full": "block"}, {"endpoint": "http://h"}):
            with pytest.raises(ValueError):
                kind(**{**options, **wrong})


def test_a_fake_relay_has_the_bounds_of_a_relay() -> None:
    relay = FakeRelay(when_full="drop_oldest", max_queue_bytes=100)
    relay.go_away()
    for number in range(3):
        relay.broadcast("n", f"{number}{'x' * 40}")
    assert (relay.queued, relay.dropped) == (1, 2)
