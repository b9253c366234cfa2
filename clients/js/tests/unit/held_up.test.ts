/** Silence of a page whose timers stood still: it may be the page that was not listening. */

import { expect, test } from "vitest";
import { PRESENT, playAnswering } from "../fakes/answering_relay.js";
import { playLive } from "../fakes/played_client.js";
import { event, ping, resume } from "../fakes/relay_message.js";

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
