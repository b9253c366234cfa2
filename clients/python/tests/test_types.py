"""What mypy knows of results that depend on arguments."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from modules import require

PROGRAM = '''
from syncrelay import AsyncRelay, Message, Notice, Position, Relay, Versioned, tokens
from syncrelay.testing import FakeRelay

relay = FakeRelay()
room = relay.channel("one")
seq: int = relay.set("k", 1, if_version=0).seq
versions: dict[str, int] = room.merge("k", 1, confirm=True).versions
one: Versioned = room.state("k", versions=True)
all_of_them: dict[str, Versioned] = relay.state(versions=True)
new: int = relay.update("n", lambda n: int(n or 0) + 1)
there: dict[str, Position] = relay.broadcast("t", channels=["a"], if_version={"k": 1}).positions
names: list[str] = [each.name for each in relay.channels()]
fakes: list[dict[str, object]] = room.events
ids: list[str] = [id for id, member in room.members().items() if member.info and member.since > 0]
closed: int = relay.disconnect("dev-1")
said: list[str] = [message.type for message in relay.messages(until_empty=True)]
with room.will("dev-1") as will:
    will.channel("a").delete("k")


@relay.on("say", "shout", attempts=3)
def say(message: Message) -> int:
    return message.attempt


@relay.on_notice("joined", "left")
def note(notice: Notice) -> "str | None":
    return notice.id


count: int = say(next(relay.messages()))
who: "str | None" = note(Notice("left", 1.5, id="dev-1", channel=""))
relay.publish("moved", {"x": 1}, id="dev-1")
token: str = tokens.make(b"s" * 32, sub="dev-1", channels=["room:*"], ttl=60, level=3)


async def use(relay: AsyncRelay, version: "int | None") -> None:
    async def slowly(n: object) -> str:
        return "x"

    slow: str = await relay.update("n", slowly)
    new: int = await relay.channel("a").update("n", lambda n: int(n or 0) + 1)
    position: Position = await relay.channel("a").delete("k", if_version=3)
    perhaps: "Position | None" = await relay.set("k", 1, if_version=version)
    names: list[str] = [each.name async for each in relay.channels("a")]
    async with relay.batch() as batch:
        batch.channel("a").set("a", 1)
    ids: list[str] = list(await relay.members())
    said: list[str] = [message.type async for message in relay.messages()]

    @relay.on("say")
    async def say(message: Message) -> None:
        message.done()

    @relay.on_notice("connected")
    async def welcome(notice: Notice) -> None:
        pass

    await say(await relay.messages().__anext__())
    await welcome(Notice("connected", 1.5, connection=1))
'''
FAULTS = '''
    (await relay.set("k", 1)).seq
    relay.batch().result.results
    await relay.set("k", 1, ttl="5")
    await relay.channel("a").broadcast("t", channels=["b"])
    batch.set("k", 1, confirm=True)
'''


def mypy(program: str, directory: Path, cache: Path) -> str:
    script = directory / "program.py"
    script.write_text(program)
    command = [sys.executable, "-m", "mypy", "--strict", "--cache-dir", str(cache), str(script)]
    env = {**os.environ, "MYPYPATH": str(Path(__file__).parent.parent / "src")}
    return subprocess.run(command, capture_output=True, text=True, env=env, cwd=directory).stdout


def test_mypy_knows_what_comes_back(directory: Path, mypy_cache: Path) -> None:
    require("mypy")
    assert mypy(PROGRAM, directory, mypy_cache).startswith("Success")
    faults = mypy(PROGRAM + FAULTS, directory, mypy_cache)
    lines = len((PROGRAM + FAULTS).splitlines())
    assert {line.split(":")[1] for line in faults.splitlines() if ": error: " in line} == {
        str(number) for number in range(lines - 4, lines + 1)
    }, faults
