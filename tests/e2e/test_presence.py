"""Who is in a channel: comings and goings, the time to come back, and what is to happen when one has left."""

import asyncio

import pytest
import websockets

from deadline import until
from fold import MEMBER_EVENTS
from raw_client import CLOSE, TEXT, RawClient
from shell import Shell

NEVER, AT_ONCE = "1h", "0ms"
BELIEVING = ("--anonymous-identity", "--open-channels", "*", "--presence", "*")
PATIENT = (*BELIEVING, "--presence-grace", NEVER, "--presence-grace-closed", NEVER)
HASTY = (*BELIEVING, "--presence-grace", AT_ONCE, "--presence-grace-closed", AT_ONCE)
PHONE = {"name": "Phone"}


def people(peer, channel=""):
    return peer.confirm({"op": "members", "channel": channel})["members"]


def will(id, *commands, channel=""):
    return {"op": "will", "channel": channel, "id": id, "commands": list(commands)}


def put(key, value, **more):
    return {"op": "set", "key": key, "value": value, **more}


async def gone(relay, clients):
    await until(lambda: relay.health()["clients"] == clients, f"{clients} clients are left")


async def fence(peer, client, channel=""):
    """Returns the types of what came of the channel's members up to now, since the client's first message."""
    peer.confirm({"op": "broadcast", "channel": channel, "type": "fence"})
    await client.event("fence", channel)
    return [told.type for told in client.told if told.channel == channel and told.type in MEMBER_EVENTS]


def told_of(client, channel=""):
    return [told for told in client.told if told.channel == channel]


# Joined, changed, left

@pytest.mark.parametrize("channel", ["", "room:1"])
async def test_everybody_is_told_who_came_changed_and_left(start_relay, peer_of, follow, channel):
    relay = start_relay(*HASTY, "--shards", 3)
    watchers = [await follow(relay, channel) for _ in range(6)]
    phone = await follow(relay, channel, id="dev-1", info=PHONE)
    await phone.event("sync:joined", channel)
    assert (await phone.ask({"type": "sync:hello", "id": "dev-1", "info": {"name": "Tablet"}}))["type"] == "sync:ack"
    await phone.until(lambda m: m["type"] == "sync:changed")
    await phone.leave()
    for watcher in watchers:
        joined = await watcher.event("sync:joined", channel)
        changed = await watcher.event("sync:changed", channel)
        left = await watcher.event("sync:left", channel)
        since = joined["data"]["since"]
        assert joined["data"] == {"id": "dev-1", "info": PHONE, "since": since} and since == joined["ts"]
        assert changed["data"] == {"id": "dev-1", "info": {"name": "Tablet"}, "since": since}
        assert left["data"] == {"id": "dev-1"}
        assert watcher.channels[channel].people == {} == people(peer_of(relay), channel)
    assert len({tuple(told.message.text for told in watcher.told[1:]) for watcher in watchers}) == 1


async def test_a_member_is_in_the_snapshots_and_in_the_query(start_relay, peer_of, follow):
    relay = start_relay(*PATIENT)
    phone = await follow(relay, "", "room:1", id="dev-1", info=PHONE)
    await phone.event("sync:joined", "")
    await until(lambda: people(peer_of(relay), "room:1"), "it is a member")
    late = await follow(relay, "", "room:1", "room:2")
    for channel in ("", "room:1"):
        assert late.channels[channel].people == people(peer_of(relay), channel)
        assert late.channels[channel].people["dev-1"]["info"] == PHONE
    assert late.channels["room:2"].people == {} == people(peer_of(relay), "room:2") == people(peer_of(relay), "none")


async def test_who_says_nothing_of_itself_is_nobody_and_who_has_no_info_has_an_empty_one(start_relay, peer_of, follow):
    relay = start_relay(*PATIENT)
    watcher, plain = await follow(relay), await follow(relay, id="dev-1")
    assert (await watcher.event("sync:joined"))["data"]["info"] == {}
    assert await fence(peer_of(relay), watcher) == ["sync:joined"]
    assert list(people(peer_of(relay))) == ["dev-1"]
    assert "@dev-1" in plain.channels and plain.channels["@dev-1"].people is None


