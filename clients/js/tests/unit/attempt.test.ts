/** How long an attempt may take until all that was missed is there, and what a wake does to it. */

import { expect, test } from "vitest";
import type { Options } from "../../src/options.js";
import { type Played, play, playLive, reconnect } from "../fakes/played_client.js";
import { event, ping, resume, snapshot } from "../fakes/relay_message.js";

/** How long after now the socket that is in use is given up. */
function timeToLoss({ world }: Played): number {
  const begin = world.now();
  const { socket } = world;
  while (socket.closed === null) world.advance(world.pendingDelay ?? 0);
  expect(socket.closed).toEqual({ code: 4000, reason: "silent" });
  return world.now() - begin;
}

/** A socket that opens, and then nothing comes; `wakeAfter` is when somebody looks at the page. */
function lossOfSilentSocket(played: Played, wakeAfter: number): number {
  const { world } = played;
  world.socket.accept();
  world.advance(wakeAfter);
  world.wake();
  return wakeAfter + timeToLoss(played);
}

test.each([1, 4, 10, 300])("with a heartbeat of %i s a snapshot may take 60 s", (heartbeat) => {
  const played = play({ heartbeat });
  played.world.socket.accept();
  expect(timeToLoss(played)).toBe(60_000);
});

test("a snapshot of 5 MB at 100 kB/s comes by the first connection", () => {
  const { world, client } = play();
  world.socket.accept();
  world.advance(50_000);
  world.socket.tell(snapshot(41));
  expect(client.status).toBe("live");
  expect(world.sockets).toHaveLength(1);
});

test("silence makes no attempt longer than the limit, however often", () => {
  const played = play({ heartbeat: 300 });
  const { world } = played;
  const losses = Array.from({ length: 7 }, () => {
    world.socket.accept();
    const loss = timeToLoss(played);
    world.advance(world.pendingDelay ?? 0);
    return loss;
  });
  expect(new Set(losses)).toEqual(new Set([60_000]));
});

test("after a line was dead for long, the first good attempt is live at once", () => {
  const played = play();
  const { world, client } = played;
  for (let count = 0; count < 5; count += 1) {
    world.socket.accept();
    timeToLoss(played);
    world.advance(world.pendingDelay ?? 0);
  }
  world.socket.accept().tell(snapshot(41));
  expect(client.status).toBe("live");
});

test.each([
  [{ snapshotLimit: 5_000 }, 5_000],
  [{ snapshotLimit: 600_000 }, 600_000],
])("the time for a snapshot is what the options say: %j", (options: Options, limit) => {
  const played = play(options);
  played.world.socket.accept();
  expect(timeToLoss(played)).toBe(limit);
});

test("a resume may take 25 s, and then as long as a snapshot, which it may be", () => {
  const played = playLive();
  const { world } = played;
  reconnect(played);
  expect(timeToLoss(played)).toBe(25_000);
  world.advance(world.pendingDelay ?? 0);
  world.socket.accept();
  expect(timeToLoss(played)).toBe(60_000);
  world.advance(world.pendingDelay ?? 0);
  world.socket.accept().tell(resume(41, 41));
  reconnect(played);
  expect(timeToLoss(played)).toBe(25_000);
});

test("each missed event has that time anew", () => {
  const played = playLive();
  reconnect(played);
  const { world, client } = played;
  world.socket.tell(resume(41, 43));
  world.advance(24_000);
  world.socket.tell(event(42));
  world.advance(24_000);
  world.socket.tell(event(43));
  expect(client.status).toBe("live");
});

test.each([
  ["heartbeats", ping],
  ["unknown messages", { type: "presence" }],
])("%s without a greeting keep no attempt alive", (_, message) => {
  const { world, client } = play();
  world.socket.accept();
  for (let count = 0; count < 59; count += 1) {
    world.advance(1_000);
    world.socket.tell(message);
  }
  expect(client.status).toBe("connecting");
  world.advance(1_000);
  expect(client.status).toBe("offline");
});

test.each([
  [0, 5_000],
  [1_000, 5_000],
  [4_500, 5_000],
  [20_000, 21_000],
])(
  "a socket that is dead before the greeting, woken after %i ms, is replaced at %i ms",
  (wakeAfter, lost) => {
    const played = play({ heartbeat: 300 });
    expect(lossOfSilentSocket(played, wakeAfter)).toBe(lost);
    expect(played.world.sockets).toHaveLength(2);
    played.world.socket.accept().tell(snapshot(41));
    expect(played.client.status).toBe("live");
  },
);

test("a page that slept before the greeting hears first what has arrived meanwhile", () => {
  const { world, client } = play();
  world.socket.accept();
  world.sleep(3_600_000);
  world.wake();
  world.advance(999);
  world.socket.tell(snapshot(41));
  expect(client.status).toBe("live");
  expect(world.sockets).toHaveLength(1);
});

test("wakes without end let a snapshot through that takes 30 s, since each loss doubles the time", () => {
  const { world, client } = play();
  const opened: number[] = [];
  for (let second = 0; client.status !== "live" && second < 300; second += 1) {
    if (opened.length < world.sockets.length) {
      world.socket.accept();
      opened.push(world.now());
    }
    if (world.now() - (opened.at(-1) ?? 0) >= 30_000) world.socket.tell(snapshot(41));
    world.wake();
    world.advance(1_000);
  }
  expect(client.status).toBe("live");
  expect(opened.length).toBe(4); // 5, 10, 20, 40 s
});

test("wakes without end let an attempt through on a line of 600 ms each way", () => {
  const { world, client } = play();
  world.wake();
  for (const step of ["handshake", "upgrade", "snapshot"]) {
    world.advance(1_100);
    world.wake();
    if (step === "upgrade") world.socket.accept();
  }
  world.advance(300);
  world.socket.tell(snapshot(41));
  expect(client.status).toBe("live");
  expect(world.sockets).toHaveLength(1);
});

test("a wake begins an attempt anew that has hung for 5 s before it opened, and lets a young one be", () => {
  const played = play();
  const { world } = played;
  world.advance(999);
  world.wake();
  world.advance(4_001);
  expect(world.sockets).toHaveLength(1);
  world.wake();
  expect(timeToLoss(played)).toBe(1_000);
  expect(world.sockets).toHaveLength(2);
});

test("wakes without end leave an attempt the 10 s that opening may take, once one has been cut", () => {
  const played = play();
  const { world } = played;
  const begins = [world.now()];
  while (begins.length < 4) {
    world.advance(500);
    world.wake();
    if (world.sockets.length > begins.length) begins.push(world.now());
  }
  expect(begins.map((begin) => begin - (begins[0] ?? 0))).toEqual([0, 5_000, 15_000, 25_000]);
});

test("wakes in a row begin again with the shortest delay once, not each time", () => {
  const { world } = playLive();
  const delays = Array.from({ length: 4 }, () => {
    world.socket.end();
    const delay = world.pendingDelay;
    world.wake();
    return delay;
  });
  expect(delays).toEqual([250, 250, 375, 562.5]);
  world.advance(0);
  world.socket.end();
  world.sleep(10_000);
  world.wake();
  world.socket.end();
  expect(world.pendingDelay).toBe(250);
});
