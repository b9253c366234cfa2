"""A front end of the original: it registers its device, keeps the list that it is told, and knows nothing of members."""

import json

import pytest
import websockets

from deadline import until

WORDS = ("--anonymous-identity", "--hello-type", "device:register", "--members-key", "devices",
         "--members-event", "devices:updated")
NEVER, AT_ONCE = "1h", "0ms"


class FrontEnd:
    """Reads `{type, data}` and ignores what it does not know. Never asks for anything but by its address."""

    def __init__(self, connection):
        self.connection = connection
        self.devices = None
        self.playback = None
        self.lists = []
        self.ignored = []

    @classmethod
    async def open(cls, relay):
        connection = await websockets.connect(f"ws://127.0.0.1:{relay.port}/ws/sync", ping_interval=None, close_timeout=2)
        front_end = cls(connection)
        await front_end.read()
        return front_end

    async def register(self, id, **more):
        await self.connection.send(json.dumps({"type": "device:register", "id": id, **more}))

    async def read(self):
        message = json.loads(await self.connection.recv())
        kind, data = message["type"], message.get("data")
        if kind == "sync:full" and "channel" not in message:
            self.devices, self.playback = data["devices"], data.get("playback")
        elif kind == "devices:updated":
            self.devices = data
            self.lists.append(data)
        elif kind == "playback:changed":
            self.playback = data
        else:
            self.ignored.append(kind)
        return kind

    async def sees(self, *names):
        """Reads until these are the devices, in this order."""
        while [device.get("name") for device in self.devices] != list(names):
            await self.read()

    async def abort(self):
        self.connection.transport.abort()
        await self.connection.wait_closed()


@pytest.fixture
async def open_page():
    pages = []

    async def open_one(relay):
        pages.append(await FrontEnd.open(relay))
        return pages[-1]

    yield open_one
    for page in pages:
        await page.abort()


def listed(peer):
    return peer.confirm({"op": "state", "key": "devices"})["state"]["devices"]


async def test_a_page_registers_its_device_and_all_pages_see_the_list(start_relay, peer_of, open_page):
    relay = start_relay(*WORDS, "--presence-grace", NEVER, "--presence-grace-closed", AT_ONCE)
    first, second = await open_page(relay), await open_page(relay)
    assert first.devices == []
    await first.register("dev-1", name="Phone", kind="mobile")
    await second.sees("Phone")
    await second.register("dev-2", name="Tablet")
    for page in (first, second):
        await page.sees("Phone", "Tablet")
        assert [set(device) for device in page.devices] == [{"id", "name", "kind", "connected_at"}, {"id", "name", "connected_at"}]
    late = await open_page(relay)
    assert late.devices == first.devices == listed(peer_of(relay))
    await second.connection.close()
    for page in (first, late):
        await page.sees("Phone")


async def test_a_rename_keeps_the_time_of_arrival_and_the_order(start_relay, open_page):
    relay = start_relay(*WORDS)
    first, second = await open_page(relay), await open_page(relay)
    await first.register("dev-2", name="Phone")
    await first.sees("Phone")
    await second.register("dev-1", name="Tablet")
    await first.sees("Phone", "Tablet")
    arrived = [device["connected_at"] for device in first.devices]
    assert arrived == sorted(arrived)
    await first.register("dev-2", name="Käse 🧀")
    for page in (first, second):
        await page.sees("Käse 🧀", "Tablet")
        assert [device["connected_at"] for device in page.devices] == arrived


async def test_tabs_that_share_an_id_are_one_device_and_a_reload_is_not_told(start_relay, peer_of, open_page):
    relay = start_relay(*WORDS)
    watcher, tab = await open_page(relay), await open_page(relay)
    await tab.register("dev-1", name="Phone")
    await watcher.sees("Phone")
    for _ in range(3):
        await tab.connection.close()
        await until(lambda: relay.health()["clients"] == 1, "the page is gone")
        tab, another = await open_page(relay), await open_page(relay)
        for page in (tab, another):
            await page.register("dev-1", name="Phone")
        await another.connection.close()
        await until(lambda: relay.health()["clients"] == 2, "one tab is left")
    peer_of(relay).confirm({"op": "broadcast", "type": "playback:changed", "data": 1})
    while watcher.playback is None:
        await watcher.read()
    assert len(watcher.lists) == 1


async def test_playback_pauses_when_the_active_device_is_gone_for_good(start_relay, peer_of, open_page):
    relay = start_relay(*WORDS, "--presence-grace", "200ms")
    peer, watcher, active = peer_of(relay), await open_page(relay), await open_page(relay)
    await active.register("dev-1", name="Phone")
    await watcher.sees("Phone")
    paused = {"playing": False}
    peer.confirm({"op": "will", "id": "dev-1", "commands": [
        {"op": "broadcast", "type": "playback:changed", "data": paused, "set": {"playback": paused}}]})
    await active.abort()
    await watcher.sees()
    while watcher.playback != paused:
        await watcher.read()
    assert (await open_page(relay)).playback == paused


async def test_the_list_changes_in_the_step_of_the_members_and_outlives_kill_9(start_relay, data_dir, peer_of, open_page):
    relay = start_relay(*WORDS, "--data", data_dir)
    watcher, page = await open_page(relay), await open_page(relay)
    await page.register("dev-1", name="Phone")
    await watcher.sees("Phone")
    assert watcher.ignored == ["sync:joined"]
    relay.kill()
    again = start_relay(*WORDS, "--data", data_dir, "--presence-grace", NEVER)
    assert (await open_page(again)).devices == watcher.devices
    again.kill()
    third = start_relay(*WORDS, "--data", data_dir, "--presence-grace", AT_ONCE)
    last = await open_page(third)
    await last.sees()
    assert listed(peer_of(third)) == []


@pytest.mark.parametrize("wrong", [{"id": "@dev-1"}, {"id": 5}, {"name": "Phone"}, {"id": "dev-1", "name": "x" * 2000}])
async def test_a_wrong_registration_makes_no_device_and_disturbs_nobody(start_relay, peer_of, open_page, wrong):
    relay = start_relay(*WORDS)
    page = await open_page(relay)
    await page.connection.send(json.dumps({"type": "device:register", **wrong}))
    await page.register("dev-1", name="Phone")
    await page.sees("Phone")
    assert len(listed(peer_of(relay))) == 1 and len(page.lists) == 1


async def test_members_of_the_info_that_the_list_has_itself_are_left_out_of_it(start_relay, peer_of, open_page):
    relay = start_relay(*WORDS)
    page = await open_page(relay)
    await page.register("dev-1", connected_at=1, name="Phone", last={"id": 2})
    await page.sees("Phone")
    assert page.devices[0]["id"] == "dev-1" and page.devices[0]["connected_at"] > 1_000_000
    assert page.devices[0]["last"] == {"id": 2}
