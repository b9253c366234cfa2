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
  ["ws://h/ws/sync?room=1", "ws://h/ws/sync?room=1&heartbeat=10"],
  ["ws://h/ws/sync?", "ws://h/ws/sync?heartbeat=10"],
  ["ws://h/ws/sync?room=1&", "ws://h/ws/sync?room=1&heartbeat=10"],
  ["ws://h/ws/sync#part", "ws://h/ws/sync?heartbeat=10"],
  ["/ws/sync", "/ws/sync?heartbeat=10"],
])("what %s has already stays", (base, expected) => {
  expect(attemptAddress(base, 10, null)).toBe(expected);
});

test("an epoch of any letters survives", () => {
  const address = attemptAddress("ws://h/", 10, { epoch: "a&b=c d", seq: 0 });
  expect(new URL(address).searchParams.get("epoch")).toBe("a&b=c d");
});
