"""One connection of a client: what it asked and what it was told, in the order in which it happened."""

import json
import time
from dataclasses import dataclass

from channel_client import ChannelClient, Told
from history import Message


@dataclass(frozen=True)
class Ask:
    """A subscription was asked for; `position` is what it was to go on from, or None."""
    channel: str
    position: dict | None

    def address(self):
        return (self.channel, self.position["epoch"], self.position["seq"]) if self.position else self.channel


@dataclass(frozen=True)
class Leave:
    """An end of a subscription was asked for."""
    channel: str


class Listener(ChannelClient):
    """`script` is filled with Ask, Leave and Told; answers to what it said are not in it."""

    @classmethod
    async def connect(cls, port, asks, bare=False, **query):
        """`bare`: the default channel only, as a client asks that knows nothing of channels."""
        if bare:
            listener = await cls.open(None, port=port, **query, **(asks[0].position or {}))
        else:
            listener = await cls.open(None, *[ask.address() for ask in asks], port=port, **query)
        listener.bare = bare
        listener.script = list(asks)
        return listener

    async def ask(self, channel, position):
        self.script.append(Ask(channel, position))
        await self.say({"type": "sync:subscribe", "channel": channel, **(position or {})})

    async def leave_channel(self, channel):
        self.script.append(Leave(channel))
        await self.say({"type": "sync:unsubscribe", "channel": channel})

    async def next(self, seconds=10.0):
        before = len(self.told)
        body = await super().next(seconds)
        if len(self.told) > before:
            self.script.append(self.told[-1])
        elif body["type"] not in ("ping", "sync:ack", "sync:error"):
            self.script.append(Told(body.get("channel", ""), Message(json.dumps(body), body, time.time())))
        assert not (self.bare and "channel" in body), f"a bare client was told of a channel: {body}"
        return body
