import { expect, test } from "vitest";
import { Backoff } from "../../src/backoff.js";
import { settingsFrom } from "../../src/options.js";

test("the ceiling grows by half from the first to the longest and stays there", () => {
  const backoff = new Backoff(400, 2_500, () => 1);
  const delays = Array.from({ length: 8 }, () => backoff.next());
  expect(delays).toEqual([400, 600, 900, 1_350, 2_025, 2_500, 2_500, 2_500]);
});

test("each delay is drawn anew from the whole range", () => {
  const draws = [0, 0.25, 0.999, 0.5];
  const backoff = new Backoff(400, 20_000, () => draws.shift() ?? 0);
  expect(Array.from({ length: 4 }, () => backoff.next())).toEqual([0, 150, 899.1, 675]);
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

test("after an outage a client waits less than half as long again, on average", () => {
  for (const outage of [500, 1_000, 3_000, 10_000]) {
    const waits = Array.from({ length: 2_000 }, () => waitAfter(outage));
    const mean = waits.reduce((sum, wait) => sum + wait, 0) / waits.length;
    expect(mean).toBeLessThan(Math.max(300, outage * 0.5));
  }
});

/** How long after the end of an outage the first attempt comes, with the defaults. */
function waitAfter(outage: number): number {
  const { retryFirst, retryLongest } = settingsFrom({});
  const backoff = new Backoff(retryFirst, retryLongest, Math.random);
  let elapsed = backoff.next();
  while (elapsed < outage) elapsed += backoff.next();
  return elapsed - outage;
}