async def test_several_tabs_on_several_shards_are_one_member(start_relay, peer_of, follow):
    relay = start_relay(*HASTY, "--shards", 4)
    peer, watcher = peer_of(relay), await follow(relay)
    tabs = [await follow(relay, id="dev-1", info=PHONE) for _ in range(12)]
    for tab in tabs[:-1]:
        await tab.abort()
    await gone(relay, 2)
    assert await fence(peer, watcher) == ["sync:joined"]
    await tabs[-1].abort()
    await watcher.event("sync:left")
    assert people(peer) == {}


async def test_the_last_word_of_any_tab_is_the_info_whatever_shard_it_has(start_relay, peer_of, follow):
    relay = start_relay(*PATIENT, "--shards", 4)
    peer, watcher = peer_of(relay), await follow(relay)
    old = [await follow(relay, id="dev-1", info=PHONE) for _ in range(8)]
    await old[0].ask({"type": "sync:hello", "id": "dev-1", "info": {"name": "New"}})
    await watcher.event("sync:changed")
    for tab in old[1:]:  # each of them changes a shard's count
        await tab.abort()
    await gone(relay, 2)
    assert await fence(peer, watcher) == ["sync:joined", "sync:changed"]
    assert people(peer)["dev-1"]["info"] == {"name": "New"}


async def test_a_word_said_again_is_the_last_one_whatever_another_tab_said_meanwhile(start_relay, peer_of, follow):
    relay = start_relay(*PATIENT, "--shards", 2)
    tabs = [await follow(relay, id="dev-1") for _ in range(6)]
    for other in tabs[1:]:
        for tab, name in ((tabs[0], "A"), (other, "B"), (tabs[0], "A")):
            await tab.ask({"type": "sync:hello", "id": "dev-1", "info": {"name": name}})
            await until(lambda: people(peer_of(relay))["dev-1"]["info"] == {"name": name}, f"{name} is the last word")


async def test_hello_before_and_behind_a_subscription_make_a_member_and_unsubscribing_ends_it(
        start_relay, peer_of, follow):
    relay = start_relay(*BELIEVING, "--presence-grace", NEVER, "--presence-grace-closed", AT_ONCE)
    watcher = await follow(relay, "before", "behind")
    client = await follow(relay, "before")
    await client.hello("dev-1", info=PHONE)
    await client.subscribe("behind")
    for channel in ("before", "behind"):
        await watcher.event("sync:joined", channel)
    await client.unsubscribe("before")
    await watcher.event("sync:left", "before")
    assert people(peer_of(relay), "before") == {} and list(people(peer_of(relay), "behind")) == ["dev-1"]


async def test_another_id_is_refused_and_changes_no_member(start_relay, peer_of, follow):
    relay = start_relay(*PATIENT)
    watcher, client = await follow(relay), await follow(relay, id="dev-1")
    assert (await client.ask({"type": "sync:hello", "id": "dev-2"}))["code"] == "id_is_fixed"
    await watcher.event("sync:joined")
    assert await fence(peer_of(relay), watcher) == ["sync:joined"]


INFO = '{"a":1,"a":2,"\\u0061":"\\ud83e\\uddc0\\"","since":1,"x":{},",\\"since\\":":3, "spaced" : [ 1 , 2 ] }'
DEEP = '{"d":' + "[" * 500 + "]" * 500 + "}"
LONG = '{"l":"' + "x" * (1024 - 8) + '"}'


