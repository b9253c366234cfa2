/** Who the client is: told first thing on each connection, and the personal channel that comes with it. */

import { expect, test } from "vitest";
import { ChannelRefusedError, RequestError } from "../../src/error.js";
import { witness } from "../fakes/channel_witness.js";
import { SESSION } from "../fakes/fake_environment.js";
import { type Played, play, playLive, reconnect } from "../fakes/played_client.js";
import { fateOf, told } from "../fakes/promises.js";
import {
  ack,
  EPOCH,
  event,
  inChannel,
  refusal,
  refused,
  resume,
  snapshot,
} from "../fakes/relay_message.js";

const ME = "@dev-1";
const INFO = { name: "Phone" };
const HELLO = { type: "sync:hello", id: "dev-1", info: INFO };
const REF = (number: number) => `${SESSION}-${number}`;

/** Live and known. */
function playKnown() {
  const played = playLive();
  const fate = fateOf(played.client.identify({ id: "dev-1", info: INFO }));
  const personal = witness(played.client, ME);
  played.world.socket.tell(ack(REF(1)), inChannel(ME, snapshot(7, { radio: 1 })));
  expect(played.world.socket.said).toEqual([{ ...HELLO, ref: REF(1) }]);
  return { ...played, fate, personal };
}

/** The types of what the client said since this was asked last. */
function types({ world }: Played): string[] {
  return (world.socket.said as { type: string }[]).map(({ type }) => type);
}

test("identify is resolved by the acknowledgement, and the personal channel follows by itself", async () => {
  const { world, fate, personal } = playKnown();
  await told();
  expect(fate.now).toBe("done");
  world.socket.tell(inChannel(ME, event(8, "tick")));
  expect(personal.seqs).toEqual([8]);
  expect(personal.channel.state).toEqual({ radio: 1 });
  expect(personal.channel.status).toBe("live");
  expect(world.errors).toEqual([]);
});

test("the answers may come the other way round", async () => {
  const { world, client } = playLive();
  const fate = fateOf(client.identify({ id: "dev-1" }));
  world.socket.tell(inChannel(ME, snapshot(7, { radio: 1 })), ack(REF(1)));
  await told();
  expect(fate.now).toBe("done");
  expect(client.channel(ME).state).toEqual({ radio: 1 });
});

test("before the connection is there it is told first thing, ahead of channels and messages", () => {
  const played = play();
  const { world, client } = played;
  witness(client, "a");
  fateOf(client.send("vote"));
  fateOf(client.identify({ id: "dev-1" }));
  witness(client, ME);
  world.socket.accept();
  expect(types(played)).toEqual(["sync:hello", "sync:subscribe", "vote"]);
});

test("after an outage it is told again, and resumes where the personal channel stands", () => {
  const played = playKnown();
  const { world, personal } = played;
  witness(played.client, "a");
  world.socket.tell(inChannel("a", snapshot(3)));
  reconnect(played);
  expect(world.socket.channels).toEqual(["", `a,${EPOCH},3`]);
  expect(world.socket.said).toEqual([{ ...HELLO, epoch: EPOCH, seq: 7, ref: REF(2) }]);
  world.socket.tell(resume(41, 41), ack(REF(2)), inChannel(ME, resume(7, 8)));
  expect(personal.channel.status).toBe("resuming");
  world.socket.tell(inChannel(ME, event(8)), inChannel("a", resume(3, 3)));
  expect(personal.seqs).toEqual([8]);
  expect(personal.channel.status).toBe("live");
});

test("its listeners come and go, and nothing is asked of the relay", () => {
  const played = playKnown();
  const { world, personal, client } = played;
  personal.stop();
  world.advance(0);
  const next = witness(client, ME);
  world.socket.tell(inChannel(ME, event(8)));
  expect(next.seqs).toEqual([8]);
  expect(client.channel(ME).state).toEqual({ radio: 1 });
  expect(types(played)).toEqual([]);
});

test("one that was refused before anybody knew who this is becomes one's own", () => {
  const played = playLive();
  const { world, client } = played;
  const personal = witness(client, ME);
  world.socket.tell(refused(ME));
  expect(personal.channel.status).toBe("refused");
  fateOf(client.identify({ id: "dev-1" }));
  world.socket.tell(ack(REF(1)), inChannel(ME, snapshot(7)));
  expect(types(played)).toEqual(["sync:subscribe", "sync:hello"]);
  expect(personal.channel.status).toBe("live");
  expect(personal.channel.error).toBeNull();
});

test("a refusal that is under way then does not count", () => {
  const { world, client } = playLive();
  const personal = witness(client, ME);
  fateOf(client.identify({ id: "dev-1" }));
  world.socket.tell(refused(ME), ack(REF(1)), inChannel(ME, snapshot(7)));
  expect(personal.channel.status).toBe("live");
  expect(world.errors).toEqual([]);
});

test("new info is told again, without a new beginning of the personal channel", async () => {
  const played = playKnown();
  const { world, client, personal } = played;
  const fate = fateOf(client.identify({ id: "dev-1", info: { name: "Tablet" } }));
  expect(world.socket.said).toEqual([{ ...HELLO, info: { name: "Tablet" }, ref: REF(2) }]);
  world.socket.tell(inChannel(ME, event(8)), ack(REF(2)));
  await told();
  expect(fate.now).toBe("done");
  expect(personal.seqs).toEqual([8]);
  reconnect(played);
  expect(world.socket.said).toMatchObject([{ info: { name: "Tablet" } }]);
});

