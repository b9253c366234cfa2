import { expect, test } from "vitest";
import * as address from "../../src/address.js";
import type { Position } from "../../src/position.js";

const SESSION = "5e55";

/** The address without the client's session, which stands behind its other arguments. */
function attemptAddress(
  base: string,
  heartbeat: number,
  place: Position | null,
  channels: readonly string[] = [],
): string {
  const whole = address.attemptAddress(base, heartbeat, place, channels, SESSION);
  expect(whole.split(`&session=${SESSION}`)).toHaveLength(2);
  return whole.replace(`&session=${SESSION}`, "");
}

const position = { epoch: "9f2c", seq: 41 };

test("the first attempt asks for a heartbeat only", () => {
  expect(attemptAddress("ws://h/ws/sync", 10, null)).toBe("ws://h/ws/sync?heartbeat=10");
});

test("a later one names the position", () => {
  const attempt = attemptAddress("ws://h/ws/sync", 7, position);
  expect(attempt).toBe("ws://h/ws/sync?heartbeat=7&epoch=9f2c&seq=41");
});

test.each([
  ["ws://h/ws/sync?room=1", "ws://h/ws/sync?heartbeat=10&room=1"],
  ["ws://h/ws/sync?", "ws://h/ws/sync?heartbeat=10"],
  ["ws://h/ws/sync?room=1&", "ws://h/ws/sync?heartbeat=10&room=1"],
  ["ws://h/ws/sync?&&a=1&&", "ws://h/ws/sync?heartbeat=10&a=1"],
  ["ws://h/ws/sync?token=&x", "ws://h/ws/sync?heartbeat=10&token=&x"],
  ["ws://h/ws/sync?a=1&a=2&a", "ws://h/ws/sync?heartbeat=10&a=1&a=2&a"],
  ["ws://h/ws/sync?next=/a?b=1#c?d", "ws://h/ws/sync?heartbeat=10&next=/a?b=1"],
  ["ws://h/ws/sync?%=1&%zz", "ws://h/ws/sync?heartbeat=10&%=1&%zz"],
  ["ws://h/ws/sync?sequel=1&=2", "ws://h/ws/sync?heartbeat=10&sequel=1&=2"],
  ["ws://h/ws/sync#part", "ws://h/ws/sync?heartbeat=10"],
  ["/ws/sync", "/ws/sync?heartbeat=10"],
])("what %s has already stays", (base, expected) => {
  expect(attemptAddress(base, 10, null)).toBe(expected);
});

test.each([
  "ws://h/ws/sync?epoch=&seq=",
  "ws://h/ws/sync?epoch&seq&heartbeat",
  "ws://h/ws/sync?epoch=old&seq=3&heartbeat=300&epoch=older",
  "ws://h/ws/sync?%65poch=old&s%65q=3",
  "ws://h/ws/sync?channel=a&channel=",
  "ws://h/ws/sync?session=mine",
])("the client's own arguments take the place of those in %s", (base) => {
  expect(attemptAddress(base, 10, null)).toBe("ws://h/ws/sync?heartbeat=10");
  expect(attemptAddress(base, 10, position)).toBe("ws://h/ws/sync?heartbeat=10&epoch=9f2c&seq=41");
});

test("an epoch of any letters survives", () => {
  const attempt = attemptAddress("ws://h/", 10, { epoch: "a&b=c d", seq: 0 });
  expect(new URL(attempt).searchParams.get("epoch")).toBe("a&b=c d");
});

test("channels stand behind the position", () => {
  const attempt = attemptAddress("ws://h/ws/sync?x=1", 10, position, ["", "a,e,7"]);
  expect(attempt).toBe("ws://h/ws/sync?heartbeat=10&epoch=9f2c&seq=41&channel=&channel=a,e,7&x=1");
});

test("the session stands behind what the client asks for", () => {
  const attempt = address.attemptAddress("ws://h/ws/sync?x=1", 10, null, ["a"], SESSION);
  expect(attempt).toBe("ws://h/ws/sync?heartbeat=10&channel=a&session=5e55&x=1");
});
