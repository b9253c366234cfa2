"""A client that says who it is: one of several tabs of an identity. It comes and goes, changes what it tells of itself,
says things with a `ref`, and says again what was not answered when it is back."""

import asyncio
import random
import time
from dataclasses import dataclass, field

from follower import Follower
from listener import Ask
from people import GRACE, GRACE_CLOSED, PLACES, REACH, said

ACT_SECONDS = (0.01, 0.12)  # between two deeds
AWAY_SECONDS = (0.0, 0.05, 0.2, 0.6, 1.0)
NOT_SAID = "none yet"
TOGETHER = 0.3  # seconds; of two ends within these either may count as the last one
MOST_UNDER_WAY = 4
DEEDS = ("say", "change", "close", "abort")
DEED_WEIGHTS = (80, 7, 3, 3)


class Gone(Exception):
    """The tab has ended its connection."""


@dataclass
class Person:
    """An identity; `infos`: all that its tabs have told of themselves, in this order."""
    id: str
    infos: list = field(default_factory=list)

    def next_info(self):
        self.infos.append({"n": len(self.infos)})
        return self.infos[-1]


@dataclass
class Stay:
    """A time in which a tab's identity was in a channel for sure. `began`: when it had heard that it follows the channel as this
    identity; `ended` when it ended that itself, and None when others did; `seen`: its last sign of life before."""
    channel: str
    said: float
    began: float | None = None
    ended: float | None = None
    seen: float | None = None
    grace: float = 0.0

    def grace_at_least(self, stays):
        """The time that it had from its end on, which another one's farewell since then may have shortened."""
        alone = all(stay is self or (stay.ended or stay.seen or stay.said) < self.ended - TOGETHER for stay in stays)
        return self.grace if alone else min(self.grace, GRACE_CLOSED)


class Tab(Follower):
    """`stays` is what the judge goes by, and `said`, `answers`: number to (code or None, when that connection was opened).
    `direct`: nothing is between it and the relay."""

    def __init__(self, name, person, port, channels, direct, speech=said):
        super().__init__(name, port, channels, roams=True, reach=REACH)
        self.person, self.direct, self._speech = person, direct, speech
        self.stays, self.answers = [], {}
        self.said = 0  # numbers below this
        self.speaks, self.departed = True, False
        self._refs = 0
        self._hello = NOT_SAID  # ref of the one that is not answered yet; None: all are
        self._here = {}  # channel to the stay that goes on
        self._opened_at = 0.0
        self._next_deed = 0.0

    def stay_in(self, channels):
        """To be called before it has begun."""
        self._wanted, self.roams = list(channels), False

    @property
    def personal(self):
        return "@" + self.person.id

    def is_settled(self):
        """Whether nothing that it said is without an answer."""
        return self._hello is None and len(self.answers) == self.said and not self._under_way and bool(self._client) \
            and self._client.connection.open

    @property
    def wanted(self):
        return set(self._wanted)

    async def introduce(self, info=None):
        """Says who it is, and this or something new of itself; one that is to say nothing new says the last word again."""
        self._refs += 1
        self._hello = f"hello {self.name} {self._refs}"
        info = info or (self.person.next_info() if self.speaks else self.person.infos[-1])
        await self._client.say({"type": "sync:hello", "id": self.person.id, "info": info, "ref": self._hello,
                                **(self._positions.get(self.personal) or {})})

    async def depart(self, clean):
        """Ends its connection, and comes back no more."""
        self.departed = True
        await self._end(clean)
        await self.stop()

    def check(self):
        if not self.departed:
            super().check()

    def has(self, ends):
        return self.departed or super().has(ends)

    def is_at(self, ends):
        return self.departed or super().is_at(ends)

    async def _visit(self):
        if self.departed:
            await asyncio.Future()  # until it is cancelled
        try:
            await super()._visit()
        except Gone:
            await asyncio.sleep(random.choice(AWAY_SECONDS))
        finally:
            self._hello = NOT_SAID
            self._stop_all()

    async def _opened(self):
        self._opened_at = time.time()
        self._client.script.append(Ask(self.personal, self._positions.get(self.personal)))
        self._under_way.add(self.personal)
        self._here = {channel: self._stay(channel) for channel in self._wanted if channel in PLACES}
        await self.introduce()
        for number in range(self.said):
            if number not in self.answers:
                await self._client.say(self._speech(self.name, number))

    def _stay(self, channel):
        self.stays.append(Stay(channel, time.time()))
        return self.stays[-1]

    async def _take(self, body):
        now = time.time()
        if body["type"] in ("sync:ack", "sync:error"):
            self._answered(body)
        else:
            await super()._take(body)
        for channel, stay in self._here.items():
            stay.seen = now
            if stay.began is None and self._hello is None and channel in self._begun:
                stay.began = now
        if self.speaks and time.monotonic() >= self._next_deed:
            self._next_deed = time.monotonic() + random.uniform(*ACT_SECONDS)
            await self._act()

    def _answered(self, body):
        if body["ref"] == self._hello:
            assert body["type"] == "sync:ack", f"{self.name} is not who it is: {body}"
            self._hello = None
        elif body.get("code") == "cluster_unavailable":  # nobody knows: it is said again, maybe elsewhere
            self._client.connection.transport.abort()
        elif not body["ref"].startswith("hello"):
            self.answers[int(body["ref"].split(":")[1])] = (body.get("code"), self._opened_at)

    async def _act(self):
        deed = random.choices(DEEDS, DEED_WEIGHTS)[0]
        if deed == "say" and self.said - len(self.answers) < MOST_UNDER_WAY:
            self.said += 1
            await self._client.say(self._speech(self.name, self.said - 1))
        elif deed == "change" and self._hello is None:
            await self.introduce()
        elif deed in ("close", "abort"):
            await self._end(deed == "close")
            raise Gone

    async def _end(self, clean):
        self._stop_all(GRACE_CLOSED if clean else GRACE)
        if clean:
            await self._client.leave()
        else:
            self._client.connection.transport.abort()

    def _stop_all(self, grace=None):
        for stay in list(self._here.values()):
            self._stop_staying(stay, grace)

    def _stop_staying(self, stay, grace=None):
        """`grace`: of an end that it brought about itself, while the connection is there."""
        del self._here[stay.channel]
        if grace is not None and self._client.connection.open:
            stay.ended, stay.grace = time.time(), grace

    async def _ask(self, channel):
        await super()._ask(channel)
        if channel in PLACES:
            self._here[channel] = self._stay(channel)

    async def _leave_channel(self, channel):
        if stay := self._here.get(channel):
            self._stop_staying(stay, GRACE_CLOSED)
        await super()._leave_channel(channel)

    async def _left(self, channel, body):
        if "reason" in body and (stay := self._here.get(channel)):
            self._stop_staying(stay)
        await super()._left(channel, body)
