/** When the client tries again: after a loss, and when there is reason to hope. */

import { expect, test } from "vitest";
import { type Played, play, playLive, reconnect } from "../fakes/played_client.js";
import { EPOCH, resume, snapshot } from "../fakes/relay_message.js";

/** Fails attempts until `count` sockets have been opened in all; returns the delays before them. */
function failUntil({ world }: Played, count: number): (number | null)[] {
  const delays = [];
  while (world.sockets.length < count) {
    world.socket.end();
    delays.push(world.pendingDelay);
    world.advance(world.pendingDelay ?? 0);
  }
  return delays;
}

test("it retries for ever, with delays drawn below a growing ceiling", () => {
  const played = play();
  const delays = failUntil(played, 50);
  expect(delays.slice(0, 4)).toEqual([250, 375, 562.5, 843.75]);
  expect(new Set(delays.slice(10))).toEqual(new Set([10_000]));
  expect(played.world.errors).toEqual([]);
});

test("the delay is drawn for each attempt", () => {
  const played = play();
  const { world } = played;
  const delays = [0.1, 0.9, 0.5].map((chance) => {
    world.chance = chance;
    return failUntil(played, world.sockets.length + 1)[0];
  });
  expect(delays).toEqual([50, 675, 562.5]);
});

test("delays are what the options say", () => {
  const played = play({ retryFirst: 100, retryLongest: 300 });
  played.world.chance = 1;
  expect(failUntil(played, 5)).toEqual([100, 150, 225, 300]);
});

test("a connection that was live for a while begins again with the shortest delay", () => {
  const played = play();
  failUntil(played, 12);
  played.world.socket.accept().tell(snapshot(41));
  played.world.advance(9_999);
  played.world.socket.end();
  expect(played.world.pendingDelay).toBe(10_000);

  played.world.advance(10_000);
  played.world.socket.accept().tell(resume(41, 41));
  played.world.advance(10_000);
  played.world.socket.end();
  expect(played.world.pendingDelay).toBe(250);
});

test.each([1000, 1001, 1005, 1006, 1011, 1012, 1013])("it retries after close code %i", (code) => {
  const { world, client } = playLive();
  world.socket.end(code);
  expect(client.status).toBe("offline");
  expect(world.pendingDelay).toBe(250);
});

test("by default the first delay is short and the longest 20 s", () => {
  const played = play({ retryFirst: undefined });
  played.world.chance = 1;
  const delays = failUntil(played, 13);
  expect(delays.slice(0, 3)).toEqual([300, 450, 675]);
  expect(delays.at(-1)).toBe(20_000);
});

test("a socket that cannot even be made is a failed attempt, once the first could", () => {
  const played = playLive();
  const { world } = played;
  world.socket.end();
  world.failure = new Error("no more sockets");
  world.advance(250);
  expect(world.errors).toEqual([new Error("no more sockets")]);
  expect(world.pendingDelay).toBe(375);
  world.advance(375);
  world.socket.accept().tell(resume(41, 41));
  expect(played.statuses).toEqual(["live", "offline", "resuming", "live"]);
});

test("a socket that does not open within 10 s is given up", () => {
  const { world, client } = play();
  world.advance(9_999);
  expect(client.status).toBe("connecting");
  world.advance(1);
  expect(client.status).toBe("offline");
  expect(world.socket.closed).toEqual({ code: 4000, reason: "silent" });
});

test("a wake while it waits tries at once and begins again with the shortest delay", () => {
  const played = playLive();
  failUntil(played, 8);
  const { world } = played;
  world.socket.end();
  world.wake();
  expect(world.sockets).toHaveLength(9);
  expect(played.client.status).toBe("resuming");
  expect(world.socket.parameters).toEqual({ heartbeat: "10", epoch: EPOCH, seq: "41" });
  world.socket.end();
  expect(world.pendingDelay).toBe(250);
});

test("wakes in a row open one socket", () => {
  const played = playLive();
  played.world.socket.end();
  for (let count = 0; count < 5; count += 1) played.world.wake();
  expect(played.world.sockets).toHaveLength(2);
});

test("there is never more than one socket and one timer", () => {
  const played = playLive();
  const { world } = played;
  for (let round = 0; round < 20; round += 1) {
    reconnect(played);
    world.socket.tell(resume(41, 41));
    world.wake();
    expect(world.pendingDelay).not.toBeNull();
    world.sleep(60_000);
    world.wake();
    world.advance(1_000); // silence
    world.advance(world.pendingDelay ?? 0);
    world.advance(5_000);
    world.wake();
    world.socket.accept().tell(resume(41, 41));
    const open = world.sockets.filter(({ closed }) => closed === null);
    expect(open).toEqual([world.socket]);
  }
});
