/** Messages to the backend: said once and in order, through any number of connections. */

import { expect, test } from "vitest";
import { RequestError } from "../../src/error.js";
import { SESSION } from "../fakes/fake_environment.js";
import { type Played, play, playLive, reconnect } from "../fakes/played_client.js";
import { fateOf, told } from "../fakes/promises.js";
import { ack, refusal, snapshot } from "../fakes/relay_message.js";

const REF = (number: number) => `${SESSION}-${number}`;

/** The refs of what the client said since this was asked last. */
function refs({ world }: Played): unknown[] {
  return (world.socket.said as { ref?: unknown }[]).map(({ ref }) => ref);
}

/** Sends messages with the numbers from `first` to `last` as their data. */
function sendAll({ client }: Played, first: number, last: number) {
  const numbers = Array.from({ length: last - first + 1 }, (_, index) => first + index);
  return numbers.map((number) => fateOf(client.send("vote", number)));
}

test("a message is resolved by the relay's acknowledgement", async () => {
  const { world, client } = playLive();
  const fate = fateOf(client.send("vote", { track: 7 }, { channel: "room:1" }));
  expect(world.socket.said).toEqual([
    { type: "vote", channel: "room:1", data: { track: 7 }, ref: REF(1) },
  ]);
  await told();
  expect(fate.now).toBe("pending");
  world.socket.tell(ack(REF(1)));
  await told();
  expect(fate.now).toBe("done");
  expect(world.errors).toEqual([]);
});

test("each ref begins with the session of the address", () => {
  const { world, client } = playLive();
  fateOf(client.send("vote"));
  expect(world.socket.session).toBe(SESSION);
  expect(world.socket.said).toEqual([{ type: "vote", data: null, ref: `${SESSION}-1` }]);
});

test.each(["no_backend", "inbox_full", "invalid_json"])("%s rejects it", async (code) => {
  const played = playLive();
  const { world, client } = played;
  const fate = fateOf(client.send("vote"));
  world.socket.tell(refusal(REF(1), code, "words of the relay"));
  await told();
  expect(fate.error).toBeInstanceOf(RequestError);
  expect(fate.error).toMatchObject({ code, reason: "words of the relay" });
  reconnect(played);
  expect(refs(played)).toEqual([]);
});

test("who has been heard by a backend waits for it at a relay that began anew", async () => {
  const played = playLive();
  const { world } = played;
  const [heard, later] = sendAll(played, 1, 2);
  world.socket.tell(ack(REF(1)), refusal(REF(2), "no_backend"));
  await told();
  expect([heard?.now, later?.now]).toEqual(["done", "pending"]);
  expect(refs(played)).toEqual([REF(1), REF(2)]);
  world.advance(1_000);
  expect(refs(played)).toEqual([REF(2)]);
});

test("half a character is refused here, since the relay takes none", async () => {
  const { world, client } = playLive();
  const half = fateOf(client.send("vote", { text: "🎈".slice(0, 1) }));
  const whole = fateOf(client.send("vote", { text: "🎈 \\ud83c" }));
  await told();
  expect(half.error).toMatchObject({ code: "lone_surrogate" });
  expect(whole.now).toBe("pending");
  expect(world.socket.said).toHaveLength(1);
});

test.each(["room 1", "room:ü", "r".repeat(129)])(
  "%s is no channel, and refused here",
  async (channel) => {
    const { world, client } = playLive();
    const fate = fateOf(client.send("vote", null, { channel }));
    await told();
    expect(fate.error).toBeInstanceOf(RequestError);
    expect(fate.error).toMatchObject({ code: "invalid_channel" });
    expect(world.socket.said).toEqual([]);
  },
);

test("what is said before the connection is there follows when it opens", () => {
  const { world, client } = play();
  fateOf(client.send("vote", 1));
  expect(world.socket.asked).toEqual([]);
  world.socket.accept();
  expect(world.socket.said).toMatchObject([{ type: "vote", data: 1, ref: REF(1) }]);
  world.socket.tell(snapshot(41));
  expect(world.socket.said).toEqual([]);
});

test("what was not acknowledged is said again after an outage: the same refs, the same order", async () => {
  const played = playLive();
  const { world } = played;
  const fates = sendAll(played, 1, 4);
  world.socket.tell(ack(REF(2)));
  world.socket.end();
  fates.push(...sendAll(played, 5, 5));
  world.advance(world.pendingDelay ?? 0);
  world.socket.accept();
  expect(refs(played)).toEqual([REF(1), REF(3), REF(4), REF(5)]);
  world.socket.tell(ack(REF(1)), ack(REF(3)), ack(REF(4)), ack(REF(5)));
  await told();
  expect(fates.map(({ now }) => now)).toEqual(Array(5).fill("done"));
});

test("through many outages each is said until it is acknowledged, and never after that", async () => {
  const played = playLive();
  const { world } = played;
  const fates = sendAll(played, 1, 3);
  for (const done of [3, 1, 2]) {
    reconnect(played);
    const said = refs(played);
    expect(said).toEqual([...said].sort());
    world.socket.tell(ack(REF(done)));
  }
  reconnect(played);
  expect(refs(played)).toEqual([]);
  await told();
  expect(fates.map(({ now }) => now)).toEqual(["done", "done", "done"]);
});

test("an acknowledgement that comes twice, or for nobody, is fine", async () => {
  const played = playLive();
  const { world, client } = played;
  const [fate] = sendAll(played, 1, 1);
  world.socket.tell(ack(REF(1)), ack(REF(1)), refusal(REF(1), "inbox_full"), ack("other"));
  await told();
  expect(fate?.now).toBe("done");
  expect(client.status).toBe("live");
  expect(world.errors).toEqual([]);
});

