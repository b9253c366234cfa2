/** Identities, members and what clients say, at the real relay. */

import { afterEach, beforeEach, expect, test } from "vitest";
import type { RefusedError, RequestError } from "../../src/index.js";
import type { Control, Handed } from "./control.js";
import { Setup } from "./setup.js";
import { until } from "./until.js";
import { numbers, type Witness } from "./witness.js";

const ROOM = "room:1";
const IDENTITY = ["--anonymous-identity", "--open-channels", "room:*"];
const PUBLISH = [...IDENTITY, "--client-publish", "room:*"];
const PRESENCE = [...IDENTITY, "--presence", "room:*", "--presence-grace-closed", "0s"];

let setup: Setup;

beforeEach(() => {
  setup = new Setup();
});

afterEach(() => setup.tearDown());

/** What a promise is rejected with. */
async function errorOf(promise: Promise<unknown>): Promise<RequestError> {
  return promise.then(
    () => Promise.reject(new Error("it was not rejected")),
    (error) => error,
  );
}

function ticksOf(
  { client }: Witness,
  channel: string,
): (readonly [data: unknown, from: string | undefined])[] {
  const ticks: (readonly [unknown, string | undefined])[] = [];
  client.channel(channel).on("tick", (data, { from }) => ticks.push([data, from]));
  return ticks;
}

function tick(channel: string, data: number): object {
  return { op: "broadcast", channel, type: "tick", data };
}

test("an identity has a channel of its own, which no other hears, and which waits for it", async () => {
  const relay = await setup.relay(IDENTITY);
  const backend = setup.backend(relay);
  const link = await setup.link(relay);
  const [ann, bob] = [await setup.liveWitness(link.url), await setup.liveWitness(relay.url)];
  await ann.client.identify({ id: "ann", info: { name: "Ann" } });
  await bob.client.identify({ id: "bob" });
  const [anns, bobs] = [ticksOf(ann, "@ann"), ticksOf(bob, "@bob")];
  await until("both are live", () =>
    [ann.client.channel("@ann"), bob.client.channel("@bob")].every(
      ({ status }) => status === "live",
    ),
  );
  await backend.push(tick("@ann", 1), tick("@bob", 2));
  await until("each has its own", () => anns.length === 1 && bobs.length === 1);
  link.cut();
  await until("the cut is noticed", () => ann.client.status === "offline");
  await backend.push(tick("@ann", 3), tick("@bob", 4));
  await until("the other has it", () => bobs.length === 2);
  link.mend();
  await until("what was missed is there", () => anns.length === 2);
  expect(anns.map(([data]) => data)).toEqual([1, 3]);
  expect(bobs.map(([data]) => data)).toEqual([2, 4]);
  await ann.client.identify({ id: "ann", info: { name: "Anna" } });
  expect([...ann.errors, ...bob.errors]).toEqual([]);
});

test("a relay that lets nobody say who they are says so", async () => {
  const relay = await setup.relay();
  const { client, errors } = await setup.liveWitness(relay.url);
  const error = await errorOf(client.identify({ id: "ann" }));
  expect(error.code).toBe("identity_not_allowed");
  await until("nobody follows her channel", () => client.channel("@ann").status === "idle");
  expect(client.status).toBe("live");
  expect(errors).toEqual([]);
});

test("what a client publishes is an event that says who it is from", async () => {
  const relay = await setup.relay(PUBLISH);
  const [ann, bob] = [await setup.liveWitness(relay.url), await setup.liveWitness(relay.url)];
  const ticks = ticksOf(bob, ROOM);
  await until("the room is live", () => bob.client.channel(ROOM).status === "live");
  await ann.client.publish(ROOM, "tick", { x: 1 });
  await ann.client.identify({ id: "ann" });
  await ann.client.publish(ROOM, "tick", "é\u{1f600}");
  await until("both are there", () => ticks.length === 2);
  expect(ticks).toEqual([
    [{ x: 1 }, undefined],
    ["é\u{1f600}", "ann"],
  ]);
  expect((await errorOf(ann.client.publish("hall", "tick", 1))).code).toBe("forbidden");
  expect((await errorOf(ann.client.publish("", "tick", { number: 1 }))).code).toBe("forbidden");
  expect((await errorOf(ann.client.publish(ROOM, "ping", 1))).code).toBe("reserved_type");
});

test("100 events are published at the pace that the relay allows, in order", async () => {
  const relay = await setup.relay(PUBLISH);
  const witness = await setup.liveWitness(relay.url, { sendRate: 19 });
  const ticks = ticksOf(witness, ROOM);
  await Promise.all(numbers(1, 100).map((number) => witness.client.publish(ROOM, "tick", number)));
  await until("all are there", () => ticks.length === 100);
  expect(ticks.map(([data]) => data)).toEqual(numbers(1, 100));
  expect(witness.countOf("sync:error")).toBe(0);
});

