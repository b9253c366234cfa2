/** How a channel ends: left, refused, dropped, or not to be believed; and that what comes after it is none of the next. */

import { expect, test } from "vitest";
import { ChannelRefusedError } from "../../src/error.js";
import { witness } from "../fakes/channel_witness.js";
import { playLive, reconnect } from "../fakes/played_client.js";
import {
  dropped,
  EPOCH,
  inChannel,
  refused,
  resume,
  unsubscribed,
} from "../fakes/relay_message.js";
import { playRoom, ROOM, roomEvent, roomSnapshot, SUBSCRIBE, UNSUBSCRIBE } from "../fakes/room.js";

test("what still comes of a channel that was left is ignored, and after the answer it is forgotten", () => {
  const { world, room } = playRoom();
  room.stop();
  world.advance(0);
  world.socket.tell(roomEvent(8), roomEvent(9), unsubscribed(ROOM), roomEvent(99));
  expect(world.errors).toEqual([]);
  expect(room.channel.state).toEqual({});
});

test("messages of an earlier time do not reach the new one", () => {
  const { world, client, room } = playRoom();
  room.stop();
  world.advance(0);
  const next = witness(client, ROOM);
  expect(world.socket.said).toEqual([SUBSCRIBE, UNSUBSCRIBE, SUBSCRIBE]);
  world.socket.tell(roomEvent(8, "sync:set", { radio: "old" }), roomEvent(9));
  expect(next.channel.status).toBe("connecting");
  expect(next.channel.state).toEqual({});
  world.socket.tell(unsubscribed(ROOM), roomSnapshot(9, { radio: "new" }), roomEvent(10));
  expect(next.states).toEqual([{ radio: "new" }]);
  expect(next.seqs).toEqual([10]);
  expect(next.skips).toEqual([]);
  expect(world.errors).toEqual([]);
});

test("each farewell has its answer, however often it comes and goes", () => {
  const { world, client } = playLive();
  for (let count = 0; count < 3; count += 1) {
    witness(client, ROOM).stop();
    world.advance(0);
  }
  const last = witness(client, ROOM);
  for (let count = 0; count < 3; count += 1) {
    world.socket.tell(roomSnapshot(count, { radio: count }), roomEvent(count + 1));
    expect(last.channel.state).toEqual({});
    world.socket.tell(unsubscribed(ROOM));
  }
  world.socket.tell(roomSnapshot(20, { radio: "mine" }));
  expect(last.states).toEqual([{ radio: "mine" }]);
});

test.each([
  ["a refusal", refused(ROOM)],
  ["a drop", dropped(ROOM)],
])("%s of an earlier time is none of the new one", (_, message) => {
  const { world, client } = playLive();
  witness(client, ROOM).stop();
  world.advance(0);
  const next = witness(client, ROOM);
  world.socket.tell(message, unsubscribed(ROOM));
  expect(next.channel.status).toBe("connecting");
  world.socket.tell(roomSnapshot(3));
  expect(next.channel.status).toBe("live");
  expect(next.drops).toEqual([]);
  expect(world.socket.said).toEqual([SUBSCRIBE, UNSUBSCRIBE, SUBSCRIBE]);
  expect(world.errors).toEqual([]);
});

test("a farewell that a lost connection did not answer is not waited for", () => {
  const played = playRoom();
  played.room.stop();
  played.world.advance(0);
  const next = witness(played.client, ROOM);
  reconnect(played);
  expect(played.world.socket.channels).toEqual(["", ROOM]);
  played.world.socket.tell(resume(41, 41), roomSnapshot(9, { radio: 2 }));
  expect(next.channel.state).toEqual({ radio: 2 });
});

test("a refusal reaches the caller, and is not asked again while somebody follows", () => {
  const { world, client, statuses } = playLive();
  const room = witness(client, ROOM);
  world.socket.tell(refused(ROOM, "forbidden", "not one of the open channels"));
  expect(room.statuses).toEqual(["refused"]);
  const error = new ChannelRefusedError(ROOM, "forbidden", "not one of the open channels");
  expect(room.channel.error).toEqual(error);
  expect(world.errors).toEqual([error]);
  room.channel.onChange(() => {});
  reconnect({ ...playLive(), world, client });
  expect(world.socket.channels).toEqual([]);
  world.socket.tell(resume(41, 41));
  expect(world.socket.said).toEqual([]);
  expect(room.channel.status).toBe("refused");
  expect(statuses).toEqual(["live", "offline", "resuming", "live"]);
});

test("a refusal of what is followed changes nothing", () => {
  const { world, room } = playRoom();
  world.socket.tell(refused(ROOM, "already_subscribed"), roomEvent(8));
  expect(room.statuses).toEqual(["live"]);
  expect(room.seqs).toEqual([8]);
  expect(world.errors).toEqual([]);
});

test("retry() asks again for what was refused, and for nothing else", () => {
  const { world, client } = playLive();
  const room = witness(client, ROOM);
  room.channel.retry();
  world.socket.tell(refused(ROOM, "channels_full"));
  expect(world.socket.said).toEqual([SUBSCRIBE]);
  room.channel.retry();
  expect(world.socket.said).toEqual([SUBSCRIBE]);
  expect(room.channel.error).toBeNull();
  world.socket.tell(roomSnapshot(0));
  room.channel.retry();
  expect(world.socket.said).toEqual([]);
  expect(room.statuses).toEqual(["refused", "connecting", "live"]);
});

