/** Messages and the identity of a client that follows nothing. */

import { expect, test } from "vitest";
import { SyncClient } from "../../src/client.js";
import { settingsFrom } from "../../src/options.js";
import { FakeEnvironment, SESSION } from "../fakes/fake_environment.js";
import { URL_OF_RELAY } from "../fakes/played_client.js";
import { fateOf, told } from "../fakes/promises.js";
import { ack, inChannel, snapshot, unsubscribed } from "../fakes/relay_message.js";

test("without anything to follow a message opens a connection, which leaves the default channel", async () => {
  const world = new FakeEnvironment();
  const settings = settingsFrom({ defaultChannel: false });
  const client = new SyncClient(URL_OF_RELAY, settings, world);
  client.start();
  expect(world.sockets).toEqual([]);
  const fate = fateOf(client.send("vote", 1));
  expect(world.socket.channels).toEqual([]);
  world.socket.accept();
  expect(world.socket.said).toMatchObject([{ type: "sync:unsubscribe" }, { type: "vote" }]);
  world.socket.tell(snapshot(41, { radio: 1 }), unsubscribed(""), ack(`${SESSION}-1`));
  await told();
  expect(fate.now).toBe("done");
  expect([client.status, client.state]).toEqual(["live", {}]);
  expect(world.errors).toEqual([]);
  world.socket.end();
  world.advance(1_000_000);
  expect(world.sockets).toHaveLength(1);
});

test("the default channel may be followed after all", async () => {
  const world = new FakeEnvironment();
  const client = new SyncClient(URL_OF_RELAY, settingsFrom({ defaultChannel: false }), world);
  client.start();
  fateOf(client.send("vote", 1));
  world.socket.accept();
  client.channel("").follow();
  expect((world.socket.said as { type: string }[]).map(({ type }) => type)).toEqual([
    "sync:unsubscribe",
    "vote",
    "sync:subscribe",
  ]);
  world.socket.tell(snapshot(41, { old: 1 }), unsubscribed(""), snapshot(42, { radio: 1 }));
  expect(client.state).toEqual({ radio: 1 });
});

test("an identity alone keeps a connection, with the personal channel and no other", async () => {
  const world = new FakeEnvironment();
  const client = new SyncClient(URL_OF_RELAY, settingsFrom({ defaultChannel: false }), world);
  client.start();
  const fate = fateOf(client.identify({ id: "dev-1" }));
  expect(world.socket.channels).toEqual([]);
  world.socket.accept();
  expect(world.socket.said).toMatchObject([{ type: "sync:hello" }, { type: "sync:unsubscribe" }]);
  world.socket.tell(snapshot(41, { radio: 1 }), ack(`${SESSION}-1`));
  world.socket.tell(inChannel("@dev-1", snapshot(7, { mine: 1 })), unsubscribed(""));
  await told();
  expect(fate.now).toBe("done");
  expect([client.status, client.state]).toEqual(["live", {}]);
  expect(client.channel("@dev-1").state).toEqual({ mine: 1 });
  world.socket.end();
  world.advance(1_000);
  expect(world.sockets).toHaveLength(2);
});
