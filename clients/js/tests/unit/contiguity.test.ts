/** Nothing missing goes unnoticed: gaps, resumes that do not fit, and what a snapshot leaps over. */

import { expect, test } from "vitest";
import { ProtocolError } from "../../src/error.js";
import { play, playLive, reconnect } from "../fakes/played_client.js";
import { EPOCH, event, events, resume, snapshot } from "../fakes/relay_message.js";

const OTHER_EPOCH = "0123456789abcdef";

test("a slow client is told how many events it missed", () => {
  const { world, client, skips, seqs, statuses } = playLive();
  world.socket.tell(event(42), snapshot(990, { radio: 9 }, { skipped: 948 }), event(991));
  expect(skips).toEqual([
    { events: 948, from: { epoch: EPOCH, seq: 42 }, to: { epoch: EPOCH, seq: 990 } },
  ]);
  expect(seqs).toEqual([42, 991]);
  expect(client.state).toEqual({ radio: 9 });
  expect(statuses).toEqual(["live"]);
});

test("when skipped events are told, the state is already the new one", () => {
  const { world, client } = playLive();
  const seen: unknown[] = [];
  client.onSkipped(() => seen.push(client.state));
  world.socket.tell(snapshot(990, { radio: 9 }, { skipped: 949 }));
  expect(seen).toEqual([{ radio: 9 }]);
});

test("where the relay counts what was skipped, its count is told", () => {
  const { world, skips } = playLive();
  world.socket.tell(snapshot(990, {}, { skipped: 700 }));
  expect(skips).toMatchObject([{ events: 700 }]);
});

test("a snapshot in place of a resume says how many events were missed", () => {
  const played = playLive();
  reconnect(played);
  played.world.socket.tell(snapshot(1_041));
  expect(played.skips).toMatchObject([{ events: 1_000 }]);
  expect(played.client.status).toBe("live");
});

test("a snapshot at the client's own position misses nothing", () => {
  const played = playLive();
  reconnect(played);
  played.world.socket.tell(snapshot(41));
  expect(played.skips).toEqual([]);
});

test("in a new log nobody knows how many were missed", () => {
  const played = playLive();
  reconnect(played);
  played.world.socket.tell(snapshot(0, {}, { epoch: OTHER_EPOCH }), event(1));
  expect(played.skips).toEqual([
    { events: null, from: { epoch: EPOCH, seq: 41 }, to: { epoch: OTHER_EPOCH, seq: 0 } },
  ]);
  expect(played.seqs).toEqual([1]);
  expect(played.client.position).toEqual({ epoch: OTHER_EPOCH, seq: 1 });
});

test("a new log's snapshot makes it live, even when an old log's resume was not over", () => {
  const played = playLive();
  reconnect(played);
  played.world.socket.tell(resume(41, 900));
  reconnect(played);
  played.world.socket.tell(snapshot(3, {}, { epoch: OTHER_EPOCH }));
  expect(played.client.status).toBe("live");
});

test("a log that went back is like a new one", () => {
  const played = playLive();
  reconnect(played);
  played.world.socket.tell(snapshot(7));
  expect(played.skips).toMatchObject([{ events: null }]);
});

test("the first snapshot leaps over nothing", () => {
  const { world, skips } = play();
  world.socket.accept().tell(snapshot(5_000));
  expect(skips).toEqual([]);
});

test.each([
  ["a gap", event(43), "event 43 came in place of 42"],
  ["an event twice", event(41), "event 41 came in place of 42"],
  ["a message that is no JSON", "hello", "is not JSON"],
  ["an event without its time", { type: "tick", seq: 42 }, '"ts" must be a number'],
  ["a resume in the middle", resume(41, 41), "not asked for"],
])("after %s it starts over from a snapshot", (_, broken, message) => {
  const played = playLive();
  const { world } = played;
  world.socket.tell(broken);
  expect(world.errors).toEqual([expect.any(ProtocolError)]);
  expect(String(world.errors[0])).toContain(message);
  expect(world.sockets[0]?.closed).toEqual({ code: 4000, reason: "broken message" });
  expect(played.seqs).toEqual([]);

  world.advance(world.pendingDelay ?? 0);
  expect(played.client.status).toBe("resuming");
  expect(world.socket.parameters).toEqual({ heartbeat: "10" });
  world.socket.accept().tell(snapshot(50, { radio: 1 }), event(51));
  expect(played.seqs).toEqual([51]);
  expect(played.skips).toMatchObject([{ events: 9 }]);
  expect(played.statuses).toEqual(["live", "offline", "resuming", "live"]);
});

test("once a snapshot has come, it resumes by position again", () => {
  const played = playLive();
  const { world } = played;
  world.socket.tell(event(43));
  world.advance(world.pendingDelay ?? 0);
  world.socket.accept().tell(snapshot(50));
  reconnect(played);
  expect(world.socket.parameters).toEqual({ heartbeat: "10", epoch: EPOCH, seq: "50" });
});

test.each([
  ["of another log", resume(41, 50, { epoch: OTHER_EPOCH })],
  ["of another position", resume(40, 50)],
])("a resume %s is not believed", (_, greeting) => {
  const played = playLive();
  reconnect(played);
  played.world.socket.tell(greeting);
  expect(played.world.errors).toEqual([expect.any(ProtocolError)]);
  expect(played.client.status).toBe("offline");
});

test("a resume that nobody asked for is not believed", () => {
  const { world, client } = play();
  world.socket.accept().tell(resume(0, 0));
  expect(world.errors).toEqual([expect.any(ProtocolError)]);
  expect(client.status).toBe("offline");
});

test("an event before any greeting is not believed, even if its position would fit", () => {
  const played = playLive();
  reconnect(played);
  played.world.socket.tell(event(42));
  expect(played.seqs).toEqual([]);
  expect(String(played.world.errors[0])).toContain("event 42 came before a snapshot or a resume");
});

test("a relay that is broken for good is not asked without a pause", () => {
  const { world } = playLive();
  world.chance = 1;
  const delays = [500, 750, 1_125, 1_687.5, 2_531.25];
  for (const delay of delays) {
    world.socket.tell(snapshot(41), event(77));
    expect(world.pendingDelay).toBe(delay);
    world.advance(delay);
    world.socket.accept();
  }
});

test("everything that was told is a contiguous run", () => {
  const played = playLive();
  const { world } = played;
  world.socket.tell(...events(42, 60));
  for (let seq = 60; seq < 160; seq += 10) {
    reconnect(played);
    world.socket.tell(resume(seq, seq + 10), ...events(seq + 1, seq + 10));
  }
  expect(played.seqs).toEqual(Array.from({ length: 119 }, (_, index) => index + 42));
});
