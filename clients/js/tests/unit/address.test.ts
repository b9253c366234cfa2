import { expect, test } from "vitest";
import { attemptAddress } from "../../src/address.js";

const position = { epoch: "9f2c", seq: 41 };

test("the first attempt asks for a heartbeat only", () => {
  expect(attemptAddress("ws://h/ws/sync", 10, null)).toBe("ws://h/ws/sync?heartbeat=10");
});

test("a later one names the position", () => {
  const address = attemptAddress("ws://h/ws/sync", 7, position);
  expect(address).toBe("ws://h/ws/sync?heartbeat=7&epoch=9f2c&seq=41");
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
])("the client's own arguments take the place of those in %s", (base) => {
  expect(attemptAddress(base, 10, null)).toBe("ws://h/ws/sync?heartbeat=10");
  expect(attemptAddress(base, 10, position)).toBe("ws://h/ws/sync?heartbeat=10&epoch=9f2c&seq=41");
});

test("an epoch of any letters survives", () => {
  const address = attemptAddress("ws://h/", 10, { epoch: "a&b=c d", seq: 0 });
  expect(new URL(address).searchParams.get("epoch")).toBe("a&b=c d");
});

test("channels stand behind the position", () => {
  const address = attemptAddress("ws://h/ws/sync?x=1", 10, position, ["", "a,e,7"]);
  expect(address).toBe("ws://h/ws/sync?heartbeat=10&epoch=9f2c&seq=41&channel=&channel=a,e,7&x=1");
});
