/** Why an attempt does not come about, where the platform says so. */

import { expect, test } from "vitest";
import { ConnectError } from "../../src/index.js";
import { type Played, play, playLive } from "../fakes/played_client.js";
import { snapshot } from "../fakes/relay_message.js";

const UNTRUSTED = { message: "self-signed certificate" };

function failAgain({ world }: Played, event: object): void {
  world.advance(world.pendingDelay ?? 0);
  world.socket.fail(event);
}

test("onError hears it in the platform's words, and the client tries on", () => {
  const { world, client } = play();
  world.socket.fail(UNTRUSTED);
  expect(world.errors).toEqual([new ConnectError("self-signed certificate")]);
  expect([client.status, client.error]).toEqual(["offline", null]);
  world.advance(world.pendingDelay ?? 0);
  world.socket.accept().tell(snapshot(41));
  expect(client.status).toBe("live");
});

test("what lies behind it says more", () => {
  const { world } = play();
  const error = { message: "failed", cause: { message: "self-signed certificate" } };
  world.socket.fail({ message: "failed", error });
  expect(world.errors).toEqual([new ConnectError("self-signed certificate")]);
});

test("it is told once, until another one comes or a connection", () => {
  const played = play();
  const { world } = played;
  world.socket.fail(UNTRUSTED);
  failAgain(played, UNTRUSTED);
  failAgain(played, { message: "Unexpected server response: 400" });
  failAgain(played, { message: "Unexpected server response: 400" });
  expect(world.errors).toHaveLength(2);
  world.advance(world.pendingDelay ?? 0);
  world.socket.accept().tell(snapshot(41)).end();
  failAgain(played, { message: "Unexpected server response: 400" });
  expect(world.errors).toHaveLength(3);
});

test.each([[{}], [{ message: "" }], [{ message: undefined, error: null }]])(
  "an event that says nothing is nothing to tell: %j",
  (event) => {
    const { world } = play();
    world.socket.fail(event);
    expect(world.errors).toEqual([]);
  },
);

test("that a connection is lost is no such error", () => {
  const { world } = playLive();
  world.socket.fail({ message: "read ECONNRESET" });
  expect(world.errors).toEqual([]);
});
