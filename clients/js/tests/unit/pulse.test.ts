/** Silence: when the client asks, when it doubts, and when it gives a connection up. */

import { expect, test } from "vitest";
import type { Options } from "../../src/options.js";
import { type Played, play, playLive } from "../fakes/played_client.js";
import { event, ping, resume, snapshot } from "../fakes/relay_message.js";

const QUESTION = '{"type":"sync:ping"}';
const PRESENT: Options = { heartbeat: undefined }; // the default

/** Live at a relay that answers questions. */
function playAnswering(options: Options = PRESENT): Played {
  const played = play(options);
  played.world.socket.answers = true;
  played.world.socket.accept().tell(snapshot(41));
  return played;
}

/** From now on nothing comes from the relay. */
function freeze({ world }: Played): void {
  world.socket.answers = false;
}

/** The statuses until the connection is given up, each with how long after now it came. */
function course({ world, client }: Played): [after: number, status: string][] {
  const begin = world.now();
  const told: [number, string][] = [];
  const stop = client.onStatus((status) => told.push([world.now() - begin, status]));
  while (client.status !== "offline") world.advance(world.pendingDelay ?? 0);
  stop();
  return told;
}

test.each([true, false])(
  "by default a silent relay is doubtful after 7 s and lost after 10 s (answers: %s)",
  (answers) => {
    const played = answers ? playAnswering() : playLive(PRESENT);
    freeze(played);
    expect(course(played)).toEqual([
      [7_000, "doubtful"],
      [10_000, "offline"],
    ]);
    expect(played.world.sockets[0]?.closed).toEqual({ code: 4000, reason: "silent" });
  },
);

test.each([
  [1, 1_750, 2_500],
  [4, 7_000, 10_000],
  [10, 14_500, 17_500],
  [300, 377_000, 380_000],
])("the limits follow the heartbeat where the relay answers: %i s", (heartbeat, doubt, death) => {
  const played = playAnswering({ heartbeat });
  freeze(played);
  expect(course(played)).toEqual([
    [doubt, "doubtful"],
    [death, "offline"],
  ]);
});

test.each([
  [1, 1_750, 2_500],
  [10, 14_500, 25_000],
  [300, 377_000, 750_000],
])("and where it only sends heartbeats: %i s", (heartbeat, doubt, death) => {
  expect(course(playLive({ heartbeat }))).toEqual([
    [doubt, "doubtful"],
    [death, "offline"],
  ]);
});

test("an overdue heartbeat is asked for once", () => {
  const { world } = playLive(PRESENT);
  world.socket.tell(ping);
  world.socket.asked.length = 0;
  world.advance(4_999);
  expect(world.socket.asked).toEqual([]);
  world.advance(1);
  expect(world.socket.asked).toEqual([QUESTION]);
  world.advance(4_999);
  expect(world.socket.asked).toEqual([QUESTION]);
});

test("a relay that answers each overdue question stays live without one heartbeat", () => {
  const { world, statuses } = playAnswering();
  world.advance(3_600_000);
  expect(statuses).toEqual(["live"]);
  expect(world.sockets).toHaveLength(1);
});

test.each([
  ["a ping", ping],
  ["an event", event(42)],
  ["an unknown message", { type: "presence" }],
])("%s is a sign of life, and ends a doubt", (_, message) => {
  const { world, client, statuses } = playLive(PRESENT);
  world.advance(9_999);
  expect(client.status).toBe("doubtful");
  world.socket.tell(message);
  expect(client.status).toBe("live");
  world.advance(6_999);
  expect(statuses).toEqual(["live", "doubtful", "live"]);
  world.advance(1);
  expect(client.status).toBe("doubtful");
});

test("a binary message is a sign of life, too", () => {
  const { world, client } = playLive(PRESENT);
  world.advance(8_000);
  world.socket.tellBinary(new ArrayBuffer(1));
  expect(client.status).toBe("live");
});

test.each([1, 4, 300])("heartbeats of %i s keep a connection without events", (heartbeat) => {
  const { world, statuses } = playLive({ heartbeat });
  for (let beat = 0; beat < 5_000; beat += 1) {
    world.advance(heartbeat * 1000 + (beat % 2) * 250);
    world.socket.tell(ping);
  }
  expect(statuses).toEqual(["live"]);
  expect(world.sockets).toHaveLength(1);
});

test("one heartbeat may be lost and the next late, however often", () => {
  const { world, client } = playLive({ heartbeat: 20 });
  for (let beat = 0; beat < 500; beat += 1) {
    world.advance(beat % 2 === 0 ? 49_999 : 20_000 + (beat % 7) * 250);
    world.socket.tell(ping);
    expect(client.status).toBe("live");
  }
  expect(world.sockets).toHaveLength(1);
});

test("a wake asks, and an answer leaves all as it was", () => {
  const { world, statuses } = playAnswering();
  world.socket.asked.length = 0;
  world.wake();
  expect(world.socket.asked).toEqual([QUESTION]);
  expect(world.sockets).toHaveLength(1);
  world.advance(60_000);
  expect(statuses).toEqual(["live"]);
});