@pytest.mark.parametrize("id", ["a", "~-._:/" + "z" * 58])
@pytest.mark.parametrize("info", [INFO, DEEP, LONG, "{}"], ids=["odd", "deep", "long", "empty"])
async def test_any_info_arrives_byte_for_byte(start_relay, data_dir, peer_of, follow, id, info):
    relay = start_relay(*PATIENT, "--data", data_dir, "--members-key", "devices", "--members-event", "devices:updated")
    watcher, client = await follow(relay), await follow(relay)
    await client.say(f'{{"type":"sync:hello","id":"{id}","info":{info}}}')
    await watcher.event("sync:joined")
    joined = watcher.told[-1].message
    since = joined.text.split('"since":')[-1].split("}")[0]
    assert f'"data":{{"id":"{id}","info":{info},"since":{since}}}' in joined.text
    assert (await watcher.event("devices:updated"))["data"][0]["id"] == id
    relay.kill()
    again = start_relay(*PATIENT, "--data", data_dir)
    late = await follow(again)
    assert f'"members":{{"{id}":{{"info":{info},"since":{since}}}}}' in late.told[0].message.text


# The time to come back

@pytest.mark.parametrize("how", ["abort", "leave"])
@pytest.mark.parametrize("lost, closed", [(AT_ONCE, NEVER), (NEVER, AT_ONCE)])
async def test_a_clean_and_an_unclean_end_have_each_its_own_grace(start_relay, peer_of, follow, how, lost, closed):
    relay = start_relay(*BELIEVING, "--presence-grace", lost, "--presence-grace-closed", closed)
    watcher, client = await follow(relay), await follow(relay, id="dev-1")
    await watcher.event("sync:joined")
    await getattr(client, how)()
    await gone(relay, 1)
    if (lost if how == "abort" else closed) == AT_ONCE:
        await watcher.event("sync:left")
    else:
        assert await fence(peer_of(relay), watcher) == ["sync:joined"]


@pytest.mark.parametrize("code", [1000, 1001])
async def test_both_codes_that_say_farewell_are_clean_and_others_are_not(start_relay, peer_of, follow, code):
    relay = start_relay(*BELIEVING, "--presence-grace", NEVER, "--presence-grace-closed", AT_ONCE)
    watcher = await follow(relay)
    clean, unclean = await follow(relay, id="clean"), await follow(relay, id="unclean")
    await until(lambda: len(people(peer_of(relay))) == 2, "both are members")
    await unclean.connection.close(3000)
    await gone(relay, 2)
    await clean.connection.close(code)
    assert (await watcher.event("sync:left"))["data"]["id"] == "clean"
    assert list(people(peer_of(relay))) == ["unclean"]


async def test_a_close_frame_without_a_code_is_a_farewell(start_relay, peer_of, follow):
    """What a script's close() sends."""
    relay = start_relay(*BELIEVING, "--presence-grace", NEVER, "--presence-grace-closed", AT_ONCE)
    watcher = await follow(relay)
    with RawClient(relay.port).upgrade() as client:
        client.send_frame(TEXT, b'{"type":"sync:hello","id":"dev-1"}')
        await watcher.event("sync:joined")
        client.send_frame(CLOSE)
        assert (await watcher.event("sync:left"))["data"]["id"] == "dev-1"
    assert relay.metrics().value("clients_closed_total", code="1005", reason="client_closed") == 1


async def test_a_clean_end_with_another_tab_open_shortens_nothing(start_relay, peer_of, follow):
    relay = start_relay(*BELIEVING, "--presence-grace", NEVER, "--presence-grace-closed", AT_ONCE, "--shards", 2)
    watcher = await follow(relay)
    tabs = [await follow(relay, id="dev-1") for _ in range(4)]
    for tab in tabs[:-1]:
        await tab.leave()
    await gone(relay, 2)
    assert await fence(peer_of(relay), watcher) == ["sync:joined"]  # and the relay has heard of those that left
    await tabs[-1].abort()
    await gone(relay, 1)
    assert await fence(peer_of(relay), watcher) == ["sync:joined"]


