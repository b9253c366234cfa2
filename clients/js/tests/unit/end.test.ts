/** How it ends: close(), and a refusal by the relay. */

import { expect, test } from "vitest";
import { RefusedError } from "../../src/error.js";
import { play, playLive } from "../fakes/played_client.js";
import { event, snapshot } from "../fakes/relay_message.js";

test("close code 1008 stops it with an error that says why", () => {
  const { world, client, statuses } = playLive();
  world.socket.end(1008, "too many connections from this address");
  const message =
    "the relay refused this client (close code 1008): too many connections from this address";
  expect(client.error).toBeInstanceOf(RefusedError);
  expect(client.error).toMatchObject({
    message,
    code: 1008,
    reason: "too many connections from this address",
  });
  expect(world.errors).toEqual([client.error]);
  expect(statuses).toEqual(["live", "offline"]);
});

test("a page that may not connect stops, and reads which option of the relay would let it", () => {
  const { world, client } = play();
  const reason = "origin_not_allowed: start the relay with --allow-origin null";
  world.socket.accept().end(4403, reason);
  expect(client.error).toMatchObject({ code: 4403, reason });
  expect(client.error?.message).toContain("(close code 4403): origin_not_allowed");
  world.advance(1_000_000);
  expect(world.sockets).toHaveLength(1);
});

test.each([4400, 4401, 4428, 4430, 4499])("close code %s is final", (code) => {
  const { world, client } = playLive();
  world.socket.end(code, "token_invalid");
  expect(client.error).toMatchObject({ code, reason: "token_invalid" });
  world.advance(1_000_000);
  expect(world.sockets).toHaveLength(1);
});

test.each([1001, 1013, 4000, 4399, 4429, 4500, 4999])(
  "after close code %s it comes back",
  (code) => {
    const { world, client } = playLive();
    world.socket.end(code, "disconnected");
    expect(client.error).toBeNull();
    expect(world.errors).toEqual([]);
    world.advance(500);
    expect(world.sockets).toHaveLength(2);
  },
);

test("who is cut off for talking too fast comes back later each time, however long it went well", () => {
  const { world } = playLive({ retryFirst: 400, heartbeat: 300 });
  const delays = [1, 2, 3].map(() => {
    world.advance(20_000);
    world.socket.end(4429, "rate_limited");
    const delay = world.pendingDelay ?? 0;
    world.advance(delay);
    world.socket.accept().tell(snapshot(41));
    return delay;
  });
  expect(delays).toEqual([200, 300, 450]);
});

test("after a refusal nothing is tried again, not even on a wake", () => {
  const { world, client } = play();
  world.socket.accept().end(1008);
  expect(world.pendingDelay).toBeNull();
  expect(world.wakerCount).toBe(0);
  world.wake();
  world.advance(1_000_000);
  expect(world.sockets).toHaveLength(1);
  expect(client.status).toBe("offline");
  expect(client.error?.message).toContain("no reason given");
});

test("when offline is told, the refusal is there to be read", () => {
  const { world, client } = playLive();
  const seen: unknown[] = [];
  client.onStatus(() => seen.push(client.error?.reason));
  world.socket.end(1008, "no");
  expect(seen).toEqual(["no"]);
});

test("close ends the socket, the timer and the wish to be woken", () => {
  const { world, client, statuses } = playLive();
  client.close();
  expect(world.socket.closed).toEqual({ code: 1000, reason: "" });
  expect(world.pendingDelay).toBeNull();
  expect(world.wakerCount).toBe(0);
  expect(statuses).toEqual(["live", "offline"]);
  expect(client.error).toBeNull();
});

test("close while it waits for a retry ends the waiting", () => {
  const { world, client } = playLive();
  world.socket.end();
  client.close();
  world.advance(1_000_000);
  expect(world.sockets).toHaveLength(1);
});

test("after close nothing is heard, and the last state stays readable", () => {
  const { world, client, seqs, statuses } = playLive({}, { radio: 1 });
  client.close();
  world.socket.tell(event(42));
  world.socket.end(1008);
  client.close();
  expect(seqs).toEqual([]);
  expect(statuses).toEqual(["live", "offline"]);
  expect(client.state).toEqual({ radio: 1 });
  expect(client.error).toBeNull();
});

test.each(["status", "state", "event", "skipped"])("a %s listener may close the client", (kind) => {
  const played = play();
  const { world, client } = played;
  const close = () => client.close();
  if (kind === "status") client.onStatus(close);
  if (kind === "state") client.onState("radio", close);
  if (kind === "event") client.on("tick", close);
  if (kind === "skipped") client.onSkipped(close);
  world.socket.accept().tell(snapshot(41, { radio: 1 }));
  world.socket.tell(event(42), snapshot(99, {}, { skipped: 57 }), event(100));
  expect(client.status).toBe("offline");
  expect(world.socket.closed).toEqual({ code: 1000, reason: "" });
  expect(world.pendingDelay).toBeNull();
  expect(world.wakerCount).toBe(0);
  expect(played.statuses.filter((status) => status === "offline")).toHaveLength(1);
});

test("a listener that closes it is the last to be heard", () => {
  const { world, client } = playLive();
  const heard: string[] = [];
  client.on("tick", () => client.close());
  client.on("tick", () => heard.push("second"));
  world.socket.tell(event(42));
  expect(heard).toEqual([]);
});

test("a listener that closes it on offline ends the retries", () => {
  const { world, client } = playLive();
  client.onStatus(() => client.close());
  world.socket.end();
  expect(world.pendingDelay).toBeNull();
  world.advance(1_000_000);
  expect(world.sockets).toHaveLength(1);
});

test("a listener that closes it on resuming ends that attempt", () => {
  const { world, client } = playLive();
  client.onStatus((status) => status === "resuming" && client.close());
  world.socket.end();
  world.advance(250);
  expect(world.sockets).toHaveLength(2);
  expect(world.socket.closed).toEqual({ code: 1000, reason: "" });
  expect(world.pendingDelay).toBeNull();
});
