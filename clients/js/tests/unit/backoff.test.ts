import { readFileSync } from "node:fs";
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

// What README.md tells, in seconds: the mean, what one client in twenty exceeds, and the worst.
const TOLD =
  /outage of 1 s it waits (\S+) s more on average.*?more than (\S+) s\), of 3 s (\S+) s \((\S+) s\), of 10 s (\S+) s \((\S+) s\), of a minute (\S+) s \((\S+) s\), and at worst (\d+) s/s;
const told = (TOLD.exec(readFileSync("README.md", "utf8")) ?? []).slice(1).map(Number);

test.each([1, 3, 10, 60].map((outage, index) => [outage, told[2 * index], told[2 * index + 1]]))(
  "after an outage of %i s a client waits %f s more on average, and one in twenty more than %f s",
  (outage = 0, mean = 0, high = 0) => {
    const waits = Array.from({ length: 20_000 }, () => waitAfter(outage * 1000) / 1000);
    waits.sort((left, right) => left - right);
    const sum = waits.reduce((total, wait) => total + wait, 0);
    expect(Math.abs(sum / waits.length / mean - 1)).toBeLessThan(0.12);
    expect(Math.abs((waits[19_000] ?? 0) / high - 1)).toBeLessThan(0.08);
    expect(waits.at(-1)).toBeLessThanOrEqual(told[8] ?? 0);
  },
);

/** How long after the end of an outage the first attempt comes, with the defaults. */
function waitAfter(outage: number): number {
  const { retryFirst, retryLongest } = settingsFrom({});
  const backoff = new Backoff(retryFirst, retryLongest, Math.random);
  let elapsed = backoff.next();
  while (elapsed < outage) elapsed += backoff.next();
  return elapsed - outage;
}
