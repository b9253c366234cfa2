import { expect, test } from "vitest";
import { type Played, play, playLive, reconnect } from "../fakes/played_client.js";
import { event, events, ping, resume, snapshot, TS } from "../fakes/relay_message.js";

const HOUR = 3_600;

/** Time in which nothing but heartbeats is heard. */
function idle({ world }: Played, milliseconds: number): void {
  for (const end = world.now() + milliseconds; world.now() < end; ) {
    world.advance(Math.min(10_000, end - world.now()));
    world.socket.tell(ping);
  }
}

/** Each event is accepted when `clock` says so, in seconds after TS, and takes `delay` milliseconds. */
function hear(
  { world }: Played,
  { clock, delay = 0, seq }: { clock: () => number; delay?: number; seq: number },
): void {
  const ts = TS + clock();
  world.advance(delay);
  world.socket.tell(event(seq, "tick", null, { ts }));
}

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
  world.socket.tell(event(42, "tick", null, { ts: TS + 0.25 }));
  expect(client.serverNow()).toBe(TS * 1000 + 1_000);
  world.socket.tell(event(43, "tick", null, { ts: TS + 1.25 }));
  expect(client.serverNow()).toBe(TS * 1000 + 1_250);
});

test.each([
  ["snapshot", snapshot(41, {}, { ts: TS - 3_600 })],
  ["resume", resume(41, 41, { ts: TS - 3_600 })],
])("a new connection's %s counts whatever was learned before", (_, greeting) => {
  const played = playLive();
  reconnect(played);
  played.world.socket.tell(greeting);
  expect(played.client.serverNow()).toBe((TS - 3_600) * 1000);
});

test("a relay's clock that goes back between two events is followed at once", () => {
  const played = playLive();
  const { client, world } = played;
  world.advance(10_000);
  hear(played, { seq: 42, clock: () => 10 });
  world.advance(1_000);
  hear(played, { seq: 43, clock: () => 11 - HOUR });
  expect(client.serverNow()).toBe((TS + 11 - HOUR) * 1000);
});

test("one that went back by less than the time between the events is followed, too, after a few", () => {
  const played = playLive();
  const { client, world } = played;
  const begin = world.now();
  let back = 0;
  const clock = () => (world.now() - begin) / 1000 - back;
  let seq = 42;
  for (; seq < 50; seq += 1) {
    idle(played, 2 * HOUR * 1000);
    hear(played, { seq, clock });
  }
  back = HOUR;
  for (; seq < 54; seq += 1) {
    idle(played, 2 * HOUR * 1000);
    hear(played, { seq, clock });
  }
  expect(client.serverNow()).toBe((TS + clock()) * 1000);
});

test("a local clock that stood still while the machine slept is corrected by the next event", () => {
  const played = playLive();
  hear(played, { seq: 42, clock: () => HOUR }); // an hour passed that the local clock did not see
  expect(played.client.serverNow()).toBe((TS + HOUR) * 1000);
});

test("a local clock that runs too fast is corrected by later events", () => {
  const played = playLive();
  const { client, world } = played;
  const begin = world.now();
  const clock = () => ((world.now() - begin) / 1000) * 0.999;
  for (let seq = 42; seq < 42 + 360; seq += 1) {
    world.advance(10_000);
    hear(played, { seq, clock });
  }
  expect(Math.abs(client.serverNow() - (TS + clock()) * 1000)).toBeLessThan(125);
});

test.each([1, 50, 3_000])("%i delayed messages in one go do not drag it", (count) => {
  const played = playLive();
  const { client, world } = played;
  idle(played, HOUR * 1000);
  world.socket.tell(...events(42, 41 + count)); // all accepted an hour ago
  expect(client.serverNow()).toBe((TS + HOUR) * 1000);
});

test("most of a minute of slow messages after quick ones does not drag it", () => {
  const played = playLive();
  const { client, world } = played;
  const begin = world.now();
  const clock = () => (world.now() - begin) / 1000;
  let seq = 42;
  for (; seq < 42 + 300; seq += 1) hear(played, { seq, clock, delay: seq % 10 === 0 ? 0 : 400 });
  for (const end = world.now() + 55_000; world.now() < end; seq += 1) {
    hear(played, { seq, clock, delay: 2_000 });
  }
  expect(client.serverNow()).toBe((TS + clock()) * 1000);
});

test("what was missed while away says nothing about the time", () => {
  const played = playLive();
  const { client, world } = played;
  reconnect(played);
  world.socket.tell(resume(41, 44, { ts: TS + 2 * HOUR }));
  const stamps = [3 * HOUR, HOUR, 1]; // the relay's clock was set back meanwhile
  stamps.forEach((stamp, index) => {
    world.socket.tell(event(42 + index, "tick", null, { ts: TS + stamp }));
  });
  expect(client.serverNow()).toBe((TS + 2 * HOUR) * 1000);
});

test("a snapshot in the middle of a connection counts as a message, since it comes late", () => {
  const played = playLive();
  const { client, world } = played;
  idle(played, 60_000);
  world.socket.tell(snapshot(990, {}, { ts: TS + 5, skipped: 949 }));
  expect(client.serverNow()).toBe(TS * 1000 + 60_000);
});
