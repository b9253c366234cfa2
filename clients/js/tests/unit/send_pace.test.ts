/** How fast messages are said: below the bound of the relay, and what becomes of those that were above it. */

import { expect, test } from "vitest";
import { type Played, playLive, reconnect } from "../fakes/played_client.js";
import { fateOf, told } from "../fakes/promises.js";
import { ack, refusal } from "../fakes/relay_message.js";

interface Said {
  readonly data: number;
  readonly ref: string;
}

function send({ client }: Played, count: number) {
  return Array.from({ length: count }, (_, index) => fateOf(client.send("vote", index + 1)));
}

/** What the client said since this was asked last. */
function said({ world }: Played): readonly Said[] {
  return world.socket.said as Said[];
}

/** A relay that counts the messages of a connection and refuses what is above its bound. It answers after `delay` ms. */
class StrictRelay {
  readonly taken: number[] = [];
  refused = 0;
  private allowance: number;
  private countedAt = 0;
  private readonly underWay: { readonly due: number; readonly answer: object }[] = [];

  constructor(
    private readonly played: Played,
    private readonly rate: number,
    private readonly burst: number,
    private readonly delay: number,
  ) {
    this.allowance = burst;
    this.countedAt = played.world.now();
  }

  /** Lets time pass in steps of 10 ms. */
  run(milliseconds: number): void {
    for (let passed = 0; passed < milliseconds; passed += 10) {
      this.hear();
      this.played.world.advance(10);
      while ((this.underWay[0]?.due ?? Number.POSITIVE_INFINITY) <= this.played.world.now()) {
        this.played.world.socket.tell(this.underWay.shift()?.answer);
      }
    }
  }

  private hear(): void {
    const now = this.played.world.now();
    const gained = ((now - this.countedAt) / 1_000) * this.rate;
    this.allowance = Math.min(this.burst, this.allowance + gained);
    this.countedAt = now;
    for (const { data, ref } of said(this.played)) this.take(data, ref, now + this.delay);
  }

  private take(data: number, ref: string, due: number): void {
    const isAllowed = this.allowance >= 1;
    if (isAllowed) {
      this.allowance -= 1;
      this.taken.push(data);
    } else this.refused += 1;
    this.underWay.push({ due, answer: isAllowed ? ack(ref) : refusal(ref, "rate_limited") });
  }
}

test("16 are on their way at once, and each answer makes room for the next", () => {
  const played = playLive();
  send(played, 40);
  const first = said(played);
  expect(first.map(({ data }) => data)).toEqual(Array.from({ length: 16 }, (_, i) => i + 1));
  played.world.advance(1_000);
  expect(said(played)).toEqual([]);
  played.world.socket.tell(ack(first[3]?.ref), ack(first[0]?.ref));
  expect(said(played).map(({ data }) => data)).toEqual([17, 18]);
});

test("on end 15 a second are said, or what the options say", () => {
  for (const [sendRate, expected] of [
    [undefined, 16 + 30],
    [100, 16 + 200],
  ] as const) {
    const played = playLive({ sendRate });
    const relay = new StrictRelay(played, 1_000, 1_000, 10);
    send(played, 400);
    relay.run(2_000);
    expect(Math.abs(relay.taken.length - expected)).toBeLessThanOrEqual(2);
  }
});

test.each([10, 100, 700, 2_500])(
  "a relay as it comes refuses none, whatever its distance (%s ms)",
  async (delay) => {
    const played = playLive({ heartbeat: 300 });
    const relay = new StrictRelay(played, 20, 40, delay);
    const fates = send(played, 200);
    relay.run(60_000);
    await told();
    expect(relay.refused).toBe(0);
    expect(relay.taken).toEqual(fates.map((_, index) => index + 1));
    expect(new Set(fates.map(({ now }) => now))).toEqual(new Set(["done"]));
  },
);

test.each([
  [5, 16],
  [2, 16],
  [1, 16],
])(
  "a relay that allows less (%s a second) gets all, and in order once it has said so",
  async (rate, burst) => {
    const played = playLive({ heartbeat: 300 });
    const relay = new StrictRelay(played, rate, burst, 30);
    const fates = send(played, 60);
    relay.run(120_000);
    await told();
    expect(new Set(fates.map(({ now }) => now))).toEqual(new Set(["done"]));
    expect(relay.refused).toBeGreaterThan(0);
    expect(relay.refused).toBeLessThan(40);
    expect(relay.taken.slice(burst)).toEqual(
      [...relay.taken.slice(burst)].sort((left, right) => left - right),
    );
    expect(new Set(relay.taken).size).toBe(60);
  },
);

test("after a refusal it pauses, twice as long each time, and says one at a time", () => {
  const played = playLive();
  const { world } = played;
  send(played, 3);
  for (const { ref } of said(played)) world.socket.tell(refusal(ref, "rate_limited"));
  for (const pause of [1_000, 2_000, 4_000, 8_000, 10_000, 10_000]) {
    world.advance(pause - 1);
    world.socket.tell({ type: "ping" });
    expect(said(played)).toEqual([]);
    world.advance(1);
    const [next, ...more] = said(played);
    expect([next?.data, more]).toEqual([1, []]);
    world.socket.tell(refusal(next?.ref, "rate_limited"));
  }
});

test.each(["storage_uncertain", "cluster_unavailable"])(
  "what the relay may have taken or not (%s) is said again, under the same ref",
  async (code) => {
    const played = playLive();
    const { world } = played;
    const [fate] = send(played, 1);
    const [first] = said(played);
    world.socket.tell(refusal(first?.ref, code));
    world.advance(1_000);
    expect(said(played)).toEqual([first]);
    world.socket.tell(ack(first?.ref));
    await told();
    expect(fate?.now).toBe("done");
  },
);

test("the next connection begins anew", () => {
  const played = playLive();
  send(played, 3);
  played.world.socket.tell(refusal(said(played)[0]?.ref, "rate_limited"));
  reconnect(played);
  expect(said(played).map(({ data }) => data)).toEqual([1, 2, 3]);
});

test("one that is given up makes room for the next", async () => {
  const played = playLive({ heartbeat: 300 });
  const { world, client } = played;
  const fates = Array.from({ length: 16 }, () =>
    fateOf(client.send("vote", 0, { timeout: 2_000 })),
  );
  fateOf(client.send("vote", 17));
  said(played);
  world.advance(2_000);
  await told();
  expect(fates.every(({ now }) => now === "timeout")).toBe(true);
  expect(said(played).map(({ data }) => data)).toEqual([17]);
});

test.each([0, 1_001, 1.5])("a rate of %s is refused", (sendRate) => {
  expect(() => playLive({ sendRate })).toThrow(RangeError);
});
