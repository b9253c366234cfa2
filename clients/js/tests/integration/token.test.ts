/** Tokens, at the real relay. */

import { afterEach, beforeEach, expect, test } from "vitest";
import type { RefusedError, RequestError } from "../../src/index.js";
import { jwt } from "../fakes/jwt.js";
import { Setup } from "./setup.js";
import { until } from "./until.js";
import type { Witness } from "./witness.js";

const LEEWAY = 60; // seconds that a relay takes a token for longer
const ROOMS = ["--open-channels", "room:*"];

let setup: Setup;

beforeEach(() => {
  setup = new Setup();
});

afterEach(() => setup.tearDown());

/** `exp` of a token whose grant ends so many seconds from now. */
const endsIn = (seconds: number) => Math.floor(Date.now() / 1000) - LEEWAY + seconds;

async function errorOf(promise: Promise<unknown>): Promise<RequestError> {
  return promise.then(
    () => Promise.reject(new Error("it was not rejected")),
    (error) => error,
  );
}

function ticksOf({ client }: Witness, channel: string): unknown[] {
  const ticks: unknown[] = [];
  client.channel(channel).on("tick", (data) => ticks.push(data));
  return ticks;
}

const tick = (channel: string, data: number) => ({ op: "broadcast", channel, type: "tick", data });

test("a token lets in, and says who it is: members, messages and the own channel, through an outage", async () => {
  const relay = await setup.relay([...setup.tokens, ...ROOMS, "--presence", "room:*"]);
  const [backend, control] = [setup.backend(relay), setup.control(relay)];
  await control.receive();
  const link = await setup.link(relay);
  const tokens: string[] = [];
  const token = async () => {
    tokens.push(jwt({ sub: "ann", info: { name: "Zoë ✓" }, jti: `${tokens.length}` }));
    return tokens.at(-1) ?? "";
  };
  const ann = await setup.liveWitness(link.url, { token });
  const room = ann.client.channel("room:1");
  room.follow();
  const ticks = ticksOf(ann, "@ann");
  await until("she is there", () => room.members.ann !== undefined);
  expect(room.members.ann?.info).toEqual({ name: "Zoë ✓" });
  await ann.client.send("vote", 1);
  await backend.push(tick("@ann", 1));
  await until("it is heard", () => ticks.length === 1);
  link.cut();
  await until("the cut is noticed", () => ann.client.status === "offline");
  await backend.push(tick("@ann", 2), tick("@ann", 3));
  link.mend();
  await until("what was missed is there", () => ticks.length === 3);
  expect(ticks).toEqual([1, 2, 3]);
  expect([ann.countOf("sync:full"), ann.countOf("sync:resume")]).toEqual([3, 3]);
  await ann.client.send("vote", 2);
  const handed = await control.receive();
  expect(handed.map(({ id, data }) => [id, data.data])).toEqual([
    ["ann", 1],
    ["ann", 2],
  ]);
  expect((await errorOf(ann.client.identify({ id: "ann" }))).code).toBe("identity_not_allowed");
  expect(tokens.length).toBeGreaterThan(1);
  expect(ann.errors).toEqual([]);
});

test("a token is renewed in time, on the same connection", async () => {
  const relay = await setup.relay(setup.tokens);
  const link = await setup.link(relay);
  const ends = [endsIn(3), endsIn(3_600)];
  let calls = 0;
  const token = () => {
    calls += 1;
    return jwt({ sub: "ann", exp: ends[calls - 1] ?? ends.at(-1) });
  };
  const ann = await setup.liveWitness(link.url, { token });
  await until("it has been renewed", () => ann.countOf("sync:ack") === 1);
  const backend = setup.backend(relay);
  const begun = Date.now();
  await until("the first one is over", () => Date.now() - begun > 4_500);
  await backend.broadcast("tick", { number: 1 });
  await until("it still hears", () => ann.numbers.length === 1);
  expect(calls).toBe(2);
  expect(link.connections).toBe(1);
  expect(ann.statuses).toEqual(["live"]);
  expect(ann.errors).toEqual([]);
});

