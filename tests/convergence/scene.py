"""Carries a plan out: starts everything, lets the faults come, heals, and returns what everybody saw."""

import asyncio
import contextlib
import pathlib
import signal
import subprocess
import sys
import time
from dataclasses import dataclass

from backend import Journal
from channel_client import Told
from commands import CHANNELS, ROOMS
from control_peer import ControlPeer
from company import Company, CompanyRecord
from deadline import until
from follower import Follower
from leases import LEASE
from listener import Ask, Listener
from plan import BACKENDS, LINKS
from proxy import FaultProxy
from relay_process import RelayProcess

BACKEND = pathlib.Path(__file__).parent / "backend.py"
PROGRESS_SECONDS = 20.0
HEAL_SECONDS = 30.0
SEEN_BY_ALL_SECONDS = 20.0
LEASES_SECONDS = 5.0


@dataclass
class Record:
    """What a run leaves for the judge."""
    plan: object
    followers: dict  # name to the scripts of its visits
    journals: dict  # backend to the lines of its journal
    final: dict  # channel to its state that the control socket tells at the end
    fresh: list  # script of a new client of all channels at the end
    whole: list  # script of a client that resumed all channels from seq 0 at the end
    restarts: int  # of the relay
    faults: list  # those carried out, as text
    company: CompanyRecord