test("members come, change and go, for all the same", async () => {
  const relay = await setup.relay(PRESENCE);
  const [ann, bob] = [await setup.liveWitness(relay.url), await setup.liveWitness(relay.url)];
  await ann.client.identify({ id: "ann", info: { name: "Ann" } });
  await bob.client.identify({ id: "bob", info: { name: "Bob" } });
  const rooms = [ann, bob].map(({ client }) => client.channel(ROOM));
  const [leaveAnn] = rooms.map((room) => room.onMembers(() => {}));
  const names = () =>
    rooms.map(({ members }) =>
      Object.values(members)
        .map(({ info }) => info.name)
        .join(" "),
    );
  await until("both see both", () => rooms.every(({ members }) => members.ann && members.bob));
  await bob.client.identify({ id: "bob", info: { name: "Bo" } });
  await until("both see the new name", () =>
    names().every((all) => all.includes("Bo") && !all.includes("Bob")),
  );
  leaveAnn?.();
  await until("the other sees her go", () => rooms[1]?.members.ann === undefined);
  expect(rooms[1]?.members.bob?.since).toBeGreaterThan(1_700_000_000);
  expect([...ann.errors, ...bob.errors]).toEqual([]);
});

test("who is disconnected comes back, or not, as the code says", async () => {
  const relay = await setup.relay(IDENTITY);
  const control = setup.control(relay);
  const { client, statuses } = await setup.liveWitness(relay.url);
  await client.identify({ id: "ann" });
  expect(await control.disconnect("ann", 4000, "moved")).toBe(1);
  await until("it is back", () => statuses.filter((status) => status === "live").length === 2);
  await until(
    "the relay knows it again",
    async () => (await control.disconnect("ann", 4410, "gone")) === 1,
  );
  await until("the end is told", () => client.error !== null);
  expect(client.error as RefusedError).toMatchObject({ code: 4410, reason: "gone" });
  expect((await errorOf(client.send("vote"))).code).toBe("closed");
});

/** What backends are handed until the numbers in it reach `last`. */
async function receiveUntil(control: Control, last: number): Promise<Handed[]> {
  const all: Handed[] = [];
  await until(
    "all have been said",
    async () => {
      all.push(...(await control.receive()));
      return all.at(-1)?.data.data === last;
    },
    60,
  );
  return all;
}

test("without a backend a message is rejected", async () => {
  const relay = await setup.relay();
  const { client } = await setup.liveWitness(relay.url);
  expect((await errorOf(client.send("vote", 1))).code).toBe("no_backend");
});

test.each([
  ["nobody", []],
  ["an identity", IDENTITY],
])(
  "through many cuts each message of %s reaches the backend once, in order",
  async (who, flags) => {
    const relay = await setup.relay([...flags, "--client-rate", "0"]);
    const control = setup.control(relay);
    const link = await setup.link(relay);
    await control.receive();
    const witness = await setup.liveWitness(link.url, {
      sendRate: 1_000,
      retryFirst: 1,
      retryLongest: 5,
    });
    if (who === "an identity") await witness.client.identify({ id: "ann" });
    const sent: Promise<void>[] = [];
    for (let round = 0; round < 10; round += 1) {
      for (const number of numbers(round * 40 + 1, round * 40 + 40)) {
        sent.push(witness.client.send("vote", number, { channel: ROOM }));
      }
      await until("some are acknowledged", () => witness.countOf("sync:ack") > round * 20);
      link.cut();
      link.mend();
      await until("it is back", () => link.connections === round + 2 && witness.isLive);
    }
    await Promise.all(sent);
    const handed = await receiveUntil(control, 400);
    expect(handed.map(({ data }) => data.data)).toEqual(numbers(1, 400));
    expect(new Set(handed.map(({ id }) => id))).toEqual(
      new Set([who === "an identity" ? "ann" : undefined]),
    );
    expect(handed[0]).toMatchObject({ channel: ROOM, attempt: 1, data: { type: "vote" } });
    expect(witness.errors).toEqual([]);
  },
);

test("a message that is too large is rejected, and what waits behind it arrives", async () => {
  const relay = await setup.relay();
  const control = setup.control(relay);
  await control.receive();
  const { client, statuses } = await setup.liveWitness(relay.url);
  const large = errorOf(client.send("paste", "x".repeat(70_000)));
  const small = client.send("vote", 1);
  expect((await large).code).toBe("message_too_large");
  await small;
  expect((await receiveUntil(control, 1)).map(({ data }) => data.type)).toEqual(["vote"]);
  expect(statuses).toContain("offline");
});
