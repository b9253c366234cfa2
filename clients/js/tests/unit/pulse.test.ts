/** Silence: when the client asks, when it doubts, and when it gives a connection up. */

import { expect, test } from "vitest";
import { course, freeze, PRESENT, playAnswering } from "../fakes/answering_relay.js";
import { play, playLive } from "../fakes/played_client.js";
import { event, ping, snapshot } from "../fakes/relay_message.js";

const QUESTION = '{"type":"sync:ping"}';

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
