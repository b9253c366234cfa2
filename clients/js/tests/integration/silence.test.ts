/** The client and the real relay when nothing is said, and when nothing can be. */

import { afterEach, beforeEach, expect, test } from "vitest";
import { Setup } from "./setup.js";
import { until } from "./until.js";

let setup: Setup;

beforeEach(() => {
  setup = new Setup();
});

afterEach(() => setup.tearDown());

test("a network that fell silent is noticed by the missing heartbeats", async () => {
  const relay = await setup.relay();
  const backend = setup.backend(relay);
  const link = await setup.link(relay);
  const witness = await setup.liveWitness(link.url, { heartbeat: 1 });
  link.stall();
  await backend.tick(1, 3);
  await until("all events by a new connection", () => witness.numbers.length === 3);
  expect(link.connections).toBe(2);
  expect(witness.numbers).toEqual([1, 2, 3]);
  expect(witness.skips).toEqual([]);
});

test("a relay without anything to say keeps the connection by heartbeats", async () => {
  const relay = await setup.relay();
  const link = await setup.link(relay);
  const witness = await setup.liveWitness(link.url, { heartbeat: 1 });
  await until("four heartbeats", () => witness.countOf("ping") === 4);
  expect(witness.statuses).toEqual(["live"]);
  expect(link.connections).toBe(1);
});

test.each([
  ["shorter than", 2, "1s"],
  ["as long as", 1, "1s"],
  ["longer than", 1, "3s"],
])(
  "protocol pings at intervals %s a heartbeat's take no heartbeat's place",
  async (_, heartbeat, interval) => {
    const relay = await setup.relay(["--ping-interval", interval, "--ping-timeout", "30s"]);
    const link = await setup.link(relay);
    const witness = await setup.liveWitness(link.url, { heartbeat });
    await until("six heartbeats", () => witness.countOf("ping") >= 6, 25);
    expect(witness.statuses).toEqual(["live"]);
    expect(link.connections).toBe(1);
  },
);

test("a frozen relay is doubtful, then lost, within 11 s by default, and live again when it goes on", async () => {
  const relay = await setup.relay();
  const backend = setup.backend(relay);
  const witness = await setup.liveWitness(relay.url);
  relay.freeze();
  const begin = performance.now();
  await until(
    "it is lost",
    () => witness.client.status !== "live" && witness.statuses.length > 2,
    15,
  );
  expect(witness.statuses.slice(0, 3)).toEqual(["live", "doubtful", "offline"]);
  expect(performance.now() - begin).toBeLessThan(11_000);
  relay.thaw();
  await backend.tick(1, 3);
  await until("it is live with all events", () => witness.isLive && witness.numbers.length === 3);
  expect(witness.skips).toEqual([]);
  expect(witness.errors).toEqual([]);
});

test("a freeze that ends in time is a doubt and no loss", async () => {
  const relay = await setup.relay();
  const backend = setup.backend(relay);
  const link = await setup.link(relay);
  const witness = await setup.liveWitness(link.url);
  relay.freeze();
  await until("it is doubtful", () => witness.client.status === "doubtful", 10);
  await backend.tick(1, 1); // a relay that does not answer has a heartbeat's time before the next
  relay.thaw();
  await until("it is live", () => witness.isLive);
  expect(witness.statuses).toEqual(["live", "doubtful", "live"]);
  expect(link.connections).toBe(1);
});

test("questions disturb no relay, whether it answers them or not", async () => {
  const relay = await setup.relay();
  const link = await setup.link(relay);
  const wakers: (() => void)[] = [];
  const wakeOn = (wake: () => void) => {
    wakers.push(wake);
    return () => {};
  };
  const witness = await setup.liveWitness(link.url, { heartbeat: 1, wakeOn });
  for (let beat = 1; beat <= 3; beat += 1) {
    for (let count = 0; count < 20; count += 1) wakers[0]?.();
    await until("a heartbeat", () => witness.countOf("ping") >= beat);
  }
  expect(witness.statuses).toEqual(["live"]);
  expect(link.connections).toBe(1);
});
