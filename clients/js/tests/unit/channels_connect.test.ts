/** How a connection asks for channels, all in one handshake, and when it and they are live. */

import { expect, test } from "vitest";
import { witness } from "../fakes/channel_witness.js";
import { SESSION } from "../fakes/fake_environment.js";
import { playLive, reconnect, URL_OF_RELAY } from "../fakes/played_client.js";
import {
  EPOCH,
  event,
  inChannel,
  ping,
  refused,
  resume,
  snapshot,
} from "../fakes/relay_message.js";

const names = (count: number) =>
  Array.from({ length: count }, (_, index) => `room:${String(index).padStart(100, "0")}`);

/** Live, with these channels at position 7. */
function playRooms(rooms: readonly string[]) {
  const played = playLive();
  const witnesses = rooms.map((name) => witness(played.client, name));
  for (const name of rooms) played.world.socket.tell(inChannel(name, snapshot(7)));
  return { ...played, witnesses };
}

test("all channels resume in one handshake", () => {
  const played = playRooms(["a", "b:1"]);
  const { world } = played;
  world.socket.tell(inChannel("b:1", event(8)), event(42));
  reconnect(played);
  const position = `epoch=${EPOCH}&seq=42`;
  const channels = `channel=&channel=a,${EPOCH},7&channel=b:1,${EPOCH},8`;
  expect(world.socket.url).toBe(
    `${URL_OF_RELAY}?heartbeat=10&${position}&${channels}&session=${SESSION}`,
  );
  expect(world.socket.said).toEqual([]);
  world.socket.tell(
    resume(42, 42),
    inChannel("a", resume(7, 8)),
    inChannel("b:1", resume(8, 8)),
    inChannel("a", event(8)),
  );
  expect(played.witnesses.map(({ seqs }) => seqs)).toEqual([[8], [8]]);
  expect(played.witnesses[0]?.statuses).toEqual(["live", "offline", "resuming", "live"]);
  expect(world.errors).toEqual([]);
});

test("a channel resumes until all that it missed is there", () => {
  const played = playRooms(["a"]);
  reconnect(played);
  played.world.socket.tell(resume(41, 41), inChannel("a", resume(7, 9)));
  expect(played.witnesses[0]?.channel.status).toBe("resuming");
  played.world.socket.tell(inChannel("a", event(8)), inChannel("a", event(9)));
  expect(played.witnesses[0]?.channel.status).toBe("live");
});

test("a channel that was live in an attempt that is begun anew says so", () => {
  const played = playRooms(["a"]);
  const { world, client } = played;
  reconnect(played);
  world.socket.tell(inChannel("a", resume(7, 7)));
  expect(played.witnesses[0]?.channel.status).toBe("live");
  expect(client.status).toBe("resuming");
  world.wake();
  world.advance(5_000);
  expect(world.sockets).toHaveLength(3);
  expect(played.witnesses[0]?.statuses.slice(3)).toEqual(["live", "resuming"]);
});

test.each(["live", "resuming", "offline"])(
  "a channel's listener may close the client when it is %s",
  (status) => {
    const played = playRooms(["a"]);
    const { world, client } = played;
    reconnect(played);
    const end = client.channel("a").onStatus((now) => now === status && client.close());
    world.socket.tell(inChannel("a", resume(7, 7)));
    world.wake();
    world.advance(5_000);
    world.sockets.at(-1)?.end();
    expect(client.status).toBe("offline");
    expect(client.channel("a").status).toBe("offline");
    expect(world.timerCount).toBe(0);
    expect(world.sockets.filter(({ closed }) => !closed)).toEqual([]);
    end();
  },
);

test("a channel that is left and followed again while the connection opens resumes as it was asked for", () => {
  const played = playRooms(["a"]);
  const { world, client } = played;
  world.socket.end();
  world.advance(world.pendingDelay ?? 0);
  played.witnesses[0]?.stop();
  world.advance(0);
  const next = witness(client, "a");
  world.socket
    .accept()
    .tell(resume(41, 41), inChannel("a", resume(7, 8)), inChannel("a", event(8)));
  expect(world.socket.said).toEqual([]);
  expect(next.seqs).toEqual([8]);
  expect(world.errors).toEqual([]);
});

