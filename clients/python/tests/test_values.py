"""The form of each type that JSON does not have: the table in the README, line by line."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import subprocess
import sys
from collections import ChainMap, OrderedDict, namedtuple
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from enum import Enum, IntEnum
from pathlib import Path, PurePosixPath
from types import MappingProxyType
from typing import Any, List
from uuid import UUID

import pytest
from modules import require
from pull_peer import PullPeer

from syncrelay import AsyncRelay, InvalidValue, Relay
from syncrelay.encoding import CommandEncoder
from syncrelay.testing import FakeRelay

SOURCE = Path(__file__).parent.parent / "src"
SOME_ID = UUID("12345678-1234-5678-1234-567812345678")
NAN = float("nan")
Pair = namedtuple("Pair", "a b")


class Color(Enum):
    red = "r"
    pair = (1, 2)


class Text(str, Enum):
    red = "r"


class Own(str):
    """Text that is not equal to the same text."""

    __hash__ = object.__hash__

    def __eq__(self, other: object) -> bool:
        return self is other


class Number(IntEnum):
    one = 1


@dataclasses.dataclass
class Track:
    title: str
    added: date
    tags: frozenset[str] = frozenset()


@dataclasses.dataclass(frozen=True)
class Point:
    x: int


class ModelOfVersion2:
    """Has the methods that a model of Pydantic 2 has, those of version 1 among them."""

    __fields__ = {"score": None}

    def __init__(self, score: Any) -> None:
        self.score = score

    def model_dump(self, *, mode: str = "python") -> Any:
        assert mode == "json"
        if isinstance(self.score, Exception):
            raise self.score
        return {"score": self.score}

    def json(self) -> str:
        raise AssertionError("the method of version 1 is deprecated")


def sent(value: object, **options: Any) -> str:
    """The text of ``value`` in a command."""
    body = CommandEncoder(**options).broadcast("t", [value], None, True).decode()
    return body[len('{"op":"broadcast","type":"t","data":[') : -len("]}")]


def refusal(value: object, **options: Any) -> str:
    with pytest.raises(InvalidValue) as caught:
        CommandEncoder(**options).set("k", value, True)
    return str(caught.value)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (datetime(2026, 1, 2, 3, 4, 5, 6, timezone.utc), '"2026-01-02T03:04:05.000006+00:00"'),
        (datetime(2026, 1, 2, 3, 4, 5), '"2026-01-02T03:04:05"'),
        (date(2026, 1, 2), '"2026-01-02"'),
        (time(3, 4, 5), '"03:04:05"'),
        (SOME_ID, f'"{SOME_ID}"'),
        (Decimal("12345678901234567890.10"), '"12345678901234567890.10"'),
        (PurePosixPath("/a/b"), '"/a/b"'),
        (Color.red, '"r"'),
        (Color.pair, "[1,2]"),
        (Text.red, '"r"'),
        (Number.one, "1"),
        (Track("x", date(2026, 1, 2), frozenset("ba")), '{"title":"x","added":"2026-01-02","tags":["a","b"]}'),
        (Pair(1, 2), "[1,2]"),
        (OrderedDict(b=1, a=2), '{"b":1,"a":2}'),
        (MappingProxyType({"b": SOME_ID}), f'{{"b":"{SOME_ID}"}}'),
        (ChainMap({"b": 1}), '{"b":1}'),
        (ModelOfVersion2([1, 2]), '{"score":[1,2]}'),
        ((1, {"deep": [{2}]}), '[1,{"deep":[[2]]}]'),
    ],
)
def test_each_type_has_its_form(value: object, text: str) -> None:
    assert sent(value) == text


@pytest.mark.parametrize(
    ("elements", "text"),
    [
        ({3, 1.5, 2}, "[1.5,2,3]"),
        (set("cab"), '["a","b","c"]'),
        (frozenset({date(2026, 1, 2), date(2025, 1, 2)}), '["2025-01-02","2026-01-02"]'),
        ({"b", 1, None, (2, "a"), frozenset({2, 1})}, '["b",1,[1,2],[2,"a"],null]'),
        ({Point(2), Point(1)}, '[{"x":1},{"x":2}]'),
        (set(), "[]"),
    ],
)
def test_a_set_is_sent_in_the_same_order_whatever_its_own_is(elements: Any, text: str) -> None:
    assert sent(elements) == text


def test_the_order_of_a_set_is_the_same_in_every_process() -> None:
    script = "from syncrelay.encoding import CommandEncoder\n"
    script += "print(CommandEncoder().set('k', {f'{n}': {str(n), n, (n,)} for n in range(20)}, True))"
    texts = {
        subprocess.run(
            [sys.executable, "-c", script], capture_output=True, text=True, check=True,
            env={"PYTHONPATH": str(SOURCE), "PYTHONHASHSEED": seed},
        ).stdout
        for seed in "123"
    }  # fmt: skip
    assert len(texts) == 1


@pytest.mark.parametrize(
    ("key", "text"),
    [
        (1, "1"), (1.5, "1.5"), (True, "true"), (None, "null"), (SOME_ID, str(SOME_ID)), (date(2026, 1, 2), "2026-01-02"),
        (Color.red, "r"), (Text.red, "r"), (Number.one, "1"), (Decimal("1.0"), "1.0"), (PurePosixPath("/a"), "/a"),
        (datetime(2026, 1, 2), "2026-01-02T00:00:00"),
    ],
)  # fmt: skip
def test_keys_become_the_text_that_their_value_would(key: object, text: str) -> None:
    assert json.loads(sent({key: [SOME_ID], "other": 1})) == {text: [str(SOME_ID)], "other": 1}


@pytest.mark.parametrize("key", [(1, 2), Point(1), b"k", timedelta(1), frozenset()])
def test_a_key_without_a_text_is_refused_by_its_path(key: object) -> None:
    assert refusal({"a": [{key: 1}]}).startswith(f"value.a[0] has a key of type {type(key).__name__}")


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({1: "a", "1": "b"}, "value.a has two keys that both become \"1\": 1 and '1'"),
        ({None: 0, "null": 1}, 'value.a has two keys that both become "null": None and \'null\''),
        ({True: 0, "true": 1}, 'value.a has two keys that both become "true"'),
        ({SOME_ID: 0, str(SOME_ID): 1}, "value.a has two keys that both become"),
        ({Color.red: 0, "r": 1}, 'value.a has two keys that both become "r"'),
        ({Own("r"): 0, "r": 1}, 'value.a has two keys that both become "r"'),
    ],
)
def test_two_keys_that_become_the_same_text_are_refused(members: dict[Any, object], message: str) -> None:
    assert len(members) == 2
    assert message in refusal({"a": members})
    assert message.partition(" ")[2] in refusal(members)


def test_two_keys_of_set_that_become_the_same_text_are_refused() -> None:
    with pytest.raises(InvalidValue, match="^set has two keys"):
        CommandEncoder().broadcast("t", None, {Own("r"): 0, "r": 1}, True)


def test_deep_keys_are_looked_at_too() -> None:
    value: Any = {1: "a", "1": "b"}
    for _ in range(150):
        value = [{"x": (value, [1, 2])}]
    assert "two keys" in refusal(value)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (b"x", "value is a builtins.bytes, which JSON does not have: decode it to text, or give base64.b64encode(value)"),
        ({"a": [bytearray(b"x")]}, "value.a[0] is a builtins.bytearray, which JSON does not have: decode it"),
        (timedelta(1), "value is a datetime.timedelta, which JSON does not have: give its total_seconds()"),
        ((n for n in [1]), "value is a builtins.generator, which JSON does not have: make it a list"),
        (object(), "value is a builtins.object, which JSON does not have: give what it stands for, or have the Relay's default"),
        (Track, "value is a builtins.type"),
        ({"a": Decimal("NaN")}, "value.a is NaN, which JSON does not have"),
        (Decimal("-Infinity"), "value is -Infinity"),
        ({"a": {SOME_ID: NAN}}, f'value.a["{SOME_ID}"] is NaN'),
        ([Track("x", NAN)], "value[0].added is NaN"),  # type: ignore[arg-type]
        ({"s": {1, NAN}}, "value.s{…} is NaN"),
        ({"s": {(1, b"")}}, "value.s{…}[1] is a builtins.bytes"),
        ({"m": ModelOfVersion2(NAN)}, "value.m.score is NaN"),
        ({"m": ModelOfVersion2(ValueError("no"))}, "value.m is a ModelOfVersion2, whose model_dump() failed: ValueError('no')"),
        (Path("/\udcff"), "value is a"),
        ({"p": Text}, "value.p is a enum.EnumMeta" if sys.version_info < (3, 11) else "value.p is a enum.EnumType"),
    ],
)  # fmt: skip
def test_what_has_no_form_is_named_by_its_path_and_advice(value: object, message: str) -> None:
    if isinstance(value, Path):
        message = "value has a lone surrogate (U+DCFF) at index 1"
    assert message in refusal(value)


def test_a_dataclass_without_a_value_for_a_field_is_refused() -> None:
    track = Track("x", date(2026, 1, 1))
    del track.title
    assert "value is a Track without a value for each field" in refusal(track)


def test_a_value_that_contains_itself_through_other_types_is_refused() -> None:
    track = Track("x", date(2026, 1, 1))
    track.title = track  # type: ignore[assignment]
    assert "contains itself" in refusal(track)
    nested = frozenset({1})
    for _ in range(600):
        nested = frozenset({nested})  # type: ignore[arg-type]
    assert "nested deeper than 512 levels" in refusal(nested) or "recursion" in refusal(nested)


def test_models_of_the_installed_pydantic() -> None:
    require("pydantic")
    import pydantic


    Genre = pydantic.create_model("Genre", name=(str, ...), id=(UUID, ...))
    fields: dict[str, Any] = {"genre": (Genre, ...), "released": (date, ...), "kinds": (List[Color], ...), "score": (float, 1.0)}
    Album = pydantic.create_model("Album", **fields)
    album = Album(genre=Genre(name="x", id=SOME_ID), released=date(2026, 1, 2), kinds=[Color.red])
    plain = {"genre": {"name": "x", "id": str(SOME_ID)}, "released": "2026-01-02", "kinds": ["r"], "score": 1.0}
    assert json.loads(sent({"album": album})) == {"album": plain}
    album.score = NAN
    assert "value.album.score is NaN" in refusal({"album": album})


def test_pydantic_is_never_imported() -> None:
    script = "import sys, syncrelay, syncrelay.compat, syncrelay.testing\n"
    script += "r = syncrelay.testing.FakeRelay(); r.set('k', {1, 2})\n"
    script += "bad = {'pydantic', 'gevent', 'eventlet', 'celery', 'billiard', 'fastapi'} & set(sys.modules); assert not bad, bad"
    subprocess.run([sys.executable, "-c", script], check=True, env={"PYTHONPATH": str(SOURCE)})


def test_default_gives_the_form_of_what_has_none() -> None:
    def default(value: Any) -> object:
        if isinstance(value, timedelta):
            return Decimal(int(value.total_seconds()))
        if isinstance(value, bytes):
            return value.hex()
        raise TypeError(f"no idea what {value!r} is")

    assert sent({"a": [timedelta(seconds=7), b"x", date(2026, 1, 2)]}, default=default) == '{"a":["7","78","2026-01-02"]}'
    message = refusal({"a": 1j}, default=default)
    assert "value.a is a builtins.complex, which JSON does not have" in message
    assert "default= says: no idea what 1j is" in message


def test_a_default_that_never_comes_to_an_end_is_found_out() -> None:
    assert "value.a has no form after 100 steps" in refusal({"a": 1j}, default=lambda value: value)
    assert "nested deeper" in refusal(1j, default=lambda value: [value])


def test_every_relay_takes_a_default(fake: PullPeer) -> None:
    fake.start()
    with Relay(fake.endpoint, default=str) as relay:
        relay.set("k", 1j)
    with FakeRelay(default=str) as imitation:
        imitation.set("k", 1j)
        assert imitation.stored["k"] == "1j"

    async def push() -> None:
        async with AsyncRelay(fake.endpoint, default=repr) as relay:
            await relay.set("k", 2j)

    asyncio.run(push())
    assert [command["value"] for command in fake.receive(2)] == ["1j", "2j"]
