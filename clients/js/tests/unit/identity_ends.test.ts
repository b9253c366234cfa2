/** Identities that change, end, or come between messages. */

import { expect, test } from "vitest";
import { witness } from "../fakes/channel_witness.js";
import { SESSION } from "../fakes/fake_environment.js";
import { type Played, play, playLive, reconnect } from "../fakes/played_client.js";
import { fateOf, told } from "../fakes/promises.js";
import { ack, dropped, inChannel, refusal, snapshot } from "../fakes/relay_message.js";

const ME = "@dev-1";
const REF = (number: number) => `${SESSION}-${number}`;

function types({ world }: Played): string[] {
  return (world.socket.said as { type: string }[]).map(({ type }) => type);
}

test("another id is refused at once, and the first one stays", async () => {
  const { world, client } = playLive();
  fateOf(client.identify({ id: "dev-1" }));
  const fate = fateOf(client.identify({ id: "dev-2" }));
  await told();
  expect(fate.now).toBe("id_is_fixed");
  expect(world.socket.said).toMatchObject([{ id: "dev-1" }]);
});

test("a personal channel that is dropped is asked for again by the same words", () => {
  const { world, client } = playLive();
  fateOf(client.identify({ id: "dev-1" }));
  const personal = witness(client, ME);
  world.socket.tell(ack(REF(1)), inChannel(ME, snapshot(7, { radio: 1 })), dropped(ME));
  expect(personal.drops).toHaveLength(1);
  expect(world.socket.said).toMatchObject([{}, { type: "sync:hello", ref: REF(2) }]);
  world.socket.tell(ack(REF(2)), inChannel(ME, snapshot(9)));
  expect(personal.channel.status).toBe("live");
});

test("close rejects what waits, and identities after it", async () => {
  const { client } = playLive();
  const fates = [fateOf(client.identify({ id: "dev-1" }))];
  client.close();
  fates.push(fateOf(client.identify({ id: "dev-1" })));
  await told();
  expect(fates.map(({ now }) => now)).toEqual(["closed", "closed"]);
});

test("close leaves no timer of a hello that is to be said again", () => {
  const { world, client } = playLive();
  fateOf(client.identify({ id: "dev-1" }));
  world.socket.tell(refusal(REF(1), "rate_limited"));
  client.close();
  expect(world.timerCount).toBe(0);
});

test("what was said by nobody is said again by nobody: the relay knows it by that", () => {
  const played = playLive();
  const { world, client } = played;
  fateOf(client.send("first"));
  fateOf(client.identify({ id: "dev-1" }));
  fateOf(client.send("second"));
  expect(types(played)).toEqual(["first", "sync:hello", "second"]);
  reconnect(played);
  expect(types(played)).toEqual(["first", "sync:hello", "second"]);
  world.socket.tell(ack(REF(1)));
  reconnect(played);
  expect(types(played)).toEqual(["sync:hello", "second"]);
});

test("what waited before anybody knew who this is is said by whom it is then", () => {
  const played = play();
  fateOf(played.client.send("first"));
  fateOf(played.client.identify({ id: "dev-1" }));
  played.world.socket.accept();
  expect(types(played)).toEqual(["sync:hello", "first"]);
});

test("rename while a rename is refused: the newest is told", async () => {
  const { world, client } = playLive();
  const fates = ["a", "b"].map((name) => fateOf(client.identify({ id: "dev-1", info: { name } })));
  world.socket.tell(refusal(REF(1), "invalid_info"));
  expect(world.socket.said).toMatchObject([{ info: { name: "a" } }, { info: { name: "b" } }]);
  world.socket.tell(ack(REF(2)), inChannel(ME, snapshot(1)));
  await told();
  expect(fates.map(({ now }) => now)).toEqual(["invalid_info", "done"]);
  expect(client.channel(ME).status).toBe("live");
});

test("info that is left out stays as it was, and is not told where it never was", async () => {
  const played = playLive();
  const { world, client } = played;
  fateOf(client.identify({ id: "dev-1" }));
  expect(world.socket.said).toEqual([{ type: "sync:hello", id: "dev-1", ref: REF(1) }]);
  world.socket.tell(ack(REF(1)), inChannel(ME, snapshot(1)));
  fateOf(client.identify({ id: "dev-1", info: { name: "Phone" } }));
  world.socket.tell(ack(REF(2)));
  const fate = fateOf(client.identify({ id: "dev-1" }));
  await told();
  expect(fate.now).toBe("done");
  expect(world.socket.said).toMatchObject([{ info: { name: "Phone" } }]);
});