test("an answer of the connection before does not count on the next", async () => {
  const played = playLive();
  const { world } = played;
  const before = world.socket;
  const [fate] = sendAll(played, 1, 1);
  reconnect(played);
  before.tell(ack(REF(1)));
  await told();
  expect(fate?.now).toBe("pending");
});

test("acknowledgements do not hide that the greeting is missing", () => {
  const played = playLive();
  const { world, client } = played;
  reconnect(played);
  sendAll(played, 1, 1);
  world.advance(24_000);
  world.socket.tell(ack(REF(1)));
  world.advance(1_000);
  expect(client.status).toBe("offline");
});

test("what waits is bounded in number, and the one too many is refused at once", async () => {
  const played = play();
  const fates = sendAll(played, 1, 1_001);
  await told();
  expect(fates.slice(0, 1_000).every(({ now }) => now === "pending")).toBe(true);
  expect(fates[1_000]?.now).toBe("outbox_full");
  played.world.socket.accept().tell(ack(REF(1)));
  const [next] = sendAll(played, 1, 1);
  await told();
  expect(next?.now).toBe("pending");
});

test("what waits is bounded in size", async () => {
  const { client } = play();
  const large = "x".repeat(1_024 * 1_024);
  const fates = Array.from({ length: 4 }, () => fateOf(client.send("paste", large)));
  await told();
  expect(fates.map(({ now }) => now)).toEqual(["pending", "pending", "pending", "outbox_full"]);
  const small = fateOf(client.send("paste", "x"));
  await told();
  expect(small.now).toBe("pending");
});

test.each(["", "sync:hello", "sync:"])("the type %j is refused at once", async (type) => {
  const { world, client } = playLive();
  const fate = fateOf(client.send(type));
  await told();
  expect(fate.now).toBe("invalid_type");
  expect(world.socket.said).toEqual([]);
});

test("what JSON cannot carry is refused, and disturbs no other", async () => {
  const { world, client } = playLive();
  const fate = fateOf(client.send("vote", 1n));
  const next = fateOf(client.send("vote", 1));
  world.socket.tell(ack(REF(2)));
  await told();
  expect([fate.now, next.now]).toEqual(["TypeError", "done"]);
});

test("one that waits longer than it may is given up, and is not said again", async () => {
  const played = playLive();
  const { world, client } = played;
  const fate = fateOf(client.send("vote", 1, { timeout: 3_000 }));
  world.advance(2_999);
  await told();
  expect(fate.now).toBe("pending");
  world.advance(1);
  await told();
  expect(fate.now).toBe("timeout");
  world.socket.tell(ack(REF(1)));
  reconnect(played);
  expect(refs(played)).toEqual([]);
});

test("an answer in time ends the waiting", async () => {
  const { world, client } = playLive();
  const fate = fateOf(client.send("vote", 1, { timeout: 3_000 }));
  expect(world.timerCount).toBe(2);
  world.socket.tell(ack(REF(1)));
  expect(world.timerCount).toBe(1);
  world.advance(3_000);
  await told();
  expect(fate.now).toBe("done");
});

test("a timeout that is none is refused", async () => {
  const fate = fateOf(playLive().client.send("vote", 1, { timeout: 0 }));
  await told();
  expect(fate.now).toBe("RangeError");
});

test("close rejects what waits and what comes later, and leaves no timer", async () => {
  const played = playLive();
  const { world, client } = played;
  const fates = [...sendAll(played, 1, 40), fateOf(client.send("vote", 1, { timeout: 9_000 }))];
  client.close();
  fates.push(fateOf(client.send("vote")), fateOf(client.publish("a", "b")));
  await told();
  expect(new Set(fates.map(({ now }) => now))).toEqual(new Set(["closed"]));
  expect(world.timerCount).toBe(0);
});

test("a refusal of the client rejects what waits, with the relay's words", async () => {
  const played = playLive();
  const [fate] = sendAll(played, 1, 1);
  played.world.socket.end(4403, "not here");
  await told();
  expect(fate?.error).toMatchObject({ code: "closed" });
  expect(String(fate?.error)).toContain("not here");
});

test("a message that the relay hangs up on is rejected, and the others are said again", async () => {
  const played = playLive();
  const { world, client } = played;
  const fates = [
    fateOf(client.send("a", "small")),
    fateOf(client.send("b", "x".repeat(70_000))),
    fateOf(client.send("c", "small")),
  ];
  world.socket.end(1009, "message_too_large");
  await told();
  expect(fates.map(({ now }) => now)).toEqual(["pending", "message_too_large", "pending"]);
  world.advance(world.pendingDelay ?? 0);
  world.socket.accept();
  expect(refs(played)).toEqual([REF(1), REF(3)]);
});

test("publish says to whom, and what", async () => {
  const { world, client } = playLive();
  const fates = [
    fateOf(client.publish("doc:7", "cursor:moved", { x: 1 })),
    fateOf(client.publish("", "hello")),
  ];
  expect(world.socket.said).toEqual([
    {
      type: "sync:publish",
      channel: "doc:7",
      event: "cursor:moved",
      data: { x: 1 },
      ref: REF(1),
    },
    { type: "sync:publish", event: "hello", data: null, ref: REF(2) },
  ]);
  world.socket.tell(ack(REF(1)), refusal(REF(2), "forbidden"));
  await told();
  expect(fates.map(({ now }) => now)).toEqual(["done", "forbidden"]);
});

test("sending costs nothing where it is not used: no timer, no word", () => {
  const { world } = playLive();
  expect(world.timerCount).toBe(1);
  expect(world.socket.said).toEqual([]);
});