test("the same again says nothing, and is resolved", async () => {
  const { world, client } = playKnown();
  const fate = fateOf(client.identify({ id: "dev-1", info: { ...INFO } }));
  await told();
  expect(fate.now).toBe("done");
  expect(world.socket.said).toEqual([]);
});

test("while one is on its way the newest of the others waits, and stands for all", async () => {
  const { world, client } = playLive();
  const named = (name: string) => fateOf(client.identify({ id: "dev-1", info: { name } }));
  const fates = [named("a"), named("b"), named("c"), named("c")];
  expect(world.socket.said).toMatchObject([{ info: { name: "a" } }]);
  world.socket.tell(ack(REF(1)));
  await told();
  expect(fates.map(({ now }) => now)).toEqual(["done", "pending", "pending", "pending"]);
  expect(world.socket.said).toMatchObject([{ info: { name: "c" }, ref: REF(2) }]);
  world.socket.tell(ack(REF(2)));
  await told();
  expect(fates.map(({ now }) => now)).toEqual(Array(4).fill("done"));
});

test("an acknowledgement that is lost comes on the next connection", async () => {
  const played = playLive();
  const fate = fateOf(played.client.identify({ id: "dev-1" }));
  reconnect(played);
  played.world.socket.tell(ack(REF(1)));
  await told();
  expect(fate.now).toBe("pending");
  played.world.socket.tell(ack(REF(2)));
  await told();
  expect(fate.now).toBe("done");
});

test.each(["identity_not_allowed", "id_is_fixed"])(
  "%s rejects it, and nothing is told again",
  async (code) => {
    const played = playLive();
    const { world, client } = played;
    const fate = fateOf(client.identify({ id: "dev-1" }));
    const personal = witness(client, ME);
    world.socket.tell(refusal(REF(1), code, "not here"));
    await told();
    expect(fate.error).toBeInstanceOf(RequestError);
    expect(fate.error).toMatchObject({ code, reason: "not here" });
    expect(personal.channel.error).toBeInstanceOf(ChannelRefusedError);
    expect(personal.channel.error).toMatchObject({ code });
    expect(personal.statuses.at(-1)).toBe("refused");
    expect(world.errors).toEqual([]);
    expect(client.status).toBe("live");
    types(played);
    reconnect(played);
    expect(types(played)).toEqual([]);
  },
);

test("after a refusal another one may be tried", async () => {
  const { world, client } = playLive();
  fateOf(client.identify({ id: "dev-1" }));
  world.socket.tell(refusal(REF(1), "invalid_id"));
  const fate = fateOf(client.identify({ id: "dev-2" }));
  world.socket.tell(ack(REF(2)), inChannel("@dev-2", snapshot(1, { mine: 1 })));
  await told();
  expect(fate.now).toBe("done");
  expect(client.channel("@dev-2").state).toEqual({ mine: 1 });
});

test("info that the relay refuses leaves the one before", async () => {
  const played = playKnown();
  const { world, client, personal } = played;
  const fate = fateOf(client.identify({ id: "dev-1", info: { name: "no" } }));
  world.socket.tell(refusal(REF(2), "invalid_info"));
  await told();
  expect(fate.now).toBe("invalid_info");
  expect(personal.channel.status).toBe("live");
  types(played);
  reconnect(played);
  expect(world.socket.said).toMatchObject([HELLO]);
});

test("a relay that knows nobody any more is told to onError, and the last state stands", () => {
  const played = playKnown();
  const { world, client, personal } = played;
  reconnect(played);
  world.socket.tell(resume(41, 41), refusal(REF(2), "identity_not_allowed"));
  expect(world.errors).toMatchObject([{ name: "RequestError", code: "identity_not_allowed" }]);
  expect(personal.channel.status).toBe("refused");
  expect(personal.channel.state).toEqual({ radio: 1 });
  expect(client.status).toBe("live");
});

test("a relay that finds it too fast is told again later", async () => {
  const { world, client } = playLive();
  const fate = fateOf(client.identify({ id: "dev-1" }));
  world.socket.tell(refusal(REF(1), "rate_limited"));
  world.advance(1_999);
  expect(world.socket.said).toHaveLength(1);
  world.advance(1);
  expect(world.socket.said).toMatchObject([{ ref: REF(2) }]);
  world.socket.tell(ack(REF(2)));
  await told();
  expect(fate.now).toBe("done");
});

test.each([
  ["", {}, "invalid_id"],
  ["@me", {}, "invalid_id"],
  ["x".repeat(65), {}, "invalid_id"],
  ["é", {}, "invalid_id"],
  ["dev-1", { name: "x".repeat(1_014) }, "invalid_info"],
  ["dev-1", { name: "é".repeat(507) }, "invalid_info"],
  ["dev-1", [], "invalid_info"],
])("identity %j %j is refused at once", async (id, info, code) => {
  const { world, client } = playLive();
  const fate = fateOf(client.identify({ id, info }));
  await told();
  expect(fate.now).toBe(code);
  expect(world.socket.said).toEqual([]);
});

test("the largest info is fine", () => {
  const { world, client } = playLive();
  fateOf(client.identify({ id: "x".repeat(64), info: { name: "é".repeat(506) } }));
  expect(world.socket.said).toHaveLength(1);
});
