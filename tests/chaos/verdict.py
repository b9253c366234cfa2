"""What must be true when a round is over and its actors have gone. Every finding is one sentence."""

import asyncio
import time

import counters
import probes
from control_peer import ControlPeer, NoAnswer
from deadline import until
from one_log import OneLog
from relay_process import is_sanitized

SETTLE_SECONDS = 15.0
POLL_SECONDS = 0.05
CONFIRM_SECONDS = 20.0
NEWCOMER_SECONDS = 1.0
BUSY_MACHINE = 0.3  # a timer so late makes it unclear who is to blame for a missed deadline
DESCRIPTORS = 8  # SQLite and ZeroMQ open some when they are first needed
MEMORY = 96 * 2**20  # the window, ids, and what the allocator keeps
MISSES = (OSError, AssertionError, NoAnswer)


class Footprint:
    """Descriptors and memory of one process when it first was at rest."""

    def __init__(self):
        self._fds = self._rss = None
        self._memory = MEMORY

    def excuse(self, memory):
        """From now on so much more may be kept: what a shard lays aside of a large state, and what the allocator does
        not give back of it."""
        self._memory = MEMORY + memory

    def note(self, fds, rss):
        """The first time is what later ones are held against."""
        if self._fds is None:
            self._fds, self._rss = fds, rss

    def findings(self, fds, rss):
        if self._fds is None:
            return []
        found = []
        if fds > self._fds + DESCRIPTORS:
            found.append(f"{fds} descriptors are open at rest, {self._fds} were after the first round")
        if rss > self._rss + self._memory:
            found.append(f"{rss >> 20} MiB are resident at rest, {self._rss >> 20} were after the first round")
        return found


def unjust_ends(name, ends, disturbances, worst):
    """The ends of a well-behaved client's connections that nothing explains. A relay that was frozen explains that
    the client heard nothing, and not that it was closed."""
    found = []
    for when, ending in ends:
        kinds = ("down", "freeze") if isinstance(ending, asyncio.TimeoutError) else ("down",)
        if worst < BUSY_MACHINE and not disturbances.overlap(when, when, kinds):
            found.append(f"{name} lost its connection: {type(ending).__name__} {ending}")
    return found


class Verdict:
    def __init__(self, stage, scenario, witnesses, backend, disturbances):
        self._stage, self._scenario, self._disturbances = stage, scenario, disturbances
        self._witnesses, self._backend = witnesses, backend
        self._found = []

    @property
    def _relay(self):
        return self._stage.relay

    async def findings(self, began, hiccups, looks, footprint):
        ends = [(w, e) for w in self._witnesses for e in w.ends() if e[0] >= began]
        for witness, end in ends:
            self._found += unjust_ends(witness.name, [end], self._disturbances, hiccups.worst)
        wrong = await asyncio.to_thread(self._backend.pause, CONFIRM_SECONDS)
        self._found += [wrong] if wrong else []
        await self._check_door(hiccups)
        await self._check_counters(looks)
        await self._check_footprint(footprint)
        if not wrong:
            await self._check_model()
        return self._found

    async def _settled(self, condition, what):
        """It is a finding when this does not come true in time."""
        try:
            await until(condition, what, SETTLE_SECONDS)
        except MISSES as miss:
            self._found.append(f"{what}: {miss}")

    async def _check_door(self, hiccups):
        """A newcomer gets in at once; then as many are connected as should be."""
        outcome = await asyncio.to_thread(probes.newcomer, self._stage.port)
        limit = probes.allowed(NEWCOMER_SECONDS, hiccups.worst)
        self._found += filter(None, [probes.verdict(outcome, limit)])
        finding = "not asked"
        end = time.monotonic() + SETTLE_SECONDS
        while finding and time.monotonic() < end:
            finding = await asyncio.to_thread(probes.health_finding, self._relay, len(self._witnesses))
        self._found += [finding] if finding else []

    async def _check_counters(self, looks):
        try:
            page = await asyncio.to_thread(self._relay.metrics)
        except MISSES as miss:
            self._found.append(f"/metrics does not answer: {miss}")
            return
        self._found += counters.always(page) + counters.at_rest(page, len(self._witnesses))
        for before in looks:
            self._found += counters.since(before, page)

    async def _check_footprint(self, footprint):
        end = time.monotonic() + SETTLE_SECONDS
        while (found := footprint.findings(*self._looked())) and time.monotonic() < end:
            await asyncio.sleep(POLL_SECONDS)
        self._found += found
        footprint.note(*self._looked())

    def _looked(self):
        return self._relay.fds(), 0 if is_sanitized() else self._relay.rss()

    async def _check_model(self):
        try:
            final = await asyncio.to_thread(self._ask, {"op": "state"})
        except MISSES as miss:
            self._found.append(f"the control socket does not answer: {miss}")
            return
        for witness in self._witnesses:
            await self._settled(lambda w=witness: w.check() or w.has({"": final}),
                                f"{witness.name} has event {final['seq']}")
        self._check_visits()
        ledger = self._backend.ledger
        if not ledger.grew():
            self._found.append("no command was confirmed in this round")
        ledger.check_state(final["epoch"], final["state"])
        self._found += ledger.findings

    def _check_visits(self):
        log = OneLog(forgets=self._scenario.forgets, small_window=self._scenario.small_window)
        for witness in self._witnesses:
            for script in list(witness.visits):
                log.add(witness.name, list(script))
        self._backend.ledger.check_log({epoch: events for (_, epoch), events in log.events.items()})
        self._found += log.findings

    def _ask(self, query):
        peer = ControlPeer(self._stage.control)
        try:
            return peer.confirm(query)
        finally:
            peer.close()
