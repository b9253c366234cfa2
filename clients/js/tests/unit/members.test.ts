/** Who is in a channel: the members of its snapshot, and all that come, change and go. */

import { expect, test } from "vitest";
import { listOf, type Members } from "../../src/members.js";
import { playLive, reconnect } from "../fakes/played_client.js";
import { dropped, event, inChannel, member, resume, snapshot } from "../fakes/relay_message.js";
import { playRoom, ROOM, roomEvent, roomSnapshot } from "../fakes/room.js";

const ANN = member({ name: "Ann" }, 1.5);
const BOB = member({ name: "Bob" }, 2.5);

/** A room with Ann in it, and all that is told of its members. */
function playMembers() {
  const played = playRoom();
  const channel = played.client.channel(ROOM);
  const heard: Members[] = [];
  channel.onMembers((members) => heard.push(members as unknown as Members));
  played.world.socket.tell(roomSnapshot(20, { radio: 1 }, { members: { ann: ANN } }));
  return { ...played, channel, heard };
}

test("members are those of the snapshot and of all that follows", () => {
  const { world, channel, heard } = playMembers();
  expect(channel.members).toEqual({ ann: ANN });
  world.socket.tell(roomEvent(21, "sync:joined", { id: "bob", ...BOB }));
  expect(channel.members).toEqual({ ann: ANN, bob: BOB });
  const renamed = member({ name: "Anna" }, 1.5);
  world.socket.tell(roomEvent(22, "sync:changed", { id: "ann", ...renamed }));
  world.socket.tell(roomEvent(23, "sync:left", { id: "bob" }));
  expect(channel.members).toEqual({ ann: renamed });
  expect(heard).toEqual([
    { ann: ANN },
    { ann: ANN, bob: BOB },
    { ann: renamed, bob: BOB },
    { ann: renamed },
  ]);
  expect(channel.state).toEqual({ radio: 1 });
});

test("events of members are events like any other, told when the members are right", () => {
  const { world, channel } = playMembers();
  const heard: unknown[] = [];
  channel.on("sync:joined", (data, { seq }) => heard.push([data, seq, channel.members]));
  world.socket.tell(roomEvent(21, "sync:joined", { id: "bob", ...BOB }));
  expect(heard).toEqual([[{ id: "bob", ...BOB }, 21, { ann: ANN, bob: BOB }]]);
});

test("the state's listeners hear nothing of members, and the other way round", () => {
  const { world, heard, room } = playMembers();
  room.states.length = 0;
  heard.length = 0;
  world.socket.tell(roomEvent(21, "sync:joined", { id: "bob", ...BOB }));
  expect([room.states, heard.length]).toEqual([[], 1]);
  world.socket.tell(roomEvent(22, "sync:set", { radio: 2 }));
  expect([room.states.length, heard.length]).toEqual([1, 1]);
});

test("the default channel has members, too", () => {
  const { world, client } = playLive();
  world.socket.tell(snapshot(50, {}, { members: { ann: ANN } } as object));
  const heard: unknown[] = [];
  client.onMembers((members) => heard.push(members));
  world.socket.tell(event(51, "sync:left", { id: "ann" }));
  expect([client.members, heard]).toEqual([{}, [{}]]);
});

test("where the relay keeps none there are none", () => {
  const { client } = playLive();
  expect(client.members).toEqual({});
  expect(client.channel("nobody:follows").members).toEqual({});
});

test("what is the same stays the same object, through events and snapshots", () => {
  const { world, channel } = playMembers();
  const before = channel.members;
  world.socket.tell(roomEvent(21, "tick"), roomEvent(22, "sync:set", { radio: 2 }));
  world.socket.tell(roomEvent(23, "sync:changed", { id: "ann", ...ANN }));
  world.socket.tell(roomSnapshot(40, {}, { members: { ann: { ...ANN } } }));
  expect(channel.members).toBe(before);
  world.socket.tell(roomEvent(41, "sync:joined", { id: "bob", ...BOB }));
  expect(channel.members).not.toBe(before);
  expect(channel.members.ann).toBe(before.ann);
  expect(Object.isFrozen(channel.members)).toBe(true);
});

test("a snapshot that shows others replaces them all, and is told once", () => {
  const { world, channel, heard } = playMembers();
  world.socket.tell(roomSnapshot(40, {}, { members: { bob: BOB } }));
  expect(channel.members).toEqual({ bob: BOB });
  expect(heard).toHaveLength(2);
});

test("a state listener sees the members of the same snapshot", () => {
  const { world, channel } = playMembers();
  const seen: unknown[] = [];
  channel.onChange(() => seen.push(channel.members));
  world.socket.tell(roomSnapshot(40, { radio: 9 }, { members: { bob: BOB } }));
  expect(seen).toEqual([{ bob: BOB }]);
});

test("an outage keeps the last ones, and the resume brings what happened", () => {
  const played = playMembers();
  const { world, channel } = played;
  world.socket.end();
  expect(channel.members).toEqual({ ann: ANN });
  reconnect(played);
  world.socket.tell(resume(41, 41), inChannel(ROOM, resume(20, 21)));
  world.socket.tell(roomEvent(21, "sync:left", { id: "ann" }));
  expect(channel.members).toEqual({});
});

test("a dropped channel has no members, and says so once", () => {
  const { world, channel, heard } = playMembers();
  world.socket.tell(dropped(ROOM));
  expect(channel.members).toEqual({});
  expect(heard.at(-1)).toEqual({});
  expect(heard).toHaveLength(2);
});

test("a channel that nobody follows has none", () => {
  const { world, client } = playLive();
  const stop = client.channel(ROOM).follow();
  world.socket.tell(roomSnapshot(20, {}, { members: { ann: ANN } }));
  expect(client.channel(ROOM).members).toEqual({ ann: ANN });
  stop();
  world.advance(0);
  expect(client.channel(ROOM).members).toEqual({});
});

test("someone by the name of __proto__ is someone like any other", () => {
  const { world, channel } = playMembers();
  world.socket.tell(roomEvent(21, "sync:joined", { id: "__proto__", ...BOB }));
  expect(Object.keys(channel.members)).toEqual(["ann", "__proto__"]);
  world.socket.tell(roomEvent(22, "sync:left", { id: "__proto__" }));
  expect(Object.keys(channel.members)).toEqual(["ann"]);
});

test("a published event says who it is from", () => {
  const { world, channel } = playMembers();
  const heard: unknown[] = [];
  channel.on("moved", (data, { from }) => heard.push([data, from]));
  world.socket.tell(roomEvent(21, "moved", 1, { from: "ann" }), roomEvent(22, "moved", 2));
  expect(heard).toEqual([
    [1, "ann"],
    [2, undefined],
  ]);
});

test("the list is in the order of arrival, and stays the same one", () => {
  const members = {
    zoe: { info: {}, since: 1 },
    bob: { info: {}, since: 2 },
    ann: { info: {}, since: 2 },
  };
  const list = listOf(members);
  expect(list.map(({ id }) => id)).toEqual(["zoe", "ann", "bob"]);
  expect(listOf(members)).toBe(list);
  const more = listOf({ ...members, eve: { info: {}, since: 0 } });
  expect(more.map(({ id }) => id)).toEqual(["eve", "zoe", "ann", "bob"]);
  expect(more[1]).toBe(list[0]);
});
