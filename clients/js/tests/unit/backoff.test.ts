import { expect, test } from "vitest";
import { Backoff } from "../../src/backoff.js";

test("the ceiling doubles from the first to the longest and stays there", () => {
  const backoff = new Backoff(500, 20_000, () => 1);
  const delays = Array.from({ length: 9 }, () => backoff.next());
  expect(delays).toEqual([500, 1_000, 2_000, 4_000, 8_000, 16_000, 20_000, 20_000, 20_000]);
});

test("each delay is drawn anew from the whole range", () => {
  const draws = [0, 0.25, 0.999, 0.5];
  const backoff = new Backoff(500, 20_000, () => draws.shift() ?? 0);
  expect(Array.from({ length: 4 }, () => backoff.next())).toEqual([0, 250, 1_998, 2_000]);
});

test("a reset begins again with the first", () => {
  const backoff = new Backoff(500, 20_000, () => 1);
  backoff.next();
  backoff.next();
  backoff.reset();
  expect(backoff.next()).toBe(500);
});

test("clients that lost the same relay come back spread out", () => {
  const delays = Array.from({ length: 1_000 }, () => new Backoff(500, 20_000, Math.random).next());
  const tenths = new Set(delays.map((delay) => Math.floor(delay / 50)));
  expect(tenths).toEqual(new Set([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]));
});
