"""The player of a room. One browser, the device, plays; every page is its remote control.

Nothing ticks. The state `player` says where the track was and since when it has been so, by the relay's clock, which every
page knows: while it plays, the position is `position + (now - since)`. A player that is `lost` is paused, too.
"""

from typing import Any, Optional

from pydantic import BaseModel

from shared import ROOMS, change, read, relay
from syncrelay import AsyncChannel, Message, NoSuchMember


class Stopped(BaseModel):
    at: float  # seconds since 1970, by the relay's clock


@relay.on("player:play", "player:pause", "player:other", "player:take")
async def press(message: Message) -> None:
    """`message.ts` is when it was pressed, also if the backend was away then. Handled twice it does the same as once."""
    if message.channel not in ROOMS or message.id is None:
        return
    room = relay.channel(message.channel)
    await change(room, "player", lambda player: pressed(player, message), "player:pressed")
    is_first = message.type == "player:play" and await room.state("device") is None
    if is_first or message.type == "player:take":
        await take(room, message.id, message.ts)


def pressed(player: Optional[dict[str, Any]], message: Message) -> Optional[dict[str, Any]]:
    first, second = ROOMS[message.channel]
    player = player or {"track": first, "playing": False, "position": 0.0, "since": 0.0}
    if message.ts <= player["since"]:
        return None  # it counts already, or somebody has pressed since
    track, playing, position = player["track"], player["playing"], player["position"]
    if playing and "lost" not in player:
        position += message.ts - player["since"]
    if message.type == "player:other":
        track, position = first + second - track, 0.0
    elif message.type != "player:take":
        playing = message.type == "player:play"
    return {"track": track, "playing": playing, "position": position, "since": message.ts}


async def take(room: AsyncChannel, id: str, ts: float) -> None:
    """This browser is the device. Its will is for the time when it stays away for longer than the relay's grace: it counts only
    as long as nobody else has taken over, which would give `device` another version."""
    version = await change(
        room, "device", lambda device: None if device and device["since"] > ts else {"id": id, "since": ts}, "player:taken"
    )
    if version is None:
        return
    try:
        async with room.will(id) as will:
            lose(will, version)
    except NoSuchMember:  # it is gone already
        async with relay.batch() as step:
            lose(step.channel(room.name), version)


def lose(commands: Any, version: int) -> None:
    """`commands`: a will, or a room in a batch."""
    commands.set("device", None, if_version=version)
    commands.broadcast("player:lost")  # before `lost`, which pages show by the time of this
    commands.merge("player", {"lost": True})


@relay.on("player:stopped")
async def settle(message: Message) -> None:
    """A will cannot say what time it is. The pages that heard of it can, and tell the backend; the first one counts."""
    stopped = read(message, Stopped)
    if stopped is None or message.channel not in ROOMS:
        return

    def settled(player: Optional[dict[str, Any]]) -> Optional[dict[str, Any]]:
        if not player or "lost" not in player or not player["since"] < stopped.at <= message.ts:
            return None
        position = player["position"] + (stopped.at - player["since"] if player["playing"] else 0)
        return {"track": player["track"], "playing": False, "position": position, "since": stopped.at}

    await change(relay.channel(message.channel), "player", settled, "player:settled")
