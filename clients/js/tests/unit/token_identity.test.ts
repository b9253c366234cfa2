/** Who a token says that the client is: its channel, and what becomes of other claims. */

import { expect, test } from "vitest";
import { SyncClient } from "../../src/client.js";
import { settingsFrom } from "../../src/options.js";
import { witness } from "../fakes/channel_witness.js";
import { FakeEnvironment, SESSION } from "../fakes/fake_environment.js";
import { jwt } from "../fakes/jwt.js";
import { play, reconnect, URL_OF_RELAY } from "../fakes/played_client.js";
import { fateOf, told } from "../fakes/promises.js";
import {
  ack,
  dropped,
  EPOCH,
  event,
  inChannel,
  refused,
  resume,
  snapshot,
} from "../fakes/relay_message.js";

const ME = "@dev-1";
const TOKEN = jwt({ sub: "dev-1", info: { name: "Zoë ✓" } });
const REF = (number: number) => `${SESSION}-${number}`;

/** Live, with the own channel at position 7. */
function playMe() {
  const played = play({ token: TOKEN });
  const personal = witness(played.client, ME);
  played.world.socket.accept().tell(snapshot(41), inChannel(ME, snapshot(7, { radio: 1 })));
  return { ...played, personal };
}

/** What changes hands with each attempt. */
function playTokens(...tokens: readonly string[]) {
  let count = 0;
  const next = () => tokens[Math.min(count++, tokens.length - 1)] ?? "";
  return play({ token: next });
}

test("the own channel is followed by the address, and no hello is said", () => {
  const { world, personal } = playMe();
  expect(world.socket.channels).toEqual(["", ME]);
  world.socket.tell(inChannel(ME, event(8)));
  expect(personal.channel.state).toEqual({ radio: 1 });
  expect(personal.channel.status).toBe("live");
  expect(personal.seqs).toEqual([8]);
  expect(world.socket.said).toEqual([]);
  expect(world.errors).toEqual([]);
});

test("it goes on after an outage where it stands, also while nobody listens to it", () => {
  const played = playMe();
  const { world, client, personal } = played;
  personal.stop();
  world.advance(0);
  reconnect(played);
  expect(world.socket.channels).toEqual(["", `${ME},${EPOCH},7`]);
  const later = witness(client, ME);
  world.socket.tell(resume(41, 41), inChannel(ME, resume(7, 8)), inChannel(ME, event(8)));
  expect(later.seqs).toEqual([8]);
  expect(world.socket.said).toEqual([]);
});

test("it comes first in the address, so that it is there however many others are", () => {
  const played = playTokens(TOKEN);
  const { world, client } = played;
  for (let number = 0; number < 100; number += 1) {
    client.channel(`room:${number}:${"x".repeat(110)}`).follow();
  }
  return told().then(() => {
    expect(world.socket.channels.slice(0, 2)).toEqual(["", ME]);
    expect(world.socket.channels.length).toBeLessThan(80);
  });
});

test("alone it is all that is asked for", async () => {
  const world = new FakeEnvironment();
  const settings = settingsFrom({ token: () => TOKEN, defaultChannel: false });
  const client = new SyncClient(URL_OF_RELAY, settings, world);
  client.start();
  const personal = witness(client, ME);
  await told();
  expect(world.socket.channels).toEqual([ME]);
  world.socket.accept().tell(inChannel(ME, snapshot(7)));
  expect(personal.channel.status).toBe("live");
  expect(client.status).toBe("live");
});

test("a text connects once where the first listener comes late", () => {
  const world = new FakeEnvironment();
  const settings = settingsFrom({ token: TOKEN, defaultChannel: false });
  const client = new SyncClient(URL_OF_RELAY, settings, world);
  client.start();
  client.channel("a").follow();
  expect(world.sockets).toHaveLength(1);
  expect(world.socket.channels).toEqual([ME, "a"]);
});

test("dropped, it is asked for again like any other", () => {
  const { world, personal } = playMe();
  world.socket.tell(inChannel(ME, dropped(ME)));
  expect(personal.drops).toHaveLength(1);
  expect(world.socket.said).toEqual([{ type: "sync:subscribe", channel: ME }]);
});

test("a relay that looks at no tokens refuses it, and is asked again after an outage", () => {
  const played = play({ token: TOKEN });
  const { world, client } = played;
  const personal = witness(client, ME);
  world.socket.accept().tell(snapshot(41), refused(ME));
  expect(personal.channel.status).toBe("refused");
  expect(world.errors).toMatchObject([{ name: "ChannelRefusedError", channel: ME }]);
  expect(client.status).toBe("live");
  reconnect(played);
  expect(world.socket.channels).toEqual(["", ME]);
  world.socket.tell(resume(41, 41), inChannel(ME, snapshot(7)));
  expect(personal.channel.status).toBe("live");
});