test("once all who followed it have gone, the next asks again for what was refused", () => {
  const { world, client } = playLive();
  const room = witness(client, ROOM);
  world.socket.tell(refused(ROOM));
  room.stop();
  world.advance(0);
  expect(world.socket.said).toEqual([SUBSCRIBE]);
  expect(room.channel.error).toBeNull();
  witness(client, ROOM);
  expect(world.socket.said).toEqual([SUBSCRIBE]);
});

test.each(["a b", "ü", "a,b", "a".repeat(129)])(
  "%j is no name, which the relay is not asked",
  (name) => {
    const { world, client } = playLive();
    const room = witness(client, name);
    expect(room.channel.status).toBe("refused");
    expect(room.statuses).toEqual([]);
    world.advance(0);
    expect(room.statuses).toEqual(["refused"]);
    expect(room.channel.error).toMatchObject({ code: "invalid_channel", channel: name });
    room.channel.retry();
    room.stop();
    world.advance(0);
    expect(world.socket.said).toEqual([]);
    expect(world.errors).toHaveLength(1);
  },
);

test("a dropped channel has no state, says so, and is asked for again", () => {
  const { world, room } = playRoom();
  const seen: unknown[] = [];
  room.channel.onDropped(() => seen.push(room.channel.state, room.channel.position));
  world.socket.tell(dropped(ROOM, { skipped: 3 }));
  expect(room.drops).toEqual([{ skipped: 3 }]);
  expect(seen).toEqual([{}, null]);
  expect(room.keys.at(-1)).toEqual(["radio", undefined]);
  expect(room.states.at(-1)).toEqual({});
  expect(world.socket.said).toEqual([SUBSCRIBE, SUBSCRIBE]);
  world.socket.tell(roomSnapshot(9, { radio: "anew" }), roomEvent(10));
  expect(room.channel.state).toEqual({ radio: "anew" });
  expect(room.statuses).toEqual(["live", "connecting", "live"]);
  expect(room.skips).toEqual([]);
  expect(room.seqs).toEqual([10]);
});

test("a listener that leaves when it hears of the drop is not subscribed again", () => {
  const { world, room } = playRoom();
  const stop = room.channel.onDropped(() => {
    room.stop();
    stop();
  });
  world.socket.tell(dropped(ROOM));
  world.advance(0);
  expect(world.socket.said).toEqual([SUBSCRIBE]);
  expect(room.channel.status).toBe("idle");
});

test("a channel that was dropped while nobody could hear it begins anew", () => {
  const played = playRoom();
  reconnect(played);
  expect(played.world.socket.channels).toEqual(["", `${ROOM},${EPOCH},7`]);
  played.world.socket.tell(resume(41, 41), roomSnapshot(2, {}, { epoch: "other" }));
  expect(played.room.skips).toMatchObject([{ events: null }]);
  expect(played.room.channel.state).toEqual({});
});

test("an end that nobody asked for is not believed", () => {
  const { world } = playRoom();
  world.socket.tell(unsubscribed(ROOM));
  expect(String(world.errors[0])).toContain('an end of "room:42" that nobody asked for');
  expect(world.socket.closed).toEqual({ code: 4000, reason: "broken message" });
});

test("what a channel skips is told there only", () => {
  const { world, room, skips } = playRoom();
  world.socket.tell(roomSnapshot(90, {}, { skipped: 83 }));
  expect(room.skips).toMatchObject([{ events: 83, from: { seq: 7 }, to: { seq: 90 } }]);
  expect(skips).toEqual([]);
});

test.each([
  ["a gap", roomEvent(9), "event 9 came in place of 8"],
  ["an event twice", roomEvent(7), "event 7 came in place of 8"],
  ["a resume in the middle", inChannel(ROOM, resume(7, 7)), "not asked for"],
])(
  "after %s in a channel that one starts over from a snapshot, and others resume",
  (_, broken, text) => {
    const played = playRoom();
    const { world, room } = played;
    world.socket.tell(broken);
    expect(String(world.errors[0])).toContain(text);
    world.advance(world.pendingDelay ?? 0);
    expect(world.socket.parameters).toMatchObject({ epoch: EPOCH, seq: "41" });
    expect(world.socket.channels).toEqual(["", ROOM]);
    world.socket.accept().tell(resume(41, 41), roomSnapshot(12, { radio: 1 }), roomEvent(13));
    expect(room.seqs).toEqual([13]);
    expect(room.skips).toMatchObject([{ events: 5 }]);
    expect(room.statuses).toEqual(["live", "offline", "resuming", "live"]);
  },
);

test("after a message that cannot be read all start over", () => {
  const played = playRoom();
  played.world.socket.tell("{");
  played.world.advance(played.world.pendingDelay ?? 0);
  expect(played.world.socket.parameters).toEqual({ heartbeat: "10", channel: ROOM });
  expect(played.world.socket.channels).toEqual(["", ROOM]);
});

test("what was refused for want of a place is asked for again once this client has given one up", () => {
  const { world, client, room } = playRoom();
  const ask = { type: "sync:subscribe", channel: "room:2" };
  room.stop();
  const other = witness(client, "room:2");
  world.advance(0);
  expect(world.socket.said).toEqual([SUBSCRIBE, ask, UNSUBSCRIBE]);
  world.socket.tell(refused("room:2", "too_many_subscriptions"), unsubscribed(ROOM));
  expect(world.socket.said).toEqual([ask]);
  expect([other.channel.status, world.errors]).toEqual(["connecting", []]);
  world.socket.tell(refused("room:2", "too_many_subscriptions"));
  expect(other.channel.status).toBe("refused");
  expect(world.errors).toHaveLength(1);
});