test("a newer token that is refused is tried again until the end, and then on a new connection", async () => {
  const relay = await setup.relay(setup.tokens);
  const link = await setup.link(relay);
  const good = [jwt({ sub: "ann", exp: endsIn(3) }), jwt({ sub: "ann" })];
  const bad = jwt({ sub: "ann" }, "of-somebody-else-0123456789-0123456789");
  const token = () => (link.connections === 0 ? good[0] : isOver ? good[1] : bad) ?? "";
  let isOver = false;
  const ann = await setup.liveWitness(link.url, { token });
  ann.client.onStatus((status) => {
    isOver ||= status === "offline";
  });
  await until("it is back", () => link.connections === 2 && ann.isLive);
  expect(ann.countOf("sync:error")).toBeGreaterThan(2);
  expect(ann.errors.length).toBeGreaterThan(2);
  for (const error of ann.errors) expect(error).toMatchObject({ code: "token_invalid" });
  expect(ann.client.error).toBeNull();
});

test("a newer token that allows less ends what it does not allow, and one that names somebody brings the own channel", async () => {
  const relay = await setup.relay(setup.tokens);
  const backend = setup.backend(relay);
  const tokens = [
    jwt({ channels: ["", "a", "b"], exp: endsIn(5) }),
    jwt({ channels: ["", "b"], sub: "ann" }),
  ];
  const ann = setup.witness(relay.url, { token: () => tokens.shift() ?? "" });
  const [a, b] = ["a", "b"].map((name) => ann.client.channel(name));
  for (const channel of [a, b]) channel?.follow();
  await until("one is refused", () => a?.status === "refused");
  await until("the own one is there", () => ann.client.channel("@ann").status === "live");
  const ticks = ticksOf(ann, "@ann");
  await backend.push(tick("@ann", 1));
  await until("it is heard", () => ticks.length === 1);
  expect(b?.status).toBe("live");
  expect(ann.isLive).toBe(true);
  expect(ann.errors).toMatchObject([{ name: "ChannelRefusedError", channel: "a" }]);
});

test.each([
  ["a token that is over", () => jwt({ exp: endsIn(-5) }), 4401, "token_expired"],
  ["a token of somebody else", () => jwt({}, "x".repeat(32)), 4401, "token_invalid"],
  ["no token", () => undefined, 4401, "token_missing"],
  ["a token for other channels", () => () => jwt({ channels: ["room:*"] }), 4403, "forbidden"],
])("%s ends it, and what waits is rejected", async (_, token, code, reason) => {
  const relay = await setup.relay(setup.tokens);
  const { client } = setup.witness(relay.url, { token: token() });
  const error = await errorOf(client.send("vote"));
  expect(error.code).toBe("closed");
  expect(error.reason).toContain(`(close code ${code}): ${reason}`);
  expect(client.error as RefusedError).toMatchObject({ code, reason });
  expect(client.status).toBe("offline");
});

test("a function that gives bad tokens is asked again, and lets in once it gives a good one", async () => {
  const relay = await setup.relay(setup.tokens);
  const bad = jwt({}, "x".repeat(32));
  let calls = 0;
  const token = () => {
    calls += 1;
    return calls < 4 ? bad : jwt();
  };
  const { errors } = await setup.liveWitness(relay.url, { token });
  expect(calls).toBe(4);
  expect(errors).toMatchObject(Array(3).fill({ name: "RequestError", code: "token_invalid" }));
});

test("a relay without keys looks at no token", async () => {
  const relay = await setup.relay(ROOMS);
  const { client, errors } = await setup.liveWitness(relay.url, { token: "a.b.c" });
  const room = client.channel("room:1");
  room.follow();
  await until("the room is live", () => room.status === "live");
  expect(errors).toEqual([]);
});
