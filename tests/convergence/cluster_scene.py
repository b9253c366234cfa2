"""Carries out a plan of three relays: clients wander between them, each backend sends what has no answer to another one."""

import contextlib
import pathlib
import subprocess
import sys
import time
from dataclasses import dataclass, field

from backend import Journal
from channel_client import Told
from cluster_plan import CLIENTS
from commands import CHANNELS, ROOMS
from company import Company, CompanyRecord
from deadline import until
from follower import Follower
from listener import Ask, Listener
from machines import Machines
from plan import BACKENDS
from scene import BACKEND, leases_in

PROGRESS_SECONDS = 40.0  # a new epoch may be founded meanwhile
HEAL_SECONDS = 60.0
SEEN_BY_ALL_SECONDS = 20.0
ATTEMPTS = 30


@dataclass
class ClusterRecord:
    """What a run leaves for the judge: see scene.Record. `final` is the same at all relays, or told in `differ`."""
    plan: object
    followers: dict
    journals: dict
    final: dict
    fresh: list
    whole: list
    restarts: int
    faults: list
    company: CompanyRecord
    first_epoch: str
    differ: list = field(default_factory=list)


class ClusterScene:
    def __init__(self, plan, directory):
        self._plan, self._directory = plan, pathlib.Path(directory)
        self._machines = Machines(plan, self._directory)
        self._witnesses, self._clients, self._backends = [], [], {}
        self._company = Company(plan.seed, self._directory, self._ask, takers=())
        self._done, self._first_epoch = [], None

    async def play(self):
        try:
            await self._begin()
            for fault in self._plan.faults:
                await self._progress(fault.gap)
                self._done.append(str(fault))
                self._machines.disturb()
                await self._make(fault)
                self._check()
            await self._heal()
            return await self._record()
        except Exception as error:
            raise type(error)(f"{error}\nafter {self._done}\n{self._machines.logs()}") if isinstance(error, AssertionError) \
                else error
        finally:
            await self._end()

    async def _begin(self):
        await self._machines.begin()
        self._first_epoch = self._machines.all[0].relay.health()["epoch"]
        for machine in self._machines.all:
            self._witnesses.append(Follower(f"witness {machine.name}", lambda machine=machine: machine.relay.port,
                                            ("", *ROOMS)))
        for number in range(CLIENTS):
            self._clients.append(Follower(f"client {number}", self._machines.anybody, self._plan.channels[number],
                                          roams=True))
        for name in BACKENDS:
            self._start_backend(name)
        await self._company.begin([], self._machines.anybody, self._endpoints())

    def _endpoints(self):
        return ",".join(machine.control for machine in self._machines.all)

    @property
    def _followers(self):
        return [*self._witnesses, *self._clients, *self._company.tabs.values()]

    def _start_backend(self, name):
        style = BACKENDS[name]
        # One that pushes has a relay beside it.
        beside = self._machines.all[list(BACKENDS).index(name) % len(self._machines.all)]
        endpoint = beside.relay.endpoint if style == "pushed" else self._endpoints()
        self._backends[name] = subprocess.Popen(
            [sys.executable, str(BACKEND), style, str(self._plan.seed), name, endpoint, str(self._journal(name))],
            stdin=subprocess.PIPE)

    def _end_backend(self, name):
        process = self._backends[name]
        process.kill()
        process.wait()
        process.stdin.close()

    def _journal(self, name):
        return self._directory / f"{name}.journal"

    async def _end(self):
        await self._company.end()
        for follower in self._followers:
            with contextlib.suppress(Exception):  # what it had found has been told by _check
                await follower.stop()
        for name in self._backends:
            self._end_backend(name)
        await self._machines.end()

    def _check(self):
        self._machines.check()
        for follower in (*self._witnesses, *self._clients):
            follower.check()
        self._company.check()
        for name, process in self._backends.items():
            assert process.poll() is None, f"backend {name} ended with {process.returncode}"

    async def _progress(self, events):
        goal = self._seen() + events
        await until(lambda: self._check() or self._seen() >= goal, f"the witnesses see {events} more messages",
                    PROGRESS_SECONDS)

    def _seen(self):
        return sum(witness.seen for witness in self._witnesses)

    async def _make(self, fault):
        if fault.kind == "kill backend":
            self._end_backend(fault.target)
            self._start_backend(fault.target)
        elif fault.kind == "drop client":
            self._clients[fault.target].drop(forget=fault.amount)
        else:
            await getattr(self._machines, fault.kind.replace(" ", "_"))(fault)

    # The end of all faults, and what is left then.

    async def _ask(self, query):
        """Of a relay that answers."""
        for attempt in range(ATTEMPTS):
            answer = await self._machines.all[attempt % 3].ask(query)
            if answer and answer["ok"]:
                return answer
            self._check()
        raise AssertionError(f"no relay answers {query}")

    async def _heal(self):
        await self._machines.everybody_is_here()
        for follower in self._clients:
            follower.roams = False
        heal_seq = (await self._ask({"op": "state"}))["seq"]
        for process in self._backends.values():
            process.stdin.close()
        await until(lambda: not self._busy_backends(heal_seq),
                    lambda: f"every backend is through: not {sorted(self._busy_backends(heal_seq))}", HEAL_SECONDS)
        for name in self._backends:
            self._end_backend(name)
        await self._company.finish()

    def _busy_backends(self, heal_seq):
        """As in a scene of one relay."""
        self._machines.check()
        busy = {name for name, style in BACKENDS.items() if style == "pushed" or self._backends[name].poll() is None}
        for witness in self._witnesses:
            witness.check()
            for entry in reversed(witness.visits[-1] if witness.visits else ()):
                if isinstance(entry, Told) and entry.type == "app:done" and entry.message.seq > heal_seq:
                    busy.discard(entry.body["data"]["by"].split(":")[0])
        return busy

    async def _drain(self):
        last = None
        while last != (last := await self._ends()):
            for witness in self._witnesses:
                await until(lambda witness=witness: witness.has(last), f"{witness.name} has all", SEEN_BY_ALL_SECONDS)
        for follower in self._followers:
            await until(lambda follower=follower: follower.check() or follower.has(last),
                        f"{follower.name} has seen all up to {last}", SEEN_BY_ALL_SECONDS)

    async def _ends(self):
        end = time.monotonic() + SEEN_BY_ALL_SECONDS
        while left := leases_in(final := await self._states()):
            assert time.monotonic() < end, f"these outlive their ttl: {left}"
        return {channel: {"epoch": told["epoch"], "seq": told["seq"]} for channel, told in final.items()}

    async def _states(self, machine=None):
        """Without the number of clients, which is each relay's own."""
        ask = machine.ask if machine else self._ask
        states = {channel: await ask({"op": "state", "channel": channel}) for channel in CHANNELS}
        return {channel: {name: value for name, value in told.items() if name != "clients"}
                for channel, told in states.items()}

    async def _record(self):
        end = time.monotonic() + HEAL_SECONDS
        while True:
            await self._drain()
            finals = [await self._states(machine) for machine in self._machines.all]
            final, members = finals[0], await self._company.members()
            fresh = [await self._listen(machine, [Ask(channel, None) for channel in CHANNELS], final)
                     for machine in self._machines.all]
            begin = [Ask(channel, {"epoch": told["epoch"], "seq": 0}) for channel, told in final.items()]
            whole = [] if self._plan.forgets else await self._listen(self._machines.all[0], begin, final)
            differ = await self._differences(finals, members)
            # Asked last: what is read from here on takes the clients' time, so that members may leave meanwhile.
            same = finals == [await self._states(machine) for machine in self._machines.all]
            if same and all(follower.is_at(final) for follower in self._followers):
                break
            assert time.monotonic() < end, "members go on coming and going"
        followers = {f.name: [list(script) for script in f.visits] for f in self._followers}
        followers |= {f"a new client {number}": [script] for number, script in enumerate(fresh)}
        company = self._company.record(members)
        company.disturbed = tuple(sorted(self._machines.disturbed))
        epochs = {entry.body["epoch"] for visits in followers.values() for script in visits for entry in script
                  if isinstance(entry, Told) and "epoch" in entry.body}
        return ClusterRecord(self._plan, followers, {name: Journal(self._journal(name)).lines() for name in BACKENDS},
                             final, fresh[0], whole, self._machines.restarts + len(epochs) - 1, self._done, company,
                             self._first_epoch, differ)

    async def _differences(self, finals, members):
        """What is not the same at all relays."""
        found = []
        for machine, told in zip(self._machines.all, finals):
            found += [f"relay {machine.name} tells another state of {channel!r}: {str(told[channel])[:300]}, not "
                      f"{str(finals[0][channel])[:300]}" for channel in CHANNELS if told[channel] != finals[0][channel]]
            for place, people in members.items():
                mine = (await machine.ask({"op": "members", "channel": place}))["members"]
                if mine != people:
                    found.append(f"relay {machine.name} tells other members of {place!r}: {mine}, not {people}")
        return found

    @staticmethod
    async def _listen(machine, asks, final):
        listener = await Listener.connect(machine.relay.port, asks)
        try:
            await listener.begun(*final)
            while any(listener.channels[channel].seq < told["seq"] for channel, told in final.items()):
                await listener.next()
        finally:
            await listener.abort()
        return listener.script