async def test_grace_lasts_as_long_as_it_is_said(start_relay, follow):
    relay = start_relay(*BELIEVING, "--presence-grace", "400ms")
    watcher, client = await follow(relay), await follow(relay, id="dev-1")
    await watcher.event("sync:joined")
    marker = (await ask_ts(relay, follow))
    await client.abort()
    assert (await watcher.event("sync:left"))["ts"] >= marker + 0.39


async def ask_ts(relay, follow):
    """The relay's clock."""
    return (await follow(relay, "clock")).told[0].body["ts"]


@pytest.mark.parametrize("how", ["abort", "leave"])
async def test_a_return_within_grace_changes_nothing(start_relay, peer_of, follow, how):
    relay = start_relay(*PATIENT, "--shards", 3)
    peer, watcher = peer_of(relay), await follow(relay)
    for _ in range(6):
        client = await follow(relay, id="dev-1", info=PHONE)
        await until(lambda: people(peer), "it is a member")
        await getattr(client, how)()
        await gone(relay, 1)
    await follow(relay, id="dev-1", info=PHONE)
    assert await fence(peer, watcher) == ["sync:joined"]


async def test_who_comes_back_as_another_one_has_changed_and_who_left_joins_again(start_relay, peer_of, follow):
    relay = start_relay(*BELIEVING, "--presence-grace", NEVER, "--presence-grace-closed", AT_ONCE)
    watcher, client = await follow(relay), await follow(relay, id="dev-1", info=PHONE)
    first = (await watcher.event("sync:joined"))["data"]["since"]
    await client.abort()
    await gone(relay, 1)
    back = await follow(relay, id="dev-1", info={"name": "Tablet"})
    assert (await watcher.event("sync:changed"))["data"]["since"] == first
    await back.leave()
    await watcher.event("sync:left")
    await follow(relay, id="dev-1", info=PHONE)
    assert (await watcher.event("sync:joined"))["data"]["since"] > first


# Snapshot and events

async def test_a_resume_across_comings_and_goings_gets_each_of_them(start_relay, peer_of, follow):
    relay = start_relay(*HASTY)
    peer, watcher = peer_of(relay), await follow(relay, "room:1")
    history = watcher.channels["room:1"]
    await watcher.abort()
    phone = await follow(relay, "room:1", id="dev-1", info=PHONE)
    await phone.event("sync:joined")
    tablet = await follow(relay, "room:1", id="dev-2")
    await phone.event("sync:joined")
    await tablet.leave()
    await phone.event("sync:left")
    back = await follow(relay, watcher.position("room:1"))
    assert back.told[0].type == "sync:resume"
    back.channels["room:1"].people = history.people
    assert await fence(peer, back, "room:1") == ["sync:joined", "sync:joined", "sync:left"]
    assert back.channels["room:1"].people == people(peer, "room:1") and list(people(peer, "room:1")) == ["dev-1"]


async def test_members_outlive_kill_9_and_come_back_without_events(start_relay, data_dir, peer_of, follow):
    how = (*PATIENT, "--data", data_dir)
    relay = start_relay(*how)
    watcher = await follow(relay)
    for name in ("dev-1", "dev-2"):
        await follow(relay, id=name, info=PHONE)
        await watcher.event("sync:joined")
    before = people(peer_of(relay))
    relay.kill()
    again = start_relay(*how)
    assert people(peer_of(again)) == before and set(before) == {"dev-1", "dev-2"}
    back = await follow(again, watcher.position(""))
    assert back.told[0].type == "sync:resume"
    for name in ("dev-1", "dev-2"):
        await follow(again, id=name, info=PHONE)
    assert await fence(peer_of(again), back) == [] and people(peer_of(again)) == before


