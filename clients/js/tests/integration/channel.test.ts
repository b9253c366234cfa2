/** Channels at the real relay, over faulty networks. */

import { afterEach, beforeEach, expect, test } from "vitest";
import type { Channel, Json } from "../../src/index.js";
import { Setup } from "./setup.js";
import { until } from "./until.js";
import { numbers, type Witness } from "./witness.js";

const OPEN = ["--open-channels", "room:*"];

let setup: Setup;

beforeEach(() => {
  setup = new Setup();
});

afterEach(() => setup.tearDown());

interface Notes {
  readonly channel: Channel;
  readonly statuses: string[];
  readonly numbers: Json[];
  readonly drops: number[];
  readonly stop: () => void;
}

function follow({ client }: Witness, name: string): Notes {
  const channel = client.channel(name);
  const notes = { channel, statuses: [] as string[], numbers: [] as Json[], drops: [] as number[] };
  const stops = [
    channel.onStatus((status) => notes.statuses.push(status)),
    channel.onDropped(({ skipped }) => notes.drops.push(skipped)),
    channel.on("tick", (number) => notes.numbers.push(number)),
  ];
  const stop = () => {
    for (const end of stops) end();
  };
  return { ...notes, stop };
}

const isLive = ({ channel }: Notes) => channel.status === "live";

const tick = (channel: string, number: number) => ({
  op: "broadcast",
  channel,
  type: "tick",
  data: number,
});

test("a room's state and events are its own", async () => {
  const relay = await setup.relay(OPEN);
  const backend = setup.backend(relay);
  const witness = await setup.liveWitness(relay.url);
  const [one, two] = [follow(witness, "room:1"), follow(witness, "room:2")];
  await until("both rooms are live", () => isLive(one) && isLive(two));
  await backend.push(
    { op: "set", channel: "room:1", key: "topic", value: { name: "é", tags: [1.5] } },
    { op: "merge", channel: "room:1", key: "topic", value: { tags: null } },
    { op: "set", channel: "room:2", key: "topic", value: "two" },
    tick("room:1", 1),
    tick("room:2", 2),
  );
  await backend.tick(3, 3);
  await until("the last event", () => witness.numbers.length === 1);
  expect(one.channel.state).toEqual({ topic: { name: "é" } });
  expect(two.channel.state).toEqual({ topic: "two" });
  expect([one.numbers, two.numbers, witness.numbers]).toEqual([[1], [2], [3]]);
  expect([one.channel.position?.seq, two.channel.position?.seq]).toEqual([3, 2]);
  expect(witness.client.state).toEqual({ comparison: null, radio: null });
  expect(witness.errors).toEqual([]);
});

test("after a cut all rooms resume without a snapshot, those that the address does not hold, too", async () => {
  const relay = await setup.relay(OPEN);
  const backend = setup.backend(relay);
  const link = await setup.link(relay);
  const witness = await setup.liveWitness(link.url);
  const nearby = await setup.liveWitness(relay.url);
  const names = numbers(1, 100).map((number) => `room:${"x".repeat(90)}${number}`);
  const rooms = names.map((name) => follow(witness, name));
  await until("all rooms are live", () => rooms.every(isLive));
  const snapshots = witness.countOf("sync:full");

  link.cut();
  await until("the cut is noticed", () => witness.client.status === "offline");
  await backend.push(...names.map((name, index) => tick(name, index)));
  await backend.tick(1, 1);
  await until("the relay has told it to others", () => nearby.numbers.length === 1);
  link.mend();
  await until("all rooms are live again", () => rooms.every(isLive));

  expect(rooms.map((room) => room.numbers)).toEqual(names.map((_, index) => [index]));
  expect(witness.countOf("sync:full")).toBe(snapshots);
  expect(witness.errors).toEqual([]);
});

test("a room that is not open is refused, and the connection stays", async () => {
  const relay = await setup.relay(OPEN);
  const witness = await setup.liveWitness(relay.url);
  const [hall, personal] = [follow(witness, "hall"), follow(witness, "@me")];
  await until("both are refused", () =>
    [hall, personal].every(({ channel }) => channel.status === "refused"),
  );
  expect([hall.channel.error?.code, personal.channel.error?.code]).toEqual([
    "forbidden",
    "forbidden",
  ]);
  expect(witness.statuses).toEqual(["live"]);
  expect(witness.errors).toHaveLength(2);
});

test("a dropped room is followed when it is made anew", async () => {
  const relay = await setup.relay(OPEN);
  const control = setup.control(relay);
  const witness = await setup.liveWitness(relay.url);
  const room = follow(witness, "room:1");
  await until("the room is live", () => isLive(room));
  await control.confirm({ op: "set", channel: "room:1", key: "topic", value: "old" });
  await until("its state", () => room.channel.get("topic") === "old");
  await control.confirm({ op: "drop", channel: "room:1" });
  await until("the drop is told", () => room.drops.length === 1);
  await until("the room is live again", () => isLive(room));
  expect(room.channel.state).toEqual({});
  await control.confirm({ op: "set", channel: "room:1", key: "topic", value: "new" });
  await until("its new state", () => room.channel.get("topic") === "new");
  expect(room.statuses).toEqual(["live", "connecting", "live"]);
  expect(witness.errors).toEqual([]);
});

test("a room that comes and goes while events pour in tells nothing of before", async () => {
  const relay = await setup.relay(OPEN);
  const backend = setup.backend(relay);
  const witness = await setup.liveWitness(relay.url);
  const told: Json[][] = [];
  for (let round = 0; round < 20; round += 1) {
    const room = follow(witness, "room:1");
    await backend.push(
      ...numbers(round * 50, round * 50 + 49).map((number) => tick("room:1", number)),
    );
    await until("an event", () => room.numbers.length > 0 || isLive(room));
    room.stop();
    told.push(room.numbers);
  }
  const last = follow(witness, "room:1");
  await until("it is live", () => isLive(last));
  await backend.push(tick("room:1", 1_000));
  await until("the last event", () => last.numbers.at(-1) === 1_000);
  for (const run of [...told, last.numbers]) {
    expect(run).toEqual(run.map((_, index) => Number(run[0]) + index));
  }
  expect(witness.errors).toEqual([]);
  expect(witness.statuses).toEqual(["live"]);
});

test("without the default channel nothing of it is sent", async () => {
  const relay = await setup.relay(OPEN);
  const backend = setup.backend(relay);
  const witness = setup.witness(relay.url, { defaultChannel: false });
  witness.stop();
  const room = follow(witness, "room:1");
  await until("the room is live", () => isLive(room));
  const before = witness.countOf("sync:set");
  await backend.push({ op: "set", key: "radio", value: 1 }, tick("room:1", 1));
  await until("the room's event", () => room.numbers.length === 1);
  expect(witness.countOf("sync:set")).toBe(before);
  expect(witness.client.status).toBe("live");
});
