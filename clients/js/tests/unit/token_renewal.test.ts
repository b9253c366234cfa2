/** A token that is about to end: a newer one takes its place on the same connection. */

import { expect, test, vi } from "vitest";
import { witness } from "../fakes/channel_witness.js";
import { SESSION } from "../fakes/fake_environment.js";
import { jwt } from "../fakes/jwt.js";
import { type Played, play } from "../fakes/played_client.js";
import { told } from "../fakes/promises.js";
import { ack, inChannel, refusal, refused, resume, snapshot } from "../fakes/relay_message.js";

const TOKENS = [1, 2, 3, 4].map((jti) => jwt({ jti }));
const EXPIRING = { type: "sync:expiring", in: 30 };
const REF = (number: number) => `${SESSION}-${number}`;
const RENEWAL = (number: number, token = TOKENS[number]) => ({
  type: "sync:token",
  token,
  ref: REF(number),
});

/** Live, with the first token. Each call of the function gives what stands next in the list. */
async function playToken(tokens: readonly unknown[] = TOKENS) {
  const rest = [...tokens];
  const token = vi.fn(() => {
    const next = rest.length > 1 ? rest.shift() : rest[0];
    if (next instanceof Error) throw next;
    return next as string;
  });
  const played = play({ token, retryFirst: 400, heartbeat: 300 });
  await told();
  played.world.socket.accept().tell(snapshot(41));
  return { ...played, token };
}

async function expire({ world }: Played, after = 0): Promise<void> {
  world.socket.tell(EXPIRING);
  world.advance(after);
  await told();
}

test("when the relay warns, the next token is told, on the same connection", async () => {
  const played = await playToken();
  const { world, client, token } = played;
  await expire(played);
  expect(world.socket.said).toEqual([RENEWAL(1)]);
  world.socket.tell(ack(REF(1)));
  world.advance(60_000);
  await told();
  expect(token).toHaveBeenCalledTimes(2);
  expect(world.socket.said).toEqual([]);
  await expire(played);
  expect(world.socket.said).toEqual([RENEWAL(2)]);
  expect(world.sockets).toHaveLength(1);
  expect(client.status).toBe("live");
  expect(world.errors).toEqual([]);
});

test("warned again while a token is on its way it asks for no other", async () => {
  const played = await playToken();
  await expire(played);
  await expire(played);
  expect(played.world.socket.said).toEqual([RENEWAL(1)]);
  expect(played.token).toHaveBeenCalledTimes(2);
});

test.each(["token_invalid", "token_expired", "id_is_fixed", "rate_limited"])(
  "after %s it tries again with growing delays, and says so each time",
  async (code) => {
    const played = await playToken();
    const { world } = played;
    await expire(played);
    world.socket.tell(refusal(REF(1), code));
    expect(world.errors).toMatchObject([{ name: "RequestError", code }]);
    world.advance(199);
    await told();
    expect(world.socket.said).toEqual([RENEWAL(1)]);
    world.advance(1);
    await told();
    expect(world.socket.said).toEqual([RENEWAL(2)]);
    world.socket.tell(refusal(REF(2), code));
    world.advance(299);
    await told();
    expect(world.socket.said).toEqual([]);
    world.advance(1);
    await told();
    expect(world.socket.said).toEqual([RENEWAL(3)]);
    world.socket.tell(ack(REF(3)));
    world.advance(60_000);
    await told();
    expect(world.socket.said).toEqual([]);
    expect(world.errors).toHaveLength(2);
    expect(world.sockets).toHaveLength(1);
  },
);

test("a function that fails is asked again", async () => {
  const error = new Error("no network");
  const played = await playToken([TOKENS[0], error, undefined, TOKENS[1]]);
  const { world } = played;
  await expire(played);
  expect(world.errors).toEqual([error]);
  await expire(played, 200);
  expect(world.errors).toMatchObject([error, { name: "TypeError" }]);
  await expire(played, 300);
  expect(world.socket.said).toEqual([RENEWAL(1)]);
});