async def test_who_does_not_come_back_after_kill_9_has_left(start_relay, data_dir, peer_of, follow):
    relay = start_relay(*PATIENT, "--data", data_dir)
    watcher = await follow(relay)
    for name in ("dev-1", "dev-2"):
        await follow(relay, id=name)
        await watcher.event("sync:joined")
    relay.kill()
    again = start_relay(*BELIEVING, "--data", data_dir, "--presence-grace", "100ms")
    back = await follow(again, watcher.position(""))
    back.channels[""].people = watcher.channels[""].people
    assert {(await back.event("sync:left"))["data"]["id"] for _ in range(2)} == {"dev-1", "dev-2"}
    assert back.channels[""].people == {} == people(peer_of(again))


# Wills

@pytest.fixture
async def mortal(start_relay, peer_of, follow):
    """relay, peer, a watcher and a member dev-1 that leaves when its connection takes leave, never when it is lost."""
    relay = start_relay(*BELIEVING, "--presence-grace", NEVER, "--presence-grace-closed", AT_ONCE)
    watcher, client = await follow(relay), await follow(relay, id="dev-1")
    await watcher.event("sync:joined")
    return relay, peer_of(relay), watcher, client


async def test_a_will_is_applied_once_in_the_step_of_the_leave(mortal, follow):
    relay, peer, watcher, client = mortal
    peer.confirm(put("playing", True))
    peer.confirm(will("dev-1", put("playing", False), {"op": "broadcast", "type": "paused", "data": 1},
                      put("quiet", 1, notify=False)))
    await client.leave()
    left = await watcher.event("sync:left")
    first, second = await watcher.next(), await watcher.next()
    assert (first["type"], first["data"], first["seq"]) == ("sync:set", {"playing": False}, left["seq"] + 1)
    assert (second["type"], second["data"], second["seq"]) == ("paused", 1, left["seq"] + 2)
    again = await follow(relay, id="dev-1")
    await watcher.event("sync:joined")
    await again.leave()
    await watcher.event("sync:left")
    await fence(peer, watcher)
    assert [told.type for told in watcher.told].count("paused") == 1
    assert peer.confirm({"op": "state"})["state"]["quiet"] == 1
    assert relay.metrics().value("wills_total", outcome="applied") == 1


async def test_a_will_is_replaced_and_taken_back(mortal, follow):
    relay, peer, watcher, client = mortal
    other = await follow(relay, id="dev-2")
    await watcher.event("sync:joined")
    for name in ("dev-1", "dev-2"):
        peer.confirm(will(name, put(f"{name}:old", 1)))
    peer.confirm(will("dev-1", put("dev-1:new", 1)))
    peer.confirm(will("dev-2"))
    for one in (client, other):
        await one.leave()
        await watcher.event("sync:left")
    await fence(peer, watcher)
    assert set(peer.confirm({"op": "state"})["state"]) == {"comparison", "radio", "dev-1:new"}


async def test_a_will_of_who_is_not_there_is_refused(mortal):
    relay, peer, watcher, client = mortal
    assert peer.ask(will("dev-2", put("k", 1)))["error"]["code"] == "no_such_member"
    assert peer.ask(will("dev-1", put("k", 1), channel="room:1"))["error"]["code"] == "no_such_member"
    assert peer.ask(will("dev-1", *[put("k", 1)] * 17))["error"]["code"] == "invalid_batch"
    await client.leave()
    await watcher.event("sync:left")
    assert peer.ask(will("dev-1", put("k", 1)))["error"]["code"] == "no_such_member"


async def test_a_will_is_not_applied_for_who_comes_back(mortal, follow):
    relay, peer, watcher, client = mortal
    peer.confirm(will("dev-1", put("k", 1)))
    await client.abort()
    await gone(relay, 1)
    back = await follow(relay, id="dev-1")
    assert await fence(peer, watcher) == ["sync:joined"]
    assert "k" not in peer.confirm({"op": "state"})["state"]
    await back.leave()
    await watcher.event("sync:left")
    await fence(peer, watcher)
    assert watcher.state("")["k"] == 1


