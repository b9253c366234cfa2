"""What a scene of several relays takes for its record when members still come and go."""

import asyncio
import os
import pathlib
import types

from cluster_plan import ClusterPlan
from cluster_scene import ClusterScene
from commands import CHANNELS
from people import PLACES


class StubRelay:
    """Where members leave, at all relays of an order at once, behind so many questions; a `deaf` one never hears of it."""

    def __init__(self, name, order, deaf=False):
        self.name, self._order, self._deaf = name, order, deaf

    async def ask(self, query):
        self._order["left"] -= 1
        is_empty = self._order["left"] < 0 and not self._deaf
        if query["op"] == "members":
            return {"members": {} if is_empty else {"ada": {}}}
        return {"epoch": "e", "seq": 8 if is_empty else 7, "state": {}, "clients": 1}


class StubScene(ClusterScene):
    """Of relays that are asked, and of nothing else."""

    def __init__(self, *relays):
        self._plan = ClusterPlan.from_seed(1)
        self._witnesses, self._clients, self._done, self._first_epoch = [], [], [], "e"
        self._machines = types.SimpleNamespace(all=relays, disturbed=[], restarts=0)
        self._company = types.SimpleNamespace(members=self._members, tabs={},
                                              record=lambda members: types.SimpleNamespace(members=members))

    async def _members(self):
        return {place: (await self._machines.all[0].ask({"op": "members", "channel": place}))["members"]
                for place in PLACES}

    async def _drain(self):
        pass

    async def _listen(self, machine, asks, final):
        return []

    def _journal(self, name):
        return pathlib.Path(os.devnull)

    def record(self):
        return asyncio.run(self._record())


def relays(leave_behind, deaf=""):
    order = {"left": leave_behind}
    return [StubRelay(name, order, name == deaf) for name in "abc"]


def test_members_that_leave_while_a_record_is_taken_are_no_difference():
    for behind in range(8 * (len(CHANNELS) + len(PLACES))):
        record = StubScene(*relays(behind)).record()
        assert record.differ == [], behind


def test_members_that_stay_at_one_relay_only_are_a_difference():
    record = StubScene(*relays(0, deaf="b")).record()
    assert any("relay b tells other members" in finding for finding in record.differ)