class Scene:
    def __init__(self, plan, directory, clock=None):
        self._plan, self._directory, self._clock = plan, pathlib.Path(directory), clock
        self._relay, self._proxies, self._followers, self._backends = None, [], [], {}
        self._company = Company(plan.seed, self._directory, self._ask)
        self._starts, self._done = 0, []

    async def play(self):
        try:
            await self._begin()
            for fault in self._plan.faults:
                await self._progress(fault.gap)
                self._done.append(str(fault))
                await getattr(self, "_" + fault.kind.replace(" ", "_"))(fault)
                self._check()
            await self._heal()
            return await self._record()
        finally:
            await self._end()

    # How it begins and how it ends.

    async def _begin(self):
        await self._start(self._plan.data_mode != "never")
        self._followers = [Follower("witness", lambda: self._relay.port, ("", *ROOMS))]
        for number in range(LINKS):
            proxy = await FaultProxy(self._relay.port).start()
            self._proxies.append(proxy)
            self._followers.append(Follower(f"client {number}", lambda proxy=proxy: proxy.port,
                                            self._plan.channels[number], bare=number == 0, roams=number > 0))
        for name in BACKENDS:
            self._start_backend(name)
        await self._company.begin(self._proxies, lambda: self._relay.port, self._relay.ready["control"][0])
        self._followers += self._company.tabs.values()

    async def _start(self, data, crash_at=None):
        arguments = list(self._plan.options)
        arguments += ["--data", str(self._directory / "data")] if data else []
        arguments += ["--durability", "power"] if data and self._plan.power else []
        extra = {"SYNCRELAY_CRASH_AT": crash_at} if crash_at else {}
        extra |= self._clock.environment() if self._clock else {}
        self._relay = await asyncio.to_thread(RelayProcess, *arguments, runtime_dir=self._directory / "run",
                                              env=extra, admin=False)
        self._starts += 1
        self._company.started.append(time.time())
        for proxy in self._proxies:
            proxy.target_port = self._relay.port

    def _start_backend(self, name):
        style = BACKENDS[name]
        endpoint = self._relay.endpoint if style == "pushed" else self._relay.ready["control"][0]
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
        for proxy in self._proxies:
            await proxy.stop()
        for name in self._backends:
            self._end_backend(name)
        if self._relay:
            await asyncio.to_thread(self._relay.dispose)

    # What is looked at on the way.

    @property
    def _witness(self):
        return self._followers[0]

    def _check(self):
        for follower in self._followers:
            follower.check()
        self._company.check()
        for name, process in self._backends.items():
            assert process.poll() is None, f"backend {name} ended with {process.returncode}"

    async def _progress(self, events):
        """Waits until the witness has seen so many more messages: the plan's clock."""
        goal = self._witness.seen + events

        def reached():
            self._check()
            assert self._relay.exit_code() is None, f"the relay ended:\n{self._relay.log()}"
            return self._witness.seen >= goal

        await until(reached, f"the witness sees {events} more messages", PROGRESS_SECONDS)

    # The faults.

    async def _kill_relay(self, fault):
        await asyncio.to_thread(self._relay.kill)
        await self._start(fault.amount)

    async def _stop_relay(self, fault):
        assert await asyncio.to_thread(self._relay.stop) == 0
        await self._start(fault.amount)

    async def _crash_relay(self, fault):
        """The relay dies by itself at a point inside the batch."""
        await asyncio.to_thread(self._relay.kill)
        await self._start(fault.amount, crash_at=fault.target)
        await until(lambda: self._relay.exit_code() is not None, f"the relay dies at {fault.target}", PROGRESS_SECONDS)
        assert self._relay.exit_code() == -signal.SIGKILL, self._relay.log()
        await self._kill_relay(fault)

    async def _freeze_relay(self, fault):
        self._relay.signal(signal.SIGSTOP)
        await asyncio.sleep(fault.amount)
        self._relay.signal(signal.SIGCONT)

    async def _kill_backend(self, fault):
        self._end_backend(fault.target)
        self._start_backend(fault.target)

    async def _kill_worker(self, fault):
        self._company.kill(fault.target)

    async def _cut_link(self, fault):
        self._proxies[fault.target].cut()

    async def _reset_link(self, fault):
        self._proxies[fault.target].reset()

    async def _stall_link(self, fault):
        self._proxies[fault.target].stall()

    async def _resume_link(self, fault):
        self._proxies[fault.target].resume()

    async def _abandon_link(self, fault):
        self._proxies[fault.target].abandon()

    async def _delay_link(self, fault):
        self._proxies[fault.target].delay(fault.amount)

    async def _jump_clock(self, fault):
        self._clock.jump(fault.amount)

    async def _drop_client(self, fault):
        self._followers[1 + fault.target].drop(forget=fault.amount)

    # The end of all faults, and what is left then.

    async def _heal(self):
        """No fault from here on; returns when every backend's commands are through and every client has all events."""
        for proxy in self._proxies:
            proxy.resume()
            proxy.delay(0.0)
        if self._plan.data_mode == "mixed":
            await asyncio.to_thread(self._relay.stop)
            await self._start(True)
        for follower in self._followers:
            follower.roams = False
        heal_seq = (await self._ask({"op": "state"}))["seq"]
        for process in self._backends.values():
            process.stdin.close()
        await until(lambda: not self._busy_backends(heal_seq), "every backend is through", HEAL_SECONDS)
        for name in self._backends:
            self._end_backend(name)
        await self._company.finish()

    def _busy_backends(self, heal_seq):
        """Those that have something under way, or whose `app:done` the witness has not seen since."""
        self._witness.check()
        busy = {name for name, style in BACKENDS.items() if style == "pushed" or self._backends[name].poll() is None}
        for entry in reversed(self._witness.visits[-1]):
            if isinstance(entry, Told) and entry.type == "app:done" and entry.message.seq > heal_seq:
                busy.discard(entry.body["data"]["by"].split(":")[0])
        return busy

    async def _drain(self):
        """What was still in the sockets has been taken, and what had a ttl has gone, when nothing new is found behind
        what the witness has."""
        last = None
        while last != (last := await self._ends()):
            await until(lambda: self._witness.has(last), "the witness has all", SEEN_BY_ALL_SECONDS)
        for follower in self._followers:
            await until(lambda follower=follower: follower.check() or follower.has(last),
                        f"{follower.name} has seen all up to {last}", SEEN_BY_ALL_SECONDS)

    async def _ends(self):
        """channel to position, once no key is there that goes by itself."""
        end = time.monotonic() + LEASES_SECONDS
        while left := leases_in(final := await self._states()):
            assert time.monotonic() < end, f"these outlive their ttl: {left}"
        return {channel: {"epoch": told["epoch"], "seq": told["seq"]} for channel, told in final.items()}

    async def _states(self):
        return {channel: await self._ask({"op": "state", "channel": channel}) for channel in CHANNELS}

    async def _ask(self, query):
        peer = ControlPeer(self._relay.ready["control"][0])
        try:
            return await asyncio.to_thread(peer.confirm, query)
        finally:
            peer.close()

    async def _record(self):
        """Looked at again when somebody was lost for a moment meanwhile, and has left or come back."""
        end = time.monotonic() + HEAL_SECONDS
        while True:
            await self._drain()
            final, members = await self._states(), await self._company.members()
            fresh = await self._listen([Ask(channel, None) for channel in CHANNELS], final)
            whole = await self._listen(
                [Ask(channel, {"epoch": told["epoch"], "seq": 0}) for channel, told in final.items()], final)
            if final == await self._states() and all(follower.is_at(final) for follower in self._followers):
                break
            assert time.monotonic() < end, "members go on coming and going"
        return Record(self._plan, {f.name: [list(script) for script in f.visits] for f in self._followers},
                      {name: Journal(self._journal(name)).lines() for name in BACKENDS},
                      final, fresh, whole, self._starts - 1, self._done, self._company.record(members))

    async def _listen(self, asks, final):
        """The script of a client that reads all there is to these."""
        listener = await Listener.connect(self._relay.port, asks)
        try:
            await listener.begun(*final)
            while any(listener.channels[channel].seq < told["seq"] for channel, told in final.items()):
                await listener.next()
        finally:
            await listener.abort()
        return listener.script


def leases_in(states):
    return [(channel, key) for channel, told in states.items() for key, value in told["state"].items()
            if LEASE in key and value is not None]
