/** What the client asks for, what it is told first, and what it says about its status. */

import { expect, test } from "vitest";
import { SESSION } from "../fakes/fake_environment.js";
import { play, playLive, reconnect, URL_OF_RELAY } from "../fakes/played_client.js";
import { EPOCH, event, events, ping, resume, snapshot } from "../fakes/relay_message.js";

test("the first attempt asks for a snapshot and for heartbeats", () => {
  const { world, client } = play();
  expect(world.socket.url).toBe(`${URL_OF_RELAY}?heartbeat=10&session=${SESSION}`);
  expect(client.status).toBe("connecting");
  expect(client.position).toBeNull();
  expect(client.state).toEqual({});
});

test("it is live with the snapshot, not with the open socket", () => {
  const { world, client, statuses, states } = play();
  world.socket.accept();
  expect(client.status).toBe("connecting");
  world.socket.tell(snapshot(41, { radio: { track: 7 }, comparison: null }));
  expect(statuses).toEqual(["live"]);
  expect(states).toEqual([["radio", { track: 7 }]]);
  expect(client.state).toEqual({ radio: { track: 7 }, comparison: null });
  expect(client.get("radio")).toEqual({ track: 7 });
  expect(client.position).toEqual({ epoch: EPOCH, seq: 41 });
});

test("when live is told, the state is there", () => {
  const { world, client } = play();
  const seen: unknown[] = [];
  client.onStatus(() => seen.push(client.state));
  world.socket.accept().tell(snapshot(41, { radio: 1 }));
  expect(seen).toEqual([{ radio: 1 }]);
});

test("after a loss it asks for its position and goes on without a gap", () => {
  const played = playLive();
  played.world.socket.tell(...events(42, 45));
  reconnect(played);
  expect(played.world.socket.parameters).toEqual({ heartbeat: "10", epoch: EPOCH, seq: "45" });
  played.world.socket.tell(resume(45, 47), ...events(46, 48));
  expect(played.seqs).toEqual([42, 43, 44, 45, 46, 47, 48]);
  expect(played.skips).toEqual([]);
  expect(played.world.errors).toEqual([]);
});

test("it is resuming until everything that was missed is there", () => {
  const played = playLive();
  reconnect(played);
  played.world.socket.tell(resume(41, 43));
  expect(played.client.status).toBe("resuming");
  played.world.socket.tell(event(42));
  expect(played.client.status).toBe("resuming");
  played.world.socket.tell(event(43));
  expect(played.statuses).toEqual(["live", "offline", "resuming", "live"]);
});

test("it is live at once when nothing was missed", () => {
  const played = playLive();
  reconnect(played);
  played.world.socket.tell(resume(41, 41));
  expect(played.client.status).toBe("live");
});

test("a client that never got a snapshot is connecting again, not resuming", () => {
  const played = play();
  reconnect(played);
  expect(played.statuses).toEqual(["offline", "connecting"]);
  expect(played.world.socket.parameters).toEqual({ heartbeat: "10" });
});

test("the last known state stays while it is away", () => {
  const played = playLive({}, { radio: 1 });
  played.world.socket.end();
  expect(played.client.state).toEqual({ radio: 1 });
  expect(played.client.status).toBe("offline");
});

test("a ping, an unknown message and a binary one are no events", () => {
  const { world, client, seqs } = playLive();
  world.socket.tell(ping, { type: "presence", data: [1] }, { hello: 1 });
  world.socket.tellBinary(new ArrayBuffer(4));
  world.socket.tell(event(42));
  expect(seqs).toEqual([42]);
  expect(client.status).toBe("live");
  expect(world.errors).toEqual([]);
});

test("messages of a connection that was given up are not heard", () => {
  const played = playLive();
  const [old] = played.world.sockets;
  reconnect(played);
  old?.tell(...events(42, 44));
  old?.end();
  played.world.socket.tell(resume(41, 42), event(42));
  expect(played.seqs).toEqual([42]);
  expect(played.client.status).toBe("live");
});

test("the heartbeat is what the options say", () => {
  expect(play({ heartbeat: 3 }).world.socket.parameters).toEqual({ heartbeat: "3" });
});

test.each([
  [{ heartbeat: 0 }, "heartbeat must be a whole number from 1 to 300, not 0"],
  [{ heartbeat: 2.5 }, "heartbeat must be a whole number from 1 to 300, not 2.5"],
  [{ heartbeat: 301 }, "heartbeat must be a whole number from 1 to 300, not 301"],
  [{ heartbeat: Number.NaN }, "heartbeat must be a whole number from 1 to 300, not NaN"],
  [{ retryFirst: 0 }, "retryFirst must be a whole number from 1 to 20000, not 0"],
  [{ retryLongest: 400 }, "retryFirst must be a whole number from 1 to 400, not 500"],
])("%j is refused", (options, message) => {
  expect(() => play(options)).toThrow(new RangeError(message));
});
