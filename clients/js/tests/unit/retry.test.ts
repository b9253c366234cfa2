/** When the client tries again: after a loss, after silence, and when there is reason to hope. */

import { expect, test } from "vitest";
import { type Played, play, playLive, reconnect } from "../fakes/played_client.js";
import { EPOCH, event, ping, resume, snapshot } from "../fakes/relay_message.js";

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
  expect(delays.slice(0, 8)).toEqual([250, 500, 1_000, 2_000, 4_000, 8_000, 10_000, 10_000]);
  expect(new Set(delays.slice(8))).toEqual(new Set([10_000]));
  expect(played.world.errors).toEqual([]);
});

test("the delay is drawn for each attempt", () => {
  const played = play();
  const { world } = played;
  const delays = [0.1, 0.9, 0.5].map((chance) => {
    world.chance = chance;
    return failUntil(played, world.sockets.length + 1)[0];
  });
  expect(delays).toEqual([50, 900, 1_000]);
});

test("delays are what the options say", () => {
  const played = play({ retryFirst: 100, retryLongest: 300 });
  played.world.chance = 1;
  expect(failUntil(played, 5)).toEqual([100, 200, 300, 300]);
});

test("a connection that was live for a while begins again with the shortest delay", () => {
  const played = play();
  failUntil(played, 10);
  played.world.socket.accept().send(snapshot(41));
  played.world.advance(9_999);
  played.world.socket.end();
  expect(played.world.pendingDelay).toBe(10_000);

  played.world.advance(10_000);
  played.world.socket.accept().send(resume(41, 41));
  played.world.advance(10_000);
  played.world.socket.end();
  expect(played.world.pendingDelay).toBe(250);
});

test.each([1000, 1001, 1005, 1006, 1011, 1013])("it retries after close code %i", (code) => {
  const { world, client } = playLive();
  world.socket.end(code);
  expect(client.status).toBe("offline");
  expect(world.pendingDelay).toBe(250);
});

test("a socket that cannot even be made is a failed attempt, once the first could", () => {
  const played = playLive();
  const { world } = played;
  world.socket.end();
  world.failure = new Error("no more sockets");
  world.advance(250);
  expect(world.errors).toEqual([new Error("no more sockets")]);
  expect(world.pendingDelay).toBe(500);
  world.advance(500);
  world.socket.accept().send(resume(41, 41));
  expect(played.statuses).toEqual(["live", "offline", "resuming", "live"]);
});

test("silence of two and a half heartbeats is death", () => {
  const { world, client } = playLive();
  world.advance(24_999);
  expect(client.status).toBe("live");
  world.advance(1);
  expect(client.status).toBe("offline");
  expect(world.socket.closed).toEqual({ code: 4000, reason: "silent" });
});

test.each([
  ["a ping", ping],
  ["an event", event(42)],
  ["an unknown message", { type: "presence" }],
])("%s is a sign of life", (_, message) => {
  const { world, client } = playLive();
  world.advance(20_000);
  world.socket.send(message);
  world.advance(24_999);
  expect(client.status).toBe("live");
  world.advance(1);
  expect(client.status).toBe("offline");
});

test("heartbeats keep a connection without events for as long as they come", () => {
  const { world, statuses } = playLive({ heartbeat: 5 });
  for (let minute = 0; minute < 600; minute += 1) {
    world.advance(5_000);
    world.socket.send(ping);
  }
  expect(statuses).toEqual(["live"]);
  expect(world.sockets).toHaveLength(1);
});

test("heartbeats that come each at its latest keep it, however long", () => {
  const { world, statuses } = playLive({ heartbeat: 20 });
  for (let beat = 0; beat < 500; beat += 1) {
    world.advance(beat % 2 === 0 ? 49_999 : 20_000 + (beat % 7) * 250);
    world.socket.send(ping);
  }
  expect(statuses).toEqual(["live"]);
  expect(world.sockets).toHaveLength(1);
});

