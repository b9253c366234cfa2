/** What a wake of a live client finds out, and from which relays it can. */

import { expect, test } from "vitest";
import { answerAll, course, freeze, PRESENT, playAnswering } from "../fakes/answering_relay.js";
import { play, playLive } from "../fakes/played_client.js";
import { event, ping, resume, snapshot } from "../fakes/relay_message.js";

const QUESTION = '{"type":"sync:ping"}';

test("a wake asks, and an answer leaves all as it was", () => {
  const { world, statuses } = playAnswering();
  world.socket.asked.length = 0;
  world.wake();
  expect(world.socket.asked).toEqual([QUESTION]);
  expect(world.sockets).toHaveLength(1);
  world.advance(60_000);
  expect(statuses).toEqual(["live"]);
});

test.each([
  [0, 10_000],
  [3_000, 7_000],
  [5_000, 5_000],
  [30_000, 5_000],
])(
  "a wake after %i ms of silence finds a frozen relay out in %i ms, long before its heartbeats are missed",
  (silence, found) => {
    const played = playAnswering({ heartbeat: 60 });
    freeze(played);
    played.world.advance(silence);
    played.world.wake();
    expect(course(played)).toEqual([
      [2_000, "doubtful"],
      [found, "offline"],
    ]);
  },
);

test.each([4, 60])("a wake leaves a message 10 s to arrive (heartbeat %i s)", (heartbeat) => {
  const { world, client, statuses } = playAnswering({ heartbeat });
  world.socket.answers = false; // what is asked waits behind the message
  world.advance(2_000);
  world.wake();
  world.advance(7_999);
  expect(client.status).toBe("doubtful");
  world.socket.tell(event(42), ping);
  expect(statuses).toEqual(["live", "doubtful", "live"]);
  expect(world.sockets).toHaveLength(1);
});

test.each([
  ["all heartbeats of its row wait behind it", 2],
  ["one heartbeat waits behind it", 1],
  ["no heartbeat waits behind it", 0],
])("a relay that answers is known after a snapshot that took long: %s", (_, waiting) => {
  const played = play({ heartbeat: 20 });
  const { world } = played;
  world.socket.accept();
  world.advance(55_000);
  world.socket.tell(snapshot(41));
  world.socket.tell(...Array.from({ length: waiting }, () => ping));
  world.advance(50);
  answerAll(played);
  world.advance(12_000);
  world.wake();
  expect(course(played)).toEqual([
    [2_000, "doubtful"],
    [5_000, "offline"],
  ]);
});

test("a relay that never answers is not taken for one by what waited behind a long snapshot", () => {
  const { world, statuses } = play({ heartbeat: 10 });
  world.socket.accept();
  world.advance(39_000);
  world.socket.tell(snapshot(41), ping, ping, ping);
  world.advance(1_000);
  world.socket.tell(ping);
  world.wake();
  world.advance(12_000);
  world.socket.tell(ping);
  expect(statuses).toEqual(["live"]);
  expect(world.socket.asked.length).toBeLessThan(8);
});

test("wakes in a row put off nothing", () => {
  const played = playAnswering({ heartbeat: 60 });
  const { world, client } = played;
  freeze(played);
  for (let count = 0; count < 100; count += 1) {
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
