"""Carries a scenario out: witnesses all the time, actors and faults in rounds, and a verdict after each round."""

import asyncio
import contextlib
import random
import signal
import subprocess
import time

import counters
import probes
from backend_actors import HOARD, HOARD_KEYS
from deadline import until
from disturbances import Disturbances
from hiccups import Hiccups
from scenario import ACTORS
from stage import Stage
from verdict import Footprint, Verdict
from witness import WitnessBackend, WitnessClient

WITNESSES = 3
PROBE_INTERVAL = 0.4
LOUD_NEWCOMER_SECONDS = 2.5
READY_SECONDS = 15.0
ROUND_SECONDS = 90.0  # by then a round has hung
DOWN_SECONDS = 0.2
HOARDED = 12 * HOARD * HOARD_KEYS
SLOW = {"SlowReaders", "Floods", "Hoarders", "Silent", "OddUpgrades"}  # what these have to get, a stop waits for
# Half a second each until backends are quiet and have seen the end, one for clients to answer the close frame, and half
# of one for the rest.
QUICK_STOP = 2.5
STOP_GRACE = 3.0  # beyond --drain-timeout
ALL = ("freeze", "down", "disk")


class Play:
    """`found` are the findings, one sentence each, with the round they belong to."""

    def __init__(self, scenario, directory):
        self.found = []
        self.rounds_played = 0
        self.stage = Stage(scenario, directory)
        self._scenario = scenario
        self._disturbances = Disturbances()
        self._witnesses, self._backend, self._footprint = [], None, Footprint()
        self._began, self._hiccups, self._is_over = 0.0, None, False
        self._crowded = False  # whether a newcomer may be turned away
        self._hoarded = False  # whether somebody ever made the state large
        self._looks = []  # metrics pages of the current process

    def _note(self, finding):
        if finding:
            self.found.append(f"round {self.rounds_played}: {finding}")

    async def run(self, evidence):
        """To the end or the first round with findings; `evidence` is the folder for what they leave."""
        try:
            await asyncio.wait_for(self._rounds(), ROUND_SECONDS * len(self._scenario.rounds))
        except Exception as error:  # whatever went wrong, the seed must be told
            self._note(f"{type(error).__name__}: {error}")
        finally:
            if self.found:
                await asyncio.to_thread(self.stage.keep, evidence)
            await self._end()

    async def _rounds(self):
        await self._begin()
        for number, plan in enumerate(self._scenario.rounds):
            self.rounds_played = number
            await self._round(plan, random.Random(f"{self._scenario.seed}/{number}"))
            if self.found:
                return

    async def _begin(self):
        await asyncio.to_thread(self.stage.start)
        self._backend = WitnessBackend(self._scenario.seed, lambda: self.stage.control)
        self._witnesses = [WitnessClient(f"witness {n}", lambda: self.stage.port) for n in range(WITNESSES)]
        await until(lambda: all(w.seen for w in self._witnesses), "the witnesses are in", READY_SECONDS)
        self._backend.resume()

    async def _end(self):
        if self._backend:
            await asyncio.to_thread(self._backend.stop)
        for witness in self._witnesses:
            with contextlib.suppress(Exception):  # what it had found has been told by the verdict
                await witness.stop()
        try:
            await asyncio.to_thread(self.stage.close)
        except AssertionError as crash:
            self._note(f"the relay's end: {crash}")

    # One round.

    async def _round(self, plan, draw):
        self._began, self._is_over, self._crowded = time.monotonic(), False, self._scenario.crowded(plan)
        self._hoarded = self._hoarded or "Hoarders" in plan.actors
        self._footprint.excuse(HOARDED if self._hoarded else 0)
        self._backend.resume()
        cast = [ACTORS[name](self.stage, random.Random(draw.random())) for name in plan.actors]
        async with Hiccups() as self._hiccups:
            for actor in cast:
                actor.start()
            probing = asyncio.create_task(self._probe())
            await self._faults(plan)
            self._is_over = True
            await probing
            await self._dismiss(cast)
            if self._is_alive():
                await self._judge()

    async def _faults(self, plan):
        for when, kind, amount in plan.faults:
            await self._sleep_until(self._began + when * plan.seconds)
            if self._is_alive():
                await getattr(self, "_" + kind.replace(" ", "_"))(amount, plan)
        await self._sleep_until(self._began + plan.seconds)

    @staticmethod
    async def _sleep_until(moment):
        await asyncio.sleep(max(0.0, moment - time.monotonic()))

    async def _dismiss(self, cast):
        for actor in cast:
            actor.stop()
        for actor in cast:
            wrong = await asyncio.to_thread(actor.ended)
            self._note(wrong and f"the actor {actor.name}: {wrong}")

    def _is_alive(self):
        """Notes that the relay ended by itself, once."""
        code = self.stage.relay.exit_code()
        if code is not None and not self.found:
            self._note(f"the relay ended by itself with {code}")
        return code is None

    async def _judge(self):
        verdict = Verdict(self.stage, self._scenario, self._witnesses, self._backend, self._disturbances)
        for finding in await verdict.findings(self._began, self._hiccups, self._looks, self._footprint):
            self._note(finding)

    # Looks while it is loud.

    async def _probe(self):
        """A newcomer again and again; and the counters, which may at no time be nonsense."""
        while not self._is_over:
            await asyncio.sleep(PROBE_INTERVAL)
            began, port = time.monotonic(), self.stage.port
            limit = probes.allowed(LOUD_NEWCOMER_SECONDS, self._hiccups.worst)
            outcome = await asyncio.to_thread(probes.newcomer, port, limit)
            judged = not self._crowded and not self._disturbances.overlap(began, time.monotonic(), ALL)
            if judged and port == self.stage.port:
                self._note(probes.verdict(outcome, limit))
            await self._look(began)

    async def _look(self, began):
        try:
            page = await asyncio.to_thread(self.stage.relay.metrics)
        except (OSError, AssertionError) as miss:
            if not self._disturbances.overlap(began, time.monotonic(), ALL) and self._scenario.open_files is None:
                self._note(f"/metrics does not answer: {miss}")
            return
        for finding in counters.always(page):
            self._note(finding)
        self._looks = [page]

    # The faults.

    async def _freeze(self, seconds, _):
        with self._disturbances.during("freeze"):
            self.stage.relay.signal(signal.SIGSTOP)
            await asyncio.sleep(seconds)
            self.stage.relay.signal(signal.SIGCONT)

    async def _kill(self, _, __):
        with self._disturbances.during("down"):
            await self._without_relay(self.stage.kill)

    async def _stop(self, _, plan):
        """Under load; where nobody reads slowly it must not take all the time it may."""
        drain = self._scenario.drain_seconds
        limit = drain + STOP_GRACE if SLOW & set(plan.actors) else QUICK_STOP
        limit = probes.allowed(limit, self._hiccups.worst)
        with self._disturbances.during("down"):
            await self._without_relay(lambda: self._timed_stop(limit))

    def _timed_stop(self, limit):
        try:
            code, took = self.stage.stop(self._scenario.drain_seconds + 10.0)
        except subprocess.TimeoutExpired as hang:
            self._note(f"SIGTERM does not end the relay within {hang.timeout} s")
            self.stage.kill()
            return
        if code != 0:
            self._note(f"SIGTERM ended the relay with {code}")
        if took > limit:
            self._note(f"SIGTERM took {took:.1f} s, over {limit:.1f} s")

    async def _without_relay(self, end):
        """Ends it in this way, and starts it again."""
        if not self._scenario.data:
            self._backend.ledger.forgive_a_loss()
        await asyncio.to_thread(end)
        await asyncio.sleep(DOWN_SECONDS)
        await asyncio.to_thread(self.stage.start)
        self._looks, self._footprint = [], Footprint()
        self._footprint.excuse(HOARDED if self._hoarded else 0)

    async def _drop_witness(self, amount, _):
        witness = self._witnesses[int(amount * 10) % WITNESSES]
        witness.leave(forget=amount > 1.0)

    async def _full_disk(self, seconds, plan):
        if not self.stage.has_disk:
            return
        with self._disturbances.during("disk"):
            await asyncio.to_thread(self.stage.fill_disk)
            await asyncio.sleep(seconds)
            await asyncio.to_thread(self.stage.free_disk)

    async def _lose_data(self, seconds, _):
        self._backend.ledger.forgive_a_loss()
        await asyncio.to_thread(self.stage.lose_data)
        await asyncio.sleep(seconds)
        if self._is_alive():
            await self._kill(seconds, _)
