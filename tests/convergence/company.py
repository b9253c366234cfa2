"""The identities with their tabs, the workers that take what they say, and the notary: how they take part in a scene."""

import asyncio
import contextlib
import os
import pathlib
import random
import subprocess
import sys
import time
from dataclasses import dataclass

from backend import Journal
from deadline import until
from follower import ENDINGS
from people import LEAVES_ALL, NOTARY, PLACES, REACH, TABS, TAKERS, identity_of, published, said, tab_names
from tab import Person, Tab

HERE = pathlib.Path(__file__).parent
SETTLE_SECONDS = 30.0
LOOK_SECONDS = 0.05
FOLLOWED = (1, 3)  # channels that a tab follows at first
STAYS = 0.6  # how many of the other tabs are there at the end


@dataclass
class CompanyRecord:
    """What the people and the workers leave for the judge."""
    tabs: dict  # name to its Tab's stays, said, answers and whether it is direct
    departed: set  # tabs that were gone at the end
    infos: dict  # identity to all that its tabs told of themselves
    takers: dict  # worker to the lines of its journal
    wills: list  # the lines of the notary's journal
    members: dict  # channel to its members, as the control socket tells at the end
    started: list  # when each life of the relay was ready
    slowest: float  # seconds that the clients' loop did not turn
    disturbed: tuple = ()  # instants, close together, at which relays could not tell each other who is there


class Company:
    """`ask` asks the relay a query. Without `takers` nobody takes what is said, and tabs only publish."""

    def __init__(self, seed, directory, ask, takers=TAKERS):
        self._seed, self._directory, self._ask, self._takers = seed, directory, ask, takers
        self._endpoint = None
        self._people = {identity: Person(identity) for identity in TABS}
        self._processes = {}
        self._slowest, self._watch = 0.0, None
        self.tabs = {}
        self.started = []

    async def begin(self, proxies, port, endpoint):
        """`port` tells the relay's, `endpoint` is its control socket, which stays the same; some tabs are connected through one
        of the proxies."""
        self._endpoint = endpoint
        if self._takers:
            await self._ask({"op": "receive"})  # from now on there is a backend
        draw = random.Random(f"{self._seed}/people")
        for number, name in enumerate(tab_names()):
            proxy = proxies[number % len(proxies)] if draw.random() < 0.4 and proxies else None
            self.tabs[name] = Tab(name, self._people[identity_of(name)],
                                  (lambda proxy=proxy: proxy.port) if proxy else port,
                                  draw.sample(REACH, draw.randint(*FOLLOWED)), proxy is None,
                                  said if self._takers else published)
            if identity_of(name) == LEAVES_ALL:
                self.tabs[name].stay_in(PLACES)
        for name in (*self._takers, NOTARY):
            self._start(name)
        self._watch = asyncio.create_task(self._watch_the_loop())

    async def _watch_the_loop(self):
        while True:
            before = time.monotonic()
            await asyncio.sleep(LOOK_SECONDS)
            self._slowest = max(self._slowest, time.monotonic() - before - LOOK_SECONDS)

    def _start(self, name):
        script = HERE / ("notary.py" if name == NOTARY else "taker.py")
        self._processes[name] = subprocess.Popen(
            [sys.executable, str(script), str(self._seed), name, self._endpoint, str(self._journal(name))],
            stdin=subprocess.PIPE, env={**os.environ, "PYTHONPATH": str(HERE.parent / "e2e")})

    def _journal(self, name):
        return self._directory / f"{name}.journal"

    def kill(self, name):
        """A worker in the middle of whatever it has; another one takes its place."""
        self._end(name)
        self._start(name)

    def _end(self, name):
        process = self._processes[name]
        process.kill()
        process.wait()
        process.stdin.close()

    def check(self):
        for tab in self.tabs.values():
            tab.check()
        for name, process in self._processes.items():
            assert process.poll() is None, f"{name} ended with {process.returncode}"

    async def finish(self):
        """Nobody says anything new. Some go; returns when the relay's members are those that stay, and what was said is done."""
        await self._hush()
        for name in self._draw_leavers():
            await self.tabs[name].depart(clean=self._seed % 2 == 0)
        expected = await self._last_words()
        await self._until(lambda: self._members_are(expected), f"the members are {expected}")
        for name in self._takers:
            self._processes[name].stdin.close()
        await self._until(self._inbox_is_empty, "all that was said is done")
        for name in self._takers:
            self._end(name)
        self._watch.cancel()

    async def _hush(self):
        for tab in self.tabs.values():
            tab.speaks = tab.roams = False
        await until(lambda: self.check() or all(tab.is_settled() for tab in self.tabs.values()),
                    "every tab has all its answers", SETTLE_SECONDS)
        process = self._processes.pop(NOTARY)
        process.stdin.close()
        await asyncio.to_thread(process.wait, SETTLE_SECONDS)

    def _draw_leavers(self):
        draw = random.Random(f"{self._seed}/leavers")
        return [name for name in self.tabs if identity_of(name) == LEAVES_ALL or draw.random() > STAYS]

    async def _last_words(self):
        """Channel to the members that there must be by then."""
        expected = {place: {} for place in PLACES}
        for identity in TABS:
            tabs = [tab for name, tab in self.tabs.items()
                    if identity_of(name) == identity and not tab.departed]
            info = self._people[identity].next_info()
            for tab in tabs:
                await until(tab.is_settled, f"{tab.name} is there", SETTLE_SECONDS)
                with contextlib.suppress(*ENDINGS):  # who has to come back says it then
                    await tab.introduce(info)
                await until(tab.is_settled, f"{tab.name} has its answer", SETTLE_SECONDS)
            for place in {place for tab in tabs for place in tab.wanted} & set(PLACES):
                expected[place][identity] = info
        return expected

    async def _members_are(self, expected):
        members = await self.members()
        told = {place: {id: member["info"] for id, member in people.items()} for place, people in members.items()}
        return told == expected

    async def members(self):
        return {place: (await self._ask({"op": "members", "channel": place}))["members"] for place in PLACES}

    async def _inbox_is_empty(self):
        return not (await self._ask({"op": "stats"}))["stats"]["inbox_messages"]

    async def _until(self, condition, what):
        end = time.monotonic() + SETTLE_SECONDS
        while not await condition():
            self.check()
            assert time.monotonic() < end, f"not within {SETTLE_SECONDS} s: {what}"
            await asyncio.sleep(LOOK_SECONDS)

    async def end(self):
        if self._watch:
            self._watch.cancel()
        for name in self._processes:
            self._end(name)

    def record(self, members):
        tabs = {name: {"said": tab.said, "answers": tab.answers, "stays": tab.stays, "direct": tab.direct}
                for name, tab in self.tabs.items()}
        departed = {name for name, tab in self.tabs.items() if tab.departed}
        return CompanyRecord(tabs, departed, {person.id: person.infos for person in self._people.values()},
                           {name: Journal(self._journal(name)).lines() for name in self._takers},
                           Journal(self._journal(NOTARY)).lines(), members, self.started, self._slowest)