test("a wake finds a frozen relay out within 5 s, long before its heartbeats are missed", () => {
  const played = playAnswering({ heartbeat: 60 });
  freeze(played);
  played.world.wake();
  expect(course(played)).toEqual([
    [2_000, "doubtful"],
    [5_000, "offline"],
  ]);
});

test("wakes in a row put off nothing", () => {
  const played = playAnswering({ heartbeat: 60 });
  const { world, client } = played;
  freeze(played);
  for (let count = 0; count < 50; count += 1) {
    world.wake();
    world.advance(100);
  }
  expect(client.status).toBe("offline");
});

test("a relay that has never answered is not doubted for its silence to a question", () => {
  const { world, statuses } = playLive(PRESENT);
  for (let beat = 0; beat < 100; beat += 1) {
    world.advance(4_000);
    world.socket.tell(ping);
    world.wake();
  }
  expect(statuses).toEqual(["live"]);
});

test("a heartbeat of the row that follows a question is no answer", () => {
  const { world, statuses } = playLive({ heartbeat: 60 });
  for (let beat = 0; beat < 20; beat += 1) {
    world.advance(59_000);
    world.wake();
    world.advance(1_000);
    world.socket.tell(ping);
  }
  world.wake();
  world.advance(60_000);
  expect(statuses).toEqual(["live"]);
});

test("a burst of heartbeats that were held up on the way is no answer", () => {
  const { world, statuses } = playLive({ heartbeat: 20 });
  world.sleep(45_000);
  world.wake();
  world.socket.tell(ping, ping);
  world.wake();
  world.advance(20_000);
  expect(statuses).toEqual(["live"]);
});

test("whether a relay answers is found out anew on each connection", () => {
  const played = playAnswering({ heartbeat: 60 });
  const { world, statuses } = played;
  world.socket.end();
  world.advance(world.pendingDelay ?? 0);
  world.socket.accept().tell(resume(41, 41));
  world.wake();
  world.advance(60_000);
  expect(statuses).toEqual(["live", "offline", "resuming", "live"]);
});

test("a page that was held up hears first what has arrived meanwhile", () => {
  const { world, statuses } = playLive({ heartbeat: 20 });
  world.sleep(60_000);
  world.advance(0); // the timer runs before the messages are told
  world.socket.tell(ping);
  world.advance(26_999);
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

test("a hidden page whose timers run once a minute keeps a good connection", () => {
  const { world, statuses } = playAnswering();
  for (let minute = 0; minute < 60; minute += 1) {
    for (let beat = 0; beat < 15; beat += 1) {
      world.sleep(4_000);
      world.socket.tell(ping);
    }
    world.advance(0);
  }
  expect(statuses).toEqual(["live"]);
  expect(world.sockets).toHaveLength(1);
});

test("a hidden page whose timers run once a minute gives a dead one up all the same", () => {
  const { world, client } = playAnswering();
  world.socket.answers = false;
  for (let minute = 0; minute < 2; minute += 1) {
    world.sleep(60_000);
    world.advance(0);
  }
  expect(client.status).toBe("offline");
});

test("a wake after a long sleep hears first what has arrived meanwhile", () => {
  const { world, statuses } = playLive(PRESENT);
  world.sleep(3_600_000);
  world.wake();
  world.advance(999);
  world.socket.tell(ping);
  world.advance(6_999);
  expect(statuses).toEqual(["live"]);
  expect(world.sockets).toHaveLength(1);
});

test("a wake after a long sleep without a word replaces the connection after a second", () => {
  const played = playLive(PRESENT);
  const { world } = played;
  world.sleep(3_600_000);
  world.wake();
  world.advance(1_000);
  expect(world.sockets[0]?.closed).toEqual({ code: 4000, reason: "silent" });
  world.advance(world.pendingDelay ?? 0);
  world.socket.accept().tell(resume(41, 42), event(42));
  expect(played.seqs).toEqual([42]);
  expect(played.client.status).toBe("live");
});

test("nothing is asked before the relay has greeted, or after the end", () => {
  const { world, client } = play(PRESENT);
  world.socket.accept();
  world.advance(20_000);
  world.wake();
  expect(world.socket.asked).toEqual([]);
  world.socket.tell(snapshot(41));
  client.close();
  const asked = [...world.socket.asked];
  world.wake();
  world.advance(60_000);
  expect(world.socket.asked).toEqual(asked);
});

test("a listener that closes it when it is doubtful ends all waiting", () => {
  const { world, client } = playLive(PRESENT);
  client.onStatus((status) => status === "doubtful" && client.close());
  world.advance(7_000);
  expect(world.pendingDelay).toBeNull();
  expect(world.socket.closed).toEqual({ code: 1000, reason: "" });
  expect(client.status).toBe("offline");
});
