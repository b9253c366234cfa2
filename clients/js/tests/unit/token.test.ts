/** What lets the client in: a token for each attempt to connect, and what becomes of it where it is refused. */

import { expect, test, vi } from "vitest";
import { SyncClient } from "../../src/client.js";
import { RefusedError } from "../../src/error.js";
import { settingsFrom } from "../../src/options.js";
import { FakeEnvironment } from "../fakes/fake_environment.js";
import { jwt } from "../fakes/jwt.js";
import { type Played, play, URL_OF_RELAY } from "../fakes/played_client.js";
import { fateOf, told } from "../fakes/promises.js";
import { snapshot } from "../fakes/relay_message.js";

const TOKEN = jwt();

/** A function that gives what stands in the list, one after another, and then the last for ever. */
function source(...tokens: readonly (string | Error | Promise<string>)[]) {
  let count = 0;
  return vi.fn(() => {
    const token = tokens[Math.min(count, tokens.length - 1)];
    count += 1;
    if (token === undefined || token instanceof Error) throw token;
    return token;
  });
}

/** The retry comes, and with it the next token. */
async function retry({ world }: Played): Promise<void> {
  world.advance(world.pendingDelay ?? 0);
  await told();
}

test("a text is offered to the relay at once, on each connection", () => {
  const { world } = play({ token: TOKEN });
  expect(world.socket.protocols).toEqual(["syncrelay", `token.${TOKEN}`]);
  expect(world.socket.url).not.toContain(TOKEN);
  world.socket.end();
  world.advance(500);
  expect(world.sockets).toHaveLength(2);
  expect(world.socket.protocols).toEqual(["syncrelay", `token.${TOKEN}`]);
});

test("without a token no subprotocol is offered", () => {
  expect(play().world.socket.protocols).toBeUndefined();
  expect(play({ token: undefined }).world.socket.protocols).toBeUndefined();
});

test.each(["", "a b", "a,b", "ü", 7, {}])("%j is no token", (token) => {
  expect(() => play({ token: token as string })).toThrow(TypeError);
});

test("a function is called for each attempt, and what it gives then is offered", async () => {
  const [first, second] = [jwt({ jti: "1" }), jwt({ jti: "2" })];
  const token = source(first, Promise.resolve(second));
  const played = play({ token });
  await told();
  expect(played.world.socket.protocols).toEqual(["syncrelay", `token.${first}`]);
  played.world.socket.end();
  expect(token).toHaveBeenCalledTimes(1);
  await retry(played);
  expect(played.world.socket.protocols).toEqual(["syncrelay", `token.${second}`]);
  expect(token).toHaveBeenCalledTimes(2);
});

test("while it has no token yet it shows that an attempt is under way", async () => {
  const played = play({ token: source(TOKEN) });
  const { world, client, statuses } = played;
  expect(client.status).toBe("connecting");
  await told();
  world.socket.accept().tell(snapshot(41));
  world.socket.end();
  world.advance(250);
  expect(statuses).toEqual(["live", "offline", "resuming"]);
  expect(world.sockets).toHaveLength(1);
  await told();
  expect(world.sockets).toHaveLength(2);
  expect(statuses).toEqual(["live", "offline", "resuming"]);
});

test("what a function throws or rejects with is a failed attempt, and reported", async () => {
  const errors = [new Error("thrown"), new Error("rejected")];
  const token = source(
    errors[0] as Error,
    new Promise<string>((_, reject) => setTimeout(reject, 0, errors[1])),
    TOKEN,
  );
  const played = play({ token, retryFirst: 400 });
  const { world, client } = played;
  await told();
  expect(client.status).toBe("offline");
  expect(world.pendingDelay).toBe(200);
  await retry(played);
  await vi.waitUntil(() => world.errors.length === 2);
  expect(world.errors).toEqual(errors);
  expect(world.pendingDelay).toBe(300);
  expect(client.error).toBeNull();
  await retry(played);
  world.socket.accept().tell(snapshot(41));
  expect(client.status).toBe("live");
});

test.each([undefined, null, 7, "", "a b"])(
  "%j from a function is a failed attempt",
  async (none) => {
    const { world, client } = play({ token: () => none as string });
    await told();
    expect(world.errors).toMatchObject([{ name: "TypeError" }]);
    expect(client.status).toBe("offline");
    expect(world.sockets).toEqual([]);
  },
);

test("no error of a token shows it", async () => {
  const { world } = play({ token: () => `${TOKEN} ` });
  await told();
  expect(String(world.errors)).not.toContain(TOKEN.slice(0, 10));
  expect(() => play({ token: `${TOKEN} ` })).not.toThrow(TOKEN.slice(0, 10));
});

test("a function that never answers is a failed attempt after 30 s, and its late token counts for nothing", async () => {
  let answer = (_: string) => {};
  const never = new Promise<string>((resolve) => {
    answer = resolve;
  });
  const token = source(never, TOKEN);
  const played = play({ token });
  const { world, client } = played;
  await told();
  world.advance(29_999);
  expect(client.status).toBe("connecting");
  world.advance(1);
  expect(client.status).toBe("offline");
  expect(world.errors).toMatchObject([{ message: "no token in time" }]);
  answer(jwt({ jti: "late" }));
  await told();
  expect(world.sockets).toEqual([]);
  await retry(played);
  expect(world.sockets).toHaveLength(1);
  expect(world.socket.protocols).toEqual(["syncrelay", `token.${TOKEN}`]);
});