test.each([
  ["before it", false],
  ["after it", true],
])("identify %s is refused: the token tells", async (_, isAfter) => {
  const { world, client } = playTokens(TOKEN);
  if (isAfter) await told();
  const fates = ["dev-1", "dev-2"].map((id) => fateOf(client.identify({ id })));
  await told();
  expect(fates[0]?.now).toBe("identity_not_allowed");
  expect(String(fates[0]?.error)).toContain('the token says who this client is: "dev-1"');
  expect(fates[1]?.now).toBe(isAfter ? "identity_not_allowed" : "id_is_fixed");
  world.socket.accept().tell(snapshot(41), inChannel(ME, snapshot(7)));
  expect(client.channel(ME).status).toBe("live");
  expect(world.socket.said).toEqual([]);
});

test("who said to be somebody else before the token came follows that one's channel no longer", async () => {
  const { world, client } = playTokens(TOKEN);
  const fate = fateOf(client.identify({ id: "dev-2" }));
  await told();
  expect(fate.now).toBe("identity_not_allowed");
  expect(world.socket.channels).toEqual(["", ME]);
  world.advance(0);
  expect(client.channel("@dev-2").status).toBe("idle");
});

test("with a token that names nobody identify is as without one", async () => {
  const { world, client } = playTokens(jwt());
  await told();
  world.socket.accept().tell(snapshot(41));
  const fate = fateOf(client.identify({ id: "dev-1" }));
  expect(world.socket.said).toMatchObject([{ type: "sync:hello", id: "dev-1" }]);
  world.socket.tell(ack(REF(1)), inChannel(ME, snapshot(7)));
  await told();
  expect(fate.now).toBe("done");
});

test.each([
  ["another", jwt({ sub: "dev-2" })],
  ["nobody", jwt()],
])("a later token that names %s is not used: the attempt has failed", async (_, other) => {
  const { world, client } = playTokens(TOKEN, other, TOKEN);
  await told();
  world.socket.accept().tell(snapshot(41), inChannel(ME, snapshot(7)));
  world.socket.end();
  world.advance(world.pendingDelay ?? 0);
  await told();
  expect(world.sockets).toHaveLength(1);
  expect(world.errors).toMatchObject([{ name: "RequestError", code: "id_is_fixed" }]);
  expect(client.status).toBe("offline");
  world.advance(world.pendingDelay ?? 0);
  await told();
  expect(world.socket.channels).toEqual(["", `${ME},${EPOCH},7`]);
});

test("who is known by identify and then by a token of the same id goes on there", async () => {
  const { world, client } = playTokens(jwt(), TOKEN);
  await told();
  world.socket.accept().tell(snapshot(41));
  fateOf(client.identify({ id: "dev-1" }));
  const personal = witness(client, ME);
  world.socket.tell(ack(REF(1)), inChannel(ME, snapshot(7)));
  world.socket.end();
  world.advance(world.pendingDelay ?? 0);
  await told();
  expect(world.socket.channels).toEqual(["", `${ME},${EPOCH},7`]);
  world.socket.accept().tell(resume(41, 41), inChannel(ME, resume(7, 7)));
  expect(world.socket.said).toEqual([]);
  expect(personal.channel.status).toBe("live");
});

test("what was said by nobody and not answered is given up when a token names somebody", async () => {
  const { world, client } = playTokens(jwt(), TOKEN);
  await told();
  world.socket.accept().tell(snapshot(41));
  const said = fateOf(client.send("said"));
  world.socket.end();
  const waits = fateOf(client.send("waits"));
  world.advance(world.pendingDelay ?? 0);
  await told();
  world.socket.accept();
  await told();
  expect(said.now).toBe("identity_changed");
  expect(waits.now).toBe("pending");
  expect(world.socket.said).toMatchObject([{ type: "waits" }]);
});

test("what somebody has said is said again under the same ref after an outage", async () => {
  const played = playMe();
  fateOf(played.client.send("vote"));
  const [first] = played.world.socket.said;
  reconnect(played);
  expect(played.world.socket.said).toEqual([first]);
});

test.each(["a.b.c", "a", "a.x.c", jwt({ sub: 7 }), jwt({ sub: "" })])(
  "%s names nobody",
  (token) => {
    const { world } = play({ token });
    expect(world.socket.channels).toEqual([]);
    expect(world.errors).toEqual([]);
  },
);