async def test_a_will_that_is_refused_when_its_time_comes_changes_nothing_and_the_member_has_left(mortal):
    relay, peer, watcher, client = mortal
    peer.confirm(put("lock", 1))
    peer.confirm(will("dev-1", put("k", 1), put("lock", 2, **{"if": {"lock": 0}})))
    await client.leave()
    left = await watcher.event("sync:left")
    assert await fence(peer, watcher) == ["sync:joined", "sync:left"]
    assert watcher.channels[""].seq == left["seq"] + 1 and "k" not in peer.confirm({"op": "state"})["state"]
    assert relay.metrics().value("wills_total", outcome="refused") == 1


async def test_a_will_outlives_kill_9(start_relay, data_dir, peer_of, follow):
    relay = start_relay(*PATIENT, "--data", data_dir)
    watcher, _ = await follow(relay), await follow(relay, id="dev-1")
    await watcher.event("sync:joined")
    peer_of(relay).confirm(will("dev-1", put("old", 1)))
    peer_of(relay).confirm(will("dev-1", put("k", 1)))
    relay.kill()
    again = start_relay(*BELIEVING, "--data", data_dir, "--presence-grace", AT_ONCE)
    await until(lambda: "k" in peer_of(again).confirm({"op": "state"})["state"], "the will is applied")
    assert people(peer_of(again)) == {} and "old" not in peer_of(again).confirm({"op": "state"})["state"]
    again.kill()
    third = start_relay(*BELIEVING, "--data", data_dir)
    assert third.metrics().value("wills_total", outcome="applied") == 0


async def test_a_will_may_drop_its_own_channel(start_relay, peer_of, follow):
    relay = start_relay(*HASTY)
    watcher = await follow(relay, "room:1")
    client = await follow(relay, "room:1", id="dev-1")
    await watcher.event("sync:joined")
    peer_of(relay).confirm(will("dev-1", {"op": "drop", "channel": "room:1"}, put("after", 1, channel="room:1"),
                                channel="room:1"))
    await client.leave()
    await watcher.event("sync:left", "room:1")
    await watcher.event("sync:unsubscribed", "room:1")
    await watcher.subscribe("room:1")
    assert watcher.state("room:1") == {"after": 1} and watcher.channels["room:1"].people == {}


# Drop, bounds, disconnect

async def test_a_drop_takes_the_members_and_their_wills(start_relay, peer_of, follow):
    relay = start_relay(*HASTY)
    peer, client = peer_of(relay), await follow(relay, "room:1", id="dev-1", info=PHONE)
    await client.event("sync:joined", "room:1")
    peer.confirm(will("dev-1", put("k", 1), channel="room:1"))
    peer.confirm({"op": "drop", "channel": "room:1"})
    await client.event("sync:unsubscribed", "room:1")
    assert people(peer, "room:1") == {}
    await client.subscribe("room:1")
    await until(lambda: people(peer, "room:1").get("dev-1", {}).get("info") == PHONE, "it has arrived again")
    await client.leave()
    await until(lambda: people(peer, "room:1") == {}, "it has left")
    assert "k" not in peer.confirm({"op": "state"})["state"]
    await until(lambda: relay.metrics().value("members") == 0, "nobody is left")


async def test_max_members_refuses_and_takes_in_when_there_is_room(start_relay, peer_of, follow):
    relay = start_relay(*HASTY, "--max-members", 2)
    peer, watcher = peer_of(relay), await follow(relay)
    clients = {}
    for number in range(4):
        clients[f"dev-{number}"] = await follow(relay, id=f"dev-{number}")
        if number < 2:
            await watcher.event("sync:joined")
    refused = lambda: relay.metrics().value("members_refused_total")
    await until(lambda: refused() == 2, "two found no room")
    assert set(people(peer)) == {"dev-0", "dev-1"}
    await clients["dev-0"].leave()
    assert (await watcher.event("sync:left"))["data"]["id"] == "dev-0"
    assert (await watcher.event("sync:joined"))["data"]["id"] in ("dev-2", "dev-3")
    assert len(people(peer)) == 2 and refused() == 2