test("a page that was held up hears first what has arrived meanwhile", () => {
  const { world, statuses } = playLive({ heartbeat: 20 });
  world.sleep(60_000);
  world.advance(0); // the timer runs before the messages are told
  world.socket.send(ping);
  world.advance(49_999);
  expect(statuses).toEqual(["live"]);
});

test("a page that was held up and hears nothing gives the connection up soon", () => {
  const { world, client } = playLive({ heartbeat: 20 });
  world.sleep(60_000);
  world.advance(1_999);
  expect(client.status).toBe("live");
  world.advance(1);
  expect(client.status).toBe("offline");
});

test.each([1, 300])("the limit follows the heartbeat: %i s", (heartbeat) => {
  const { world, client } = playLive({ heartbeat });
  world.advance(heartbeat * 2_500 - 1);
  expect(client.status).toBe("live");
  world.advance(1);
  expect(client.status).toBe("offline");
});

test("the limit holds from the open socket on, before any message", () => {
  const { world, client } = play({ heartbeat: 1 });
  world.socket.accept();
  world.advance(2_500);
  expect(client.status).toBe("offline");
});

test("a socket that does not open within 10 s is given up", () => {
  const { world, client } = play();
  world.advance(9_999);
  expect(client.status).toBe("connecting");
  world.advance(1);
  expect(client.status).toBe("offline");
  expect(world.socket.closed).toEqual({ code: 4000, reason: "silent" });
});

test("a snapshot that takes longer than the limit gets through, since patience grows", () => {
  const played = play();
  const { world } = played;
  const attempts = [25_000, 50_000, 100_000];
  for (const limit of attempts) {
    world.socket.accept();
    world.advance(limit - 1);
    expect(played.client.status).toBe("connecting");
    world.advance(1);
    expect(played.client.status).toBe("offline");
    world.advance(world.pendingDelay ?? 0);
  }
  world.socket.accept();
  world.advance(100_000);
  world.socket.send(snapshot(41));
  expect(played.client.status).toBe("live");
  world.advance(24_999);
  expect(played.client.status).toBe("live");
  world.advance(1);
  expect(played.client.status).toBe("offline");
});

test("patience ends at sixteen times the limit", () => {
  const { world, client } = play();
  const limits = Array.from({ length: 7 }, () => {
    world.socket.accept();
    const begin = world.now();
    while (client.status === "connecting") world.advance(world.pendingDelay ?? 0);
    const limit = world.now() - begin;
    world.advance(world.pendingDelay ?? 0);
    return limit / 25_000;
  });
  expect(limits).toEqual([1, 2, 4, 8, 16, 16, 16]);
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

test("a wake leaves a connection that is well alone", () => {
  const { world, client } = playLive();
  world.sleep(24_999);
  world.wake();
  expect(world.sockets).toHaveLength(1);
  expect(client.status).toBe("live");
});

test("a wake after a sleep replaces a connection that was silent too long", () => {
  const played = playLive();
  const { world } = played;
  world.sleep(3_600_000);
  world.wake();
  expect(world.sockets).toHaveLength(2);
  expect(world.sockets[0]?.closed).toEqual({ code: 4000, reason: "silent" });
  world.socket.accept().send(resume(41, 42), event(42));
  expect(played.seqs).toEqual([42]);
  expect(played.statuses).toEqual(["live", "resuming", "live"]);
});

test("a wake begins an attempt anew that hangs, and lets a young one be", () => {
  const { world } = play();
  world.advance(999);
  world.wake();
  expect(world.sockets).toHaveLength(1);
  world.advance(1);
  world.wake();
  expect(world.sockets).toHaveLength(2);
  expect(world.sockets[0]?.closed).not.toBeNull();
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
    world.socket.send(resume(41, 41));
    world.wake();
    expect(world.pendingDelay).not.toBeNull();
    world.sleep(60_000);
    world.wake();
    world.socket.accept().send(resume(41, 41));
    const open = world.sockets.filter(({ closed }) => closed === null);
    expect(open).toEqual([world.socket]);
  }
});
