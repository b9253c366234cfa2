/** The client against the real relay ($SYNCRELAY_BINARY, else build/syncrelay), over faulty networks. */

import { randomBytes } from "node:crypto";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Control } from "./control.js";
import { Setup } from "./setup.js";
import { until } from "./until.js";
import { numbers } from "./witness.js";

const CLOCK_STEP = 10; // ms, by which clocks that are read one after another may differ

let setup: Setup;

beforeEach(() => {
  setup = new Setup();
});

afterEach(() => setup.tearDown());

test("state and events of a backend arrive, and the state is the relay's", async () => {
  const relay = await setup.relay();
  const backend = setup.backend(relay);
  const witness = await setup.liveWitness(relay.url);
  expect(witness.client.state).toEqual({ comparison: null, radio: null });
  await backend.set("radio", { track: 7, tags: ["a"] });
  await backend.merge("radio", { track: null, volume: 1.5 });
  await backend.set("gone", "é\u0000\u{1f600}");
  await backend.broadcast("t", 1, { comparison: { pair: [1, 2] }, other: [] });
  await backend.delete("gone");
  await backend.tick(1, 1);
  await until("the last event", () => witness.numbers.length === 1);
  expect(witness.client.state).toEqual({
    comparison: { pair: [1, 2] },
    radio: { tags: ["a"], volume: 1.5 },
    other: [],
  });
  expect(witness.client.position?.seq).toBe(6);
  expect(witness.client.state).toEqual(await setup.control(relay).state());
});

test("the server's time is the time of this machine", async () => {
  const relay = await setup.relay();
  const begin = Date.now();
  const { client } = await setup.liveWitness(relay.url);
  const behind = Date.now() - client.serverNow(); // by what the snapshot took
  expect(behind).toBeGreaterThan(-CLOCK_STEP);
  expect(behind).toBeLessThan(Date.now() - begin + CLOCK_STEP);
});

test("20,000 events in a burst are a contiguous run", async () => {
  const relay = await setup.relay();
  const backend = setup.backend(relay);
  const witness = await setup.liveWitness(relay.url);
  await backend.tick(1, 20_000);
  await until("all events", () => witness.numbers.at(-1) === 20_000);
  expect(witness.numbers).toEqual(numbers(1, 20_000));
  expect(witness.statuses).toEqual(["live"]);
});

test("after a cut it resumes without a gap, a duplicate or a snapshot", async () => {
  const relay = await setup.relay();
  const backend = setup.backend(relay);
  const link = await setup.link(relay);
  const witness = await setup.liveWitness(link.url);
  const nearby = await setup.liveWitness(relay.url);
  await backend.tick(1, 10);
  await until("the first events", () => witness.numbers.length === 10);

  link.cut();
  await until("the cut is noticed", () => witness.client.status === "offline");
  await backend.set("radio", { track: 8 });
  await backend.tick(11, 500);
  await until("the relay has told it to others", () => nearby.numbers.length === 500);
  link.mend();
  await until("all events", () => witness.numbers.length === 500);

  expect(witness.numbers).toEqual(numbers(1, 500));
  expect(witness.skips).toEqual([]);
  expect(witness.errors).toEqual([]);
  expect(witness.client.state).toEqual(nearby.client.state);
  await until("it is live again", () => witness.isLive);
  expect(witness.countOf("sync:full")).toBe(1);
});

test("twenty cuts while events pour in lose nothing", async () => {
  const relay = await setup.relay();
  const backend = setup.backend(relay);
  const link = await setup.link(relay);
  const witness = await setup.liveWitness(link.url, { retryFirst: 1, retryLongest: 5 });
  for (let round = 0; round < 20; round += 1) {
    const last = (round + 1) * 200;
    const pushed = backend.tick(last - 199, last);
    await until("the first of them are there", () => witness.numbers.length > last - 200);
    link.cut();
    link.mend();
    await pushed;
    await until("it is back", () => link.connections === round + 2 && witness.isLive);
  }
  await until("all events", () => witness.numbers.at(-1) === 4_000);
  expect(witness.numbers).toEqual(numbers(1, 4_000));
  expect(witness.skips).toEqual([]);
  expect(witness.countOf("sync:full")).toBe(1);
  expect(witness.countOf("sync:resume")).toBe(20);
});

test.each(["?token=&x", "?epoch=&seq=", "?", "?a=&b&&c=1&", "?epoch=other&seq=9#part"])(
  "an address that ends in %s resumes all the same",
  async (ending) => {
    const relay = await setup.relay();
    const backend = setup.backend(relay);
    const link = await setup.link(relay);
    const witness = await setup.liveWitness(link.url + ending);
    await backend.tick(1, 3);
    await until("the first events", () => witness.numbers.length === 3);
    link.cut();
    await until("the cut is noticed", () => witness.client.status === "offline");
    await backend.tick(4, 6);
    link.mend();
    await until("it is back", () => witness.isLive && witness.numbers.length === 6);
    expect(witness.countOf("sync:full")).toBe(1);
    expect(witness.countOf("sync:resume")).toBe(1);
  },
);

