/** Without the default channel: it is followed like any other, and nothing is connected to for nothing. */

import { expect, test } from "vitest";
import { SyncClient } from "../../src/client.js";
import { settingsFrom } from "../../src/options.js";
import { witness } from "../fakes/channel_witness.js";
import { FakeEnvironment, SESSION } from "../fakes/fake_environment.js";
import { URL_OF_RELAY } from "../fakes/played_client.js";
import {
  EPOCH,
  event,
  inChannel,
  refused,
  resume,
  snapshot,
  unsubscribed,
} from "../fakes/relay_message.js";

test("without the default channel nothing is connected to before a channel is followed", () => {
  const { world, client } = playWithout();
  expect(world.sockets).toEqual([]);
  expect(client.status).toBe("connecting");
  world.wake();
  expect(world.sockets).toEqual([]);
  const room = witness(client, "a");
  expect(world.socket.url).toBe(`${URL_OF_RELAY}?heartbeat=10&channel=a&session=${SESSION}`);
  witness(client, "b");
  world.socket.accept();
  expect(world.socket.said).toEqual([{ type: "sync:subscribe", channel: "b" }]);
  world.socket.tell(inChannel("a", snapshot(7)));
  expect(client.status).toBe("live");
  expect(room.channel.status).toBe("live");
  expect(client.channel("b").status).toBe("connecting");
});

test("without the default channel it is followed while somebody listens to it", () => {
  const { world, client } = playWithout();
  const stop = client.onChange(() => {});
  expect(world.socket.url).toBe(`${URL_OF_RELAY}?heartbeat=10&session=${SESSION}`);
  world.socket.accept().tell(snapshot(41, { radio: 1 }));
  expect(client.state).toEqual({ radio: 1 });
  stop();
  world.advance(0);
  expect(world.socket.said).toEqual([{ type: "sync:unsubscribe" }]);
  expect(client.state).toEqual({});
  client.on("tick", () => {});
  expect(world.socket.said).toEqual([{ type: "sync:subscribe" }]);
  world.socket.tell(event(42), { type: "sync:unsubscribed" }, snapshot(50, { radio: 2 }));
  expect(client.state).toEqual({ radio: 2 });
  expect(world.errors).toEqual([]);
});

test("without the default channel the connection stays when the last channel is left, and is not made anew for nothing", () => {
  const { world, client } = playWithout();
  const room = witness(client, "a");
  world.socket.accept().tell(inChannel("a", snapshot(7)));
  room.stop();
  world.advance(0);
  world.socket.tell(unsubscribed("a"));
  expect(client.status).toBe("live");
  world.socket.end();
  expect(client.status).toBe("offline");
  world.advance(3_600_000);
  world.wake();
  expect(world.sockets).toHaveLength(1);
  witness(client, "b");
  expect(world.socket.channels).toEqual(["b"]);
  expect(client.status).toBe("connecting");
});

test("without the default channel it resumes by its channels", () => {
  const { world, client } = playWithout();
  const room = witness(client, "a");
  world.socket.accept().tell(inChannel("a", snapshot(7)));
  world.socket.end();
  world.advance(world.pendingDelay ?? 0);
  expect(client.status).toBe("resuming");
  expect(world.socket.channels).toEqual([`a,${EPOCH},7`]);
  world.socket.accept().tell(inChannel("a", resume(7, 7)));
  expect(client.status).toBe("live");
  expect(room.statuses).toEqual(["live", "offline", "resuming", "live"]);
});

test("without the default channel a refusal is an answer, too", () => {
  const { world, client } = playWithout();
  witness(client, "a");
  world.socket.accept().tell(refused("a"));
  expect(client.status).toBe("live");
});

test("a relay that knows no channels is told apart where the default channel is not wanted", () => {
  const { world, client } = playWithout();
  witness(client, "a");
  world.socket.accept().tell(snapshot(41));
  expect(String(world.errors[0])).toContain("the relay knows no channels");
  expect(client.status).toBe("offline");
});

test("an address that is none is tried again and reported, where the first channel comes later", () => {
  const { world, client } = playWithout();
  world.failure = new Error("no address");
  witness(client, "a");
  expect(world.errors).toEqual([new Error("no address")]);
  expect(client.channel("a").status).toBe("offline");
});

/** Without the default channel, and nobody listens to it. */
function playWithout() {
  const world = new FakeEnvironment();
  const settings = settingsFrom({ heartbeat: 10, retryFirst: 500, defaultChannel: false });
  const client = new SyncClient(URL_OF_RELAY, settings, world);
  client.start();
  return { world, client };
}
