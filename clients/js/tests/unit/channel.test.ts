/** A channel has a state and events of its own, for as long as somebody follows it. */

import { expect, test } from "vitest";
import { witness } from "../fakes/channel_witness.js";
import { play, playLive } from "../fakes/played_client.js";
import { dropped, EPOCH, event, refused, snapshot, unsubscribed } from "../fakes/relay_message.js";
import { playRoom, ROOM, roomEvent, roomSnapshot, SUBSCRIBE, UNSUBSCRIBE } from "../fakes/room.js";

test("the first listener follows it, and others change nothing", () => {
  const { world, client } = playLive();
  const channel = client.channel(ROOM);
  expect(channel.status).toBe("idle");
  expect(world.socket.said).toEqual([]);
  channel.onChange(() => {});
  expect(world.socket.said).toEqual([SUBSCRIBE]);
  expect(channel.status).toBe("connecting");
  channel.on("tick", () => {});
  channel.onState("radio", () => {});
  expect(world.socket.said).toEqual([]);
});

test("to read it follows nothing", () => {
  const { world, client } = playLive();
  const { state, position, error } = client.channel(ROOM);
  expect([state, position, error]).toEqual([{}, null, null]);
  expect(client.channel(ROOM).get("radio")).toBeUndefined();
  expect(world.socket.said).toEqual([]);
});

test("follow() follows it without a listener", () => {
  const { world, client } = playLive();
  const stop = client.channel(ROOM).follow();
  world.socket.tell(roomSnapshot(7, { radio: 1 }));
  expect(client.channel(ROOM).get("radio")).toBe(1);
  stop();
  world.advance(0);
  expect(world.socket.said).toEqual([SUBSCRIBE, UNSUBSCRIBE]);
});

test("its state, events and position are its own", () => {
  const { world, client, room, seqs, states } = playRoom();
  world.socket.tell(event(42), roomEvent(8), roomEvent(9, "sync:set", { radio: 2 }), event(43));
  expect(room.seqs).toEqual([8]);
  expect(room.channel.state).toEqual({ radio: 2 });
  expect(room.channel.position).toEqual({ epoch: EPOCH, seq: 9 });
  expect(room.keys).toEqual([
    ["radio", 1],
    ["radio", 2],
  ]);
  expect(seqs).toEqual([42, 43]);
  expect(client.state).toEqual({ radio: null });
  expect(states).toEqual([["radio", null]]);
  expect(client.position).toEqual({ epoch: EPOCH, seq: 43 });
});

test("its state takes in all changes", () => {
  const { world, room } = playRoom({ radio: { a: 1, b: 2 }, x: 1 });
  world.socket.tell(
    roomEvent(8, "sync:merge", { radio: { a: null, c: 3 } }),
    roomEvent(9, "sync:delete", ["x"]),
    roomEvent(10, "chat:said", "hi", { set: { last: "hi" } }),
  );
  expect(room.channel.state).toEqual({ radio: { b: 2, c: 3 }, last: "hi" });
  expect(room.states).toHaveLength(4);
});

test("it is live with its own snapshot, and what the connection is otherwise", () => {
  const { world, room } = playRoom();
  expect(room.statuses).toEqual(["live"]);
  world.advance(17_500);
  expect(room.channel.status).toBe("doubtful");
  world.socket.tell(event(42));
  expect(room.statuses).toEqual(["live", "doubtful", "live"]);
  world.socket.end();
  expect(room.statuses.slice(3)).toEqual(["offline"]);
});

test("it is left when the last listener has gone, after the current task", () => {
  const { world, room } = playRoom();
  const stop = room.channel.onChange(() => {});
  room.stop();
  world.advance(0);
  expect(world.socket.said).toEqual([SUBSCRIBE]);
  stop();
  stop();
  expect(world.socket.said).toEqual([]);
  world.advance(0);
  expect(world.socket.said).toEqual([UNSUBSCRIBE]);
  expect(room.channel.status).toBe("idle");
  expect(room.channel.state).toEqual({});
  expect(room.channel.position).toBeNull();
});

test("listeners that replace each other keep it", () => {
  const { world, client, room } = playRoom();
  room.stop();
  const next = witness(client, ROOM);
  world.advance(0);
  world.socket.tell(roomEvent(8));
  expect(world.socket.said).toEqual([SUBSCRIBE]);
  expect(next.seqs).toEqual([8]);
  expect(room.seqs).toEqual([]);
  expect(next.channel).toBe(room.channel);
});

test("what is told of a channel that nobody follows is ignored", () => {
  const { world, client, seqs } = playLive();
  world.socket.tell(
    roomSnapshot(7, { radio: 1 }),
    roomEvent(100),
    refused(ROOM),
    unsubscribed(ROOM),
    dropped(ROOM),
    event(42),
  );
  expect(world.errors).toEqual([]);
  expect(client.channel(ROOM).state).toEqual({});
  expect(seqs).toEqual([42]);
});

test("a channel is asked for when the socket opens, if it was followed before", () => {
  const { world, client } = play();
  const room = witness(client, ROOM);
  const gone = witness(client, "room:1");
  gone.stop();
  world.advance(0);
  expect(world.socket.said).toEqual([]);
  world.socket.accept();
  expect(world.socket.said).toEqual([SUBSCRIBE]);
  world.socket.tell(snapshot(41), roomSnapshot(7));
  expect(room.channel.status).toBe("live");
});

test("close() ends all", () => {
  const { world, client, room } = playRoom();
  client.close();
  expect(room.statuses).toEqual(["live", "offline"]);
  const late = witness(client, ROOM);
  late.stop();
  room.stop();
  world.advance(0);
  expect(world.socket.said).toEqual([SUBSCRIBE]);
  expect(world.sockets).toHaveLength(1);
});

test("a listener that throws disturbs no other channel", () => {
  const { world, room, seqs } = playRoom();
  room.channel.on("tick", () => {
    throw new Error("oh");
  });
  world.socket.tell(roomEvent(8), event(42));
  expect(world.errors).toEqual([new Error("oh")]);
  expect(seqs).toEqual([42]);
});

test("the empty name is the default channel", () => {
  const { world, client } = playLive();
  const main = witness(client, "");
  expect(main.channel.status).toBe("live");
  world.socket.tell(event(42));
  expect(main.seqs).toEqual([42]);
  main.stop();
  world.advance(0);
  expect(world.socket.said).toEqual([]);
  expect(client.state).toEqual({ radio: null });
});
