"""Messages that no worker can handle."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from syncrelay import Message, NoHandler, TooManyAttempts
from syncrelay.testing import FakeRelay


def test_a_type_without_a_handler_is_dead_at_once() -> None:
    fake = FakeRelay()
    dead: list[Any] = []
    fake.on("say")(lambda message: None)
    fake.on_dead(lambda message, error: dead.append((message.type, message.data, message.attempt, error)))
    fake.say("shout", 7)
    fake.run(until_empty=True)
    ((*message, error),) = dead
    assert message == ["shout", 7, 1] and isinstance(error, NoHandler) and "'shout'" in str(error)
    assert fake.unhandled == []


def test_a_type_without_a_handler_is_in_the_log_as_a_whole_where_nobody_takes_the_dead(caplog: pytest.LogCaptureFixture) -> None:
    fake = FakeRelay()
    fake.on("say")(lambda message: None)
    for number in range(2):
        fake.say("shout", {"text": f"Ahoj {number}"}, id="dev-1")
    fake.run(until_empty=True)
    assert fake.unhandled == []
    lines = [record.getMessage() for record in caplog.records if record.levelno == logging.ERROR]
    assert ["NoHandler" in line and f'"text": "Ahoj {number}"' in line for number, line in enumerate(lines)] == [True, True]


def test_what_fails_is_tried_again_and_at_last_is_dead(caplog: pytest.LogCaptureFixture) -> None:
    fake = FakeRelay()
    attempts: list[int] = []
    dead: list[Any] = []

    @fake.on("say", attempts=3)
    def say(message: Message) -> None:
        attempts.append(message.attempt)
        raise KeyError(message.data)

    @fake.on_dead
    def on_dead(message: Message, error: Exception) -> None:
        dead.append((message.data, message.attempt, type(error)))

    fake.say("say", 1)
    fake.run(until_empty=True)
    assert attempts == [1, 2, 3] and dead == [(1, 3, KeyError)] and fake.unhandled == []
    assert sum("giving it back" in record.getMessage() for record in caplog.records) == 2


@pytest.mark.parametrize("with_hook", [False, True])
def test_what_kills_its_workers_is_dead_without_another_try(with_hook: bool, caplog: pytest.LogCaptureFixture) -> None:
    fake = FakeRelay()
    dead: list[Any] = []
    fake.on("say", attempts=2)(lambda message: pytest.fail("it is tried"))
    if with_hook:
        fake.on_dead(lambda message, error: dead.append((message.data, message.attempt, error)))
    fake.say("say", {"text": "Ahoj"})
    for _ in range(2):
        lost = next(fake.messages())  # by a worker that gets as far as this
        lost.release()
    fake.run(until_empty=True)
    assert fake.unhandled == []
    if with_hook:
        ((data, attempt, error),) = dead
        assert (data, attempt) == ({"text": "Ahoj"}, 3) and isinstance(error, TooManyAttempts)
        assert "handed out 3 times, 2 of which" in str(error)
    else:
        (record,) = [record for record in caplog.records if record.levelno == logging.ERROR]
        assert "TooManyAttempts" in record.getMessage() and '"text": "Ahoj"' in record.getMessage()


@pytest.mark.parametrize("with_hook", [False, True])
def test_without_a_taker_a_dead_message_is_in_the_log_as_a_whole(
    with_hook: bool, caplog: pytest.LogCaptureFixture
) -> None:
    fake = FakeRelay()

    @fake.on("say", attempts=1)
    async def say(message: Message) -> None:
        raise KeyError

    if with_hook:

        @fake.on_dead
        async def on_dead(message: Message, error: Exception) -> None:
            raise ValueError

    fake.say("say", {"text": "Ahoj ü"}, id="dev-1", channel="room:1", extra=7)
    fake.run(until_empty=True)
    assert fake.unhandled == []
    (record,) = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert record.exc_info is not None
    for part in ('"text": "Ahoj ü"', '"extra": 7', '"id": "dev-1"', '"channel": "room:1"', '"attempt": 1'):
        assert part in record.getMessage()
