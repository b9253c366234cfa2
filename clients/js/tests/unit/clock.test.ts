import { expect, test } from "vitest";
import { play, playLive, reconnect } from "../fakes/played_client.js";
import { event, resume, snapshot, TS } from "../fakes/relay_message.js";

test("before the first message it is local time", () => {
  const { client, world } = play();
  expect(client.serverNow()).toBe(world.date());
});

test("from the first message on it is the relay's time", () => {
  const { client, world } = playLive();
  expect(client.serverNow()).toBe(TS * 1000);
  world.advance(1_500);
  expect(client.serverNow()).toBe(TS * 1000 + 1_500);
});

test("a message that took longer changes nothing, one that was quicker does", () => {
  const { client, world } = playLive();
  world.advance(1_000);
  world.socket.send(event(42, "tick", null, { ts: TS + 0.25 }));
  expect(client.serverNow()).toBe(TS * 1000 + 1_000);
  world.socket.send(event(43, "tick", null, { ts: TS + 1.25 }));
  expect(client.serverNow()).toBe(TS * 1000 + 1_250);
});

test.each([
  ["snapshot", snapshot(41, {}, { ts: TS - 3_600 })],
  ["resume", resume(41, 41, { ts: TS - 3_600 })],
])("a new connection's %s counts whatever was learned before", (_, greeting) => {
  const played = playLive();
  reconnect(played);
  played.world.socket.send(greeting);
  expect(played.client.serverNow()).toBe((TS - 3_600) * 1000);
});