test("a restarted relay's snapshot is taken, and nobody claims to know what was missed", async () => {
  const relay = await setup.relay();
  const backend = setup.backend(relay);
  const witness = await setup.liveWitness(relay.url);
  await backend.set("radio", { track: 1 });
  await until("the state", () => witness.client.get("radio") !== null);
  const before = witness.client.position;

  await relay.kill();
  await until("the loss is noticed", () => witness.client.status === "offline");
  expect(witness.client.get("radio")).toEqual({ track: 1 });
  const next = await setup.relay([], relay.port);
  await until("it is live again", () => witness.isLive);
  expect(witness.client.get("radio")).toBeNull();
  expect(witness.client.position?.epoch).not.toBe(before?.epoch);
  expect(witness.skips).toEqual([{ events: null, from: before, to: witness.client.position }]);

  await backend.set("radio", { track: 2 });
  await until("the new state", () => witness.client.get("radio") !== null);
  expect(witness.client.state).toEqual(await setup.control(next).state());
});

test("a relay that shuts down leaves its clients waiting for the next", async () => {
  const relay = await setup.relay();
  const witness = await setup.liveWitness(relay.url);
  await relay.stop();
  await until("the end is noticed", () => witness.client.status === "offline");
  await setup.relay([], relay.port);
  await until("it is live again", () => witness.isLive);
  expect(witness.errors).toEqual([]);
});

test("a client that reads too slowly is told how much it skipped, and its state is whole", async () => {
  const relay = await setup.relay(["--log-events", "100"]);
  const backend = setup.backend(relay);
  const link = await setup.link(relay);
  const witness = await setup.liveWitness(link.url, { heartbeat: 300 });
  const nearby = await setup.liveWitness(relay.url);
  await backend.tick(1, 10);
  await until("the first events", () => witness.numbers.length === 10);

  link.stall();
  const padding = randomBytes(75_000).toString("base64"); // 30 MB in all, 22 deflated: more than the kernel keeps
  for (let first = 11; first <= 300; first += 10) {
    await backend.tick(first, first + 9, padding);
    await until("others have them", () => nearby.numbers.at(-1) === first + 9);
  }
  await backend.set("radio", { track: 9 });
  await until("others have the state", () => nearby.client.get("radio") !== null);
  link.resume();
  await until("it has caught up", () => witness.client.get("radio") !== null);
  await backend.tick(301, 301);
  await until("it goes on", () => witness.numbers.at(-1) === 301);

  expect(witness.skips.length).toBeGreaterThan(0);
  expect(witness.unaccounted).toBe(0);
  expect(link.connections).toBe(1);
  expect(witness.statuses).toEqual(["live"]);
  expect(witness.client.state).toEqual(nearby.client.state);
});

test("a client that was away for longer than the window learns what it missed", async () => {
  const relay = await setup.relay(["--log-events", "50"]);
  const backend = setup.backend(relay);
  const link = await setup.link(relay);
  const witness = await setup.liveWitness(link.url);
  const nearby = await setup.liveWitness(relay.url);
  await backend.tick(1, 10);
  await until("the first events", () => witness.numbers.length === 10);
  link.cut();
  await until("the cut is noticed", () => witness.client.status === "offline");
  await backend.tick(11, 1_000);
  await until("others have them", () => nearby.client.position?.seq === 1_000);
  link.mend();
  await until("it is back", () => witness.isLive);
  expect(witness.skips).toMatchObject([{ events: 990, from: { seq: 10 }, to: { seq: 1_000 } }]);
});

test("a relay that has no room is asked again until it has", async () => {
  const relay = await setup.relay(["--max-clients", "1"]);
  const first = await setup.liveWitness(relay.url);
  const second = setup.witness(relay.url);
  await until("it was refused", () => second.statuses.includes("offline"));
  expect(second.client.error).toBeNull();
  first.client.close();
  await until("it is in", () => second.isLive);
});

test("kill -9 of a relay with storage loses no confirmed event, and no client needs a snapshot", async () => {
  let relay = await setup.relay(setup.storage);
  const control = setup.control(relay);
  const witness = await setup.liveWitness(relay.url);
  const epoch = witness.client.position?.epoch;
  for (let round = 0; round < 3; round += 1) {
    const confirmed = confirmTicks(control, round * 200 + 1, round * 200 + 200);
    await until("events of this round", () => witness.numbers.length > round * 200 + 50);
    await relay.kill();
    relay = await setup.relay(setup.storage, relay.port);
    await confirmed;
  }
  await until("all events", () => witness.numbers.at(-1) === 600);

  expect(witness.numbers).toEqual(numbers(1, 600));
  expect(witness.unaccounted).toBe(0);
  expect(witness.skips).toEqual([]);
  expect(witness.errors).toEqual([]);
  expect(witness.client.position?.epoch).toBe(epoch);
  expect(witness.countOf("sync:full")).toBe(1);
  expect(witness.client.state).toEqual(await control.state());
});

async function confirmTicks(control: Control, first: number, last: number): Promise<void> {
  for (const number of numbers(first, last)) {
    const change = { set: { last: number } };
    await control.confirm({ op: "broadcast", type: "tick", data: { number }, ...change });
  }
}