test("a text has no successor: nothing is said, and the end is final", () => {
  const { world, client } = play({ token: TOKENS[0] });
  world.socket.accept().tell(snapshot(41), EXPIRING);
  world.advance(0);
  expect(world.socket.said).toEqual([]);
  world.socket.end(4401, "token_expired");
  expect(client.error).toMatchObject({ code: 4401, reason: "token_expired" });
});

test("without a token a warning is nothing", () => {
  const { world, client } = play();
  world.socket.accept().tell(snapshot(41), EXPIRING);
  world.advance(0);
  expect(world.socket.said).toEqual([]);
  expect(client.status).toBe("live");
});

test("a warning shows no life before the snapshot, and does no harm there", async () => {
  const { world, client } = play({ token: () => TOKENS[0] ?? "", snapshotLimit: 60_000 });
  await told();
  world.socket.accept();
  world.advance(59_999);
  world.socket.tell(EXPIRING);
  expect(client.status).toBe("connecting");
  world.advance(1);
  expect(client.status).toBe("offline");
});

test("what is under way when the connection goes counts for nothing", async () => {
  let answer = (_: string) => {};
  const slow = new Promise<string>((resolve) => {
    answer = resolve;
  });
  const played = await playToken([TOKENS[0], slow, TOKENS[2]]);
  const { world, token } = played;
  await expire(played);
  world.socket.end(4401, "token_expired");
  answer(TOKENS[1] ?? "");
  await told();
  expect(world.sockets).toHaveLength(1);
  world.advance(200);
  await told();
  world.socket.accept().tell(resume(41, 41));
  expect(world.sockets).toHaveLength(2);
  expect(world.socket.protocols?.[1]).toBe(`token.${TOKENS[2]}`);
  expect(world.socket.said).toEqual([]);
  expect(token).toHaveBeenCalledTimes(3);
  expect(world.errors).toEqual([]);
});

test("a retry that waits ends with the client", async () => {
  const played = await playToken();
  await expire(played);
  played.world.socket.tell(refusal(REF(1), "token_invalid"));
  played.client.close();
  expect(played.world.timerCount).toBe(0);
});

test("a function that gives a token that is about to end, again and again, does not hammer", async () => {
  const played = await playToken([TOKENS[0]]);
  const { world, token } = played;
  await expire(played);
  for (let elapsed = 0; elapsed < 30_000; elapsed += 50) {
    const said = world.socket.said as { ref: string }[];
    for (const { ref } of said) world.socket.tell(ack(ref), EXPIRING);
    world.advance(50);
    await told();
  }
  expect(token.mock.calls.length).toBeGreaterThan(5);
  expect(token.mock.calls.length).toBeLessThan(15);
  expect(world.sockets).toHaveLength(1);
});

test("what the newer token does not allow is refused, and all else goes on", async () => {
  const played = await playToken();
  const { world, client } = played;
  const room = witness(client, "a");
  world.socket.tell(inChannel("a", snapshot(3, { radio: 1 })));
  await expire(played);
  world.socket.tell(refused("a"), ack(REF(1)));
  expect(room.channel.status).toBe("refused");
  expect(room.channel.error).toMatchObject({ code: "forbidden" });
  expect(room.channel.state).toEqual({ radio: 1 });
  expect(client.status).toBe("live");
  expect(world.errors).toMatchObject([{ name: "ChannelRefusedError", channel: "a" }]);
});

test("a newer token that names somebody, where the first named nobody, brings the own channel", async () => {
  const named = jwt({ sub: "dev-1" });
  const played = await playToken([TOKENS[0], named]);
  const { world, client } = played;
  await expire(played);
  expect(world.socket.said).toEqual([RENEWAL(1, named)]);
  world.socket.tell(ack(REF(1)));
  expect(world.socket.said).toEqual([{ type: "sync:subscribe", channel: "@dev-1" }]);
  world.socket.tell(inChannel("@dev-1", snapshot(7)));
  expect(client.channel("@dev-1").status).toBe("live");
});
