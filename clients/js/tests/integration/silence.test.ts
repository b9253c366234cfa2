/** The client and the real relay when nothing is said, and when nothing can be. */

import { afterEach, beforeEach, expect, test } from "vitest";
import { Setup } from "./setup.js";
import { until } from "./until.js";
import type { Witness } from "./witness.js";

// Seconds: the client's 10, 2 more where its timers were held up, and a busy machine's.
// The exact times are those of tests/unit.
const FOUND_OUT = 20;

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
  await until("four heartbeats", () => witness.countOf("ping") >= 4);
  expect(witness.statuses).not.toContain("offline");
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
    expect(witness.statuses).not.toContain("offline");
    expect(link.connections).toBe(1);
  },
);

test("a frozen relay is doubtful, then lost, and live again when it goes on", async () => {
  const relay = await setup.relay();
  const backend = setup.backend(relay);
  const witness = await setup.liveWitness(relay.url);
  await relay.freeze();
  await until("it is lost", () => witness.statuses.includes("offline"), FOUND_OUT);
  expect(witness.statuses.slice(0, 3)).toEqual(["live", "doubtful", "offline"]);
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
  await relay.freeze();
  await until("it is doubtful", () => witness.client.status === "doubtful");
  await backend.tick(1, 1);
  relay.thaw();
  await until("it is live", () => witness.isLive);
  expect(witness.statuses).toEqual(["live", "doubtful", "live"]);
  expect(link.connections).toBe(1);
});

/** A client that sends its questions when the test says so, and gets no heartbeat of the row meanwhile. */
async function liveAsker(url: string): Promise<[witness: Witness, wake: () => void]> {
  const wakers: (() => void)[] = [];
  const wakeOn = (wake: () => void) => {
    wakers.push(wake);
    return () => {};
  };
  const witness = await setup.liveWitness(url, { heartbeat: 300, wakeOn });
  return [witness, () => wakers[0]?.()];
}

test("the relay answers each question at once", async () => {
  const relay = await setup.relay();
  const [witness, wake] = await liveAsker(relay.url);
  await until("the answer to the first question", () => witness.countOf("ping") === 1);
  for (let count = 2; count <= 5; count += 1) {
    wake();
    await until("the answer", () => witness.countOf("ping") === count);
  }
  expect(witness.statuses).toEqual(["live"]);
});

test("a frozen relay is found out soon after a wake, whatever the heartbeat", async () => {
  const relay = await setup.relay();
  const [witness, wake] = await liveAsker(relay.url);
  await until("the answer to the first question", () => witness.countOf("ping") === 1);
  await relay.freeze();
  wake();
  await until("it is lost", () => witness.statuses.includes("offline"), FOUND_OUT);
  expect(witness.statuses.slice(0, 3)).toEqual(["live", "doubtful", "offline"]);
});

test("a relay that was frozen answers the question that waited", async () => {
  const relay = await setup.relay();
  const link = await setup.link(relay);
  const [witness, wake] = await liveAsker(link.url);
  await until("the answer to the first question", () => witness.countOf("ping") === 1);
  await relay.freeze();
  wake();
  await until("it is doubtful", () => witness.client.status === "doubtful");
  relay.thaw();
  await until("it is live", () => witness.isLive);
  expect(witness.statuses).toEqual(["live", "doubtful", "live"]);
  expect(link.connections).toBe(1);
});

test("many questions at once disturb nothing", async () => {
  const relay = await setup.relay();
  const backend = setup.backend(relay);
  const link = await setup.link(relay);
  const [witness, wake] = await liveAsker(link.url);
  for (let count = 0; count < 500; count += 1) wake();
  await backend.tick(1, 100);
  await until("all events", () => witness.numbers.length === 100);
  expect(witness.statuses).toEqual(["live"]);
  expect(link.connections).toBe(1);
});