test("a wake asks anew for a token that is long in coming, and for no other", async () => {
  const token = source(new Promise<string>(() => {}), TOKEN);
  const { world } = play({ token });
  await told();
  world.advance(500);
  world.wake();
  world.advance(500);
  expect(token).toHaveBeenCalledTimes(1);
  world.wake();
  world.advance(6_000);
  await told();
  expect(token).toHaveBeenCalledTimes(2);
  expect(world.sockets).toHaveLength(1);
  expect(world.errors).toEqual([]);
});

test("who is closed while a token is on its way opens nothing, and leaves no timer", async () => {
  const { world, client, statuses } = play({ token: source(TOKEN) });
  client.close();
  await told();
  world.advance(100_000);
  expect(world.sockets).toEqual([]);
  expect(world.timerCount).toBe(0);
  expect(statuses).toEqual(["offline"]);
});

test("a function may close the client: it is the last attempt", async () => {
  const clients: { close(): void }[] = [];
  const token = vi.fn(() => {
    clients[0]?.close();
    return TOKEN;
  });
  const played = play({ token });
  const { world, client } = played;
  await told();
  clients.push(client);
  world.socket.end();
  await retry(played);
  world.advance(100_000);
  await told();
  expect(token).toHaveBeenCalledTimes(2);
  expect(client.status).toBe("offline");
  expect(world.sockets).toHaveLength(1);
  expect(world.timerCount).toBe(0);
});

test("a client that is closed in the moment in which it is made asks for nothing", async () => {
  const token = source(TOKEN);
  play({ token }).client.close();
  await told();
  expect(token).not.toHaveBeenCalled();
});

test("nothing is asked for before there is something to connect for", async () => {
  const token = source(TOKEN);
  const world = new FakeEnvironment();
  const client = new SyncClient(
    URL_OF_RELAY,
    settingsFrom({ token, defaultChannel: false }),
    world,
  );
  client.start();
  await told();
  expect(token).not.toHaveBeenCalled();
  client.channel("a").follow();
  await told();
  expect(token).toHaveBeenCalledTimes(1);
  expect(world.sockets).toHaveLength(1);
});

test("4401 asks a function for another token, and says why where it was not taken", async () => {
  const [bad, good] = [jwt({ jti: "bad" }), jwt({ jti: "good" })];
  const played = play({ token: source(bad, good) });
  const { world, client } = played;
  await told();
  world.socket.accept().end(4401, "token_invalid");
  expect(world.errors).toMatchObject([{ name: "RequestError", code: "token_invalid" }]);
  expect(client.error).toBeNull();
  await retry(played);
  expect(world.socket.protocols).toEqual(["syncrelay", `token.${good}`]);
  world.socket.accept().tell(snapshot(41));
  expect(client.status).toBe("live");
});

test("a token that ends on a live connection is no error", async () => {
  const played = play({ token: source(TOKEN) });
  const { world } = played;
  await told();
  world.socket.accept().tell(snapshot(41));
  world.socket.end(4401, "token_expired");
  await retry(played);
  expect(world.sockets).toHaveLength(2);
  expect(world.errors).toEqual([]);
});

test("a function that gives the same bad token for ever is called ever more seldom", async () => {
  const token = source(TOKEN);
  const played = play({ token, retryFirst: 400, retryLongest: 20_000 });
  const { world } = played;
  const delays: number[] = [];
  for (let round = 0; round < 15; round += 1) {
    await told();
    world.advance(5); // the relay takes its time
    world.socket.accept().end(4401, "token_invalid");
    delays.push(world.pendingDelay ?? 0);
    world.advance(world.pendingDelay ?? 0);
  }
  await told();
  expect(delays.slice(0, 3)).toEqual([200, 300, 450]);
  expect(delays.slice(-2)).toEqual([10_000, 10_000]);
  expect(token).toHaveBeenCalledTimes(16);
});

test.each([
  ["4401 for a text", 4401, "token_expired", () => TOKEN],
  ["4403 for a text", 4403, "forbidden", () => TOKEN],
  ["4403 for a function", 4403, "forbidden", () => source(TOKEN)],
  ["4401 without a token", 4401, "token_missing", () => undefined],
])("%s is final, and what waits is rejected with the reason", async (_, code, reason, token) => {
  const played = play({ token: token() });
  const { world, client } = played;
  const fates = [fateOf(client.send("vote")), fateOf(client.publish("", "tick"))];
  await told();
  world.socket.accept().end(code, reason);
  fates.push(fateOf(client.send("late")), fateOf(client.identify({ id: "late" })));
  await told();
  expect(client.error).toBeInstanceOf(RefusedError);
  expect(client.error).toMatchObject({ code, reason });
  expect(client.status).toBe("offline");
  for (const { now, error } of fates) {
    expect(now).toBe("closed");
    expect(error).toMatchObject({ name: "RequestError" });
    expect(String(error)).toContain(`(close code ${code}): ${reason}`);
  }
  world.wake();
  world.advance(1_000_000);
  await told();
  expect(world.sockets).toHaveLength(1);
});