async def test_a_disconnect_is_an_unclean_leave_as_far_as_grace_goes(start_relay, peer_of, follow):
    relay = start_relay(*BELIEVING, "--presence-grace", AT_ONCE, "--presence-grace-closed", NEVER, "--shards", 2)
    watcher = await follow(relay)
    tabs = [await follow(relay, id="dev-1") for _ in range(3)]
    assert peer_of(relay).confirm({"op": "disconnect", "id": "dev-1"})["closed"] == 3
    for tab in tabs:
        with pytest.raises(websockets.ConnectionClosed):
            while True:
                await tab.next()
    await watcher.event("sync:left")
    assert people(peer_of(relay)) == {}


async def test_the_members_query_is_for_a_channels_name_only(start_relay, peer_of):
    peer = peer_of(start_relay(*PATIENT))
    assert people(peer) == {}
    assert peer.ask({"op": "members", "channel": "!"})["error"]["code"] == "invalid_channel"
    assert peer.ask({"op": "members", "id": 1})["error"]["code"] in ("unknown_member", "wrong_type")


async def test_who_asks_for_members_where_none_are_kept_is_told_so(start_relay, peer_of):
    relay = start_relay("--presence", "room:*", "--presence", "", "--open-channels", "*")
    peer, shell = peer_of(relay), Shell(relay.runtime_dir)
    members = lambda **where: {k: v for k, v in peer.confirm({"op": "members", **where}).items() if k in ("members", "kept")}
    assert members(channel="room:1") == members() == {"members": {}}
    assert members(channel="news") == members(channel="@dev-1") == {"members": {}, "kept": False}
    none = "syncrelay: news keeps no members: the relay's --presence does not name it\n"
    ended = shell.run("members", "--channel", "news")
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "{}\n", none)
    assert shell.on_terminal("members", "--channel", "news") == (0, none)
    assert shell.run("members", "--channel", "room:1").stderr == ""
    assert shell.on_terminal("members", "--channel", "room:1") == (0, "room:1 has no members\n")
    assert shell.on_terminal("members") == (0, "the default channel has no members\n")


async def test_the_default_channels_list_of_members_keeps_them_as_well(start_relay, peer_of):
    answer = peer_of(start_relay("--members-key", "devices")).confirm({"op": "members"})
    assert answer["members"] == {} and "kept" not in answer


async def test_a_member_of_a_hundred_channels_is_in_each_and_leaves_each(start_relay, peer_of, follow):
    relay = start_relay(*HASTY)
    names = [f"room:{number}" for number in range(100)]
    watcher = await follow(relay, *names)
    client = await follow(relay, *names, id="dev-1")
    for name in names:
        await until(lambda: people(peer_of(relay), name), f"in {name}")
    await client.abort()
    await asyncio.wait_for(reads_lefts(watcher, len(names)), 10)
    assert all(watcher.channels[name].people == {} for name in names)


async def reads_lefts(watcher, count):
    while count:
        count -= (await watcher.next())["type"] == "sync:left"


async def test_commands_are_taken_while_many_wills_are_applied(start_relay, peer_of, follow):
    relay = start_relay(*HASTY)
    peer = peer_of(relay)
    watcher = await follow(relay, "", id="watcher")
    clients = [await follow(relay, "", id=f"dev-{number}") for number in range(40)]
    await until(lambda: len(people(peer)) == 41, "all are members")
    rooms = [f"room:{number}" for number in range(200)]
    loud = [{"op": "broadcast", "type": "gone", "channels": rooms} for _ in range(16)]
    for number in range(40):
        peer.confirm(will(f"dev-{number}", *loud))
    for client in clients:
        await client.abort()
    counts = []
    await until(lambda: counts.append(len(people(peer))) or counts[-1] == 1, "all have left")
    assert {count for count in counts if 1 < count < 41}, "somebody was heard in the middle"
    await watcher.leave()