test("what makes the address too long is asked for when it is open", () => {
  const rooms = names(100);
  const played = playRooms(rooms);
  reconnect(played);
  const { socket } = played.world;
  expect(socket.url.length).toBeLessThanOrEqual(8_192);
  expect(socket.url.length).toBeGreaterThan(8_000);
  const inAddress = socket.channels.slice(1).map((argument) => argument.split(",")[0]);
  const said = socket.said as { channel: string; epoch: string; seq: number }[];
  expect([...inAddress, ...said.map(({ channel }) => channel)]).toEqual(rooms);
  expect(said[0]).toEqual({
    type: "sync:subscribe",
    channel: said[0]?.channel,
    epoch: EPOCH,
    seq: 7,
  });
  socket.tell(resume(41, 41), ...rooms.map((name) => inChannel(name, resume(7, 7))));
  expect(played.witnesses.every(({ channel }) => channel.status === "live")).toBe(true);
});

test("an epoch of any letters survives", () => {
  const played = playLive();
  witness(played.client, "a");
  played.world.socket.tell(inChannel("a", snapshot(7, {}, { epoch: "x&y=,z" })));
  reconnect(played);
  expect(played.world.socket.channels).toEqual(["", "a,x&y=,z,7"]);
  expect(played.world.socket.url).toContain("channel=a,x%26y%3D%2Cz,7");
});

test("the default channel is live before the others, and they are waited for", () => {
  const played = playRooms(["a"]);
  const { world, client } = played;
  world.socket.tell("{");
  world.advance(world.pendingDelay ?? 0);
  world.socket.accept().tell(snapshot(41));
  expect(client.status).toBe("live");
  expect(played.witnesses[0]?.channel.status).toBe("resuming");
  world.advance(59_000);
  expect(client.status).toBe("doubtful");
  world.socket.tell(inChannel("a", snapshot(9)));
  expect(client.status).toBe("live");
  expect(world.sockets).toHaveLength(2);
  world.advance(25_000);
  expect(client.status).toBe("offline");
});

test("a channel's resume may take 25 s, and then as long as a snapshot, which it may be", () => {
  const played = playRooms(["a"]);
  const { world, client } = played;
  const timeToLoss = () => {
    world.socket.tell(resume(41, 41));
    const begin = world.now();
    while (client.status !== "offline") world.advance(world.pendingDelay ?? 0);
    return world.now() - begin;
  };
  reconnect(played);
  expect(timeToLoss()).toBe(25_000);
  for (const _ of [1, 2]) {
    world.advance(world.pendingDelay ?? 0);
    world.socket.accept();
    expect(timeToLoss()).toBe(60_000);
  }
  world.advance(world.pendingDelay ?? 0);
  world.socket.accept().tell(resume(41, 41), inChannel("a", resume(7, 7)));
  reconnect(played);
  expect(timeToLoss()).toBe(25_000);
});

test("channels that never come do not hide a dead line for longer than a snapshot may take", () => {
  const played = playRooms(["a"]);
  const { world, client } = played;
  reconnect(played);
  world.socket.tell(resume(41, 41), ping);
  world.advance(24_999);
  expect(client.status).toBe("doubtful");
  world.advance(1);
  expect(client.status).toBe("offline");
});

test("a channel asked for on a dead line does not hide that", () => {
  const { world, client } = playLive();
  witness(client, "a");
  world.advance(25_000);
  expect(client.status).toBe("offline");
});

test("a refused channel is not waited for", () => {
  const played = playRooms(["a"]);
  const { world, client } = played;
  world.socket.tell("{");
  world.advance(world.pendingDelay ?? 0);
  world.socket.accept().tell(snapshot(41), refused("a"));
  world.advance(25_000);
  expect(client.status).toBe("offline");
});

test("only the first greeting of a connection sets the clock anew", () => {
  const { world, client } = playLive();
  const before = client.serverNow();
  witness(client, "a");
  world.socket.tell(inChannel("a", snapshot(7, {}, { ts: 1_000 })));
  expect(client.serverNow()).toBe(before);
});
