/** Whatever the order in which a client, a relay and a backend act: no listener hears what is not true. */

import { expect, test } from "vitest";
import type { ChannelHandle } from "../../src/channel_handle.js";
import { SyncClient } from "../../src/client.js";
import type { Json } from "../../src/json.js";
import { settingsFrom } from "../../src/options.js";
import { ChannelRelay } from "../fakes/channel_relay.js";
import { FakeEnvironment } from "../fakes/fake_environment.js";
import { URL_OF_RELAY } from "../fakes/played_client.js";

const NAMES = ["a", "b", "c"];

/** Numbers that look random, from 0 up to 1; the same for the same seed. */
function chances(seed: number): () => number {
  let state = seed + 1;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}

/** Follows a channel and complains about all that cannot be. */
class Judge {
  readonly stop: () => void;
  heard = 0;
  private last: number | null = null;

  constructor(
    readonly channel: ChannelHandle,
    complain: (words: string) => void,
  ) {
    const forgive = () => {
      this.last = null;
    };
    const stops = [
      channel.on("tick", (data) => {
        const { channel: name, number } = data as { channel: string; number: number };
        this.heard += 1;
        if (name !== channel.name) complain(`${channel.name} hears ${name}`);
        if (this.last !== null && number !== this.last + 1) {
          complain(`${name}: ${number} after ${this.last}`);
        }
        if (channel.get("count") !== number)
          complain(`${name}: the state is not that of ${number}`);
        this.last = number;
      }),
      channel.onState("count", (value: Json | undefined) => {
        const { position } = channel;
        if (position ? value !== undefined && value !== position.seq : value !== undefined) {
          complain(`${channel.name}: ${value} at ${position?.seq}`);
        }
      }),
      channel.onSkipped(forgive),
      channel.onDropped(forgive),
    ];
    this.stop = () => {
      for (const end of stops) end();
    };
  }
}

/** A client, its relay and a backend; `act` does something by chance. */
class Play {
  readonly world = new FakeEnvironment();
  readonly relay = new ChannelRelay();
  readonly complaints: string[] = [];
  readonly judges: Judge[] = [];
  readonly client: SyncClient;
  heard = 0;
  private accepted = 0;

  constructor(
    private readonly chance: () => number,
    defaultChannel: boolean,
  ) {
    const settings = settingsFrom({ heartbeat: 300, retryFirst: 500, defaultChannel });
    this.client = new SyncClient(URL_OF_RELAY, settings, this.world);
    this.client.start();
    this.accept();
  }

  act(): void {
    this.step();
    if (this.chance() < 0.2) this.retry();
    if (this.chance() < 0.2) this.accept();
  }

  /** Nothing is under way any more. */
  settle(): void {
    this.world.advance(0);
    this.retry();
    this.accept();
    while (this.relay.hear() || this.relay.tell());
  }

  private step(): void {
    const kind = this.chance();
    const name = NAMES[Math.floor(this.chance() * NAMES.length)] ?? "";
    if (kind < 0.12) this.follow(name);
    else if (kind < 0.24) this.unfollow();
    else if (kind < 0.4) this.relay.broadcast(this.chance() < 0.1 ? "" : name);
    else if (kind < 0.44) this.relay.drop(name);
    else if (kind < 0.6) this.world.advance(0);
    else if (kind < 0.78) this.relay.hear();
    else if (kind < 0.98) this.relay.tell();
    else this.relay.cut();
  }

  private follow(name: string): void {
    const complain = (words: string) => this.complaints.push(words);
    this.judges.push(new Judge(this.client.channel(name), complain));
  }

  private unfollow(): void {
    const at = Math.floor(this.chance() * this.judges.length);
    for (const judge of this.judges.splice(at, 1)) {
      judge.stop();
      this.heard += judge.heard;
    }
  }

  private retry(): void {
    while (this.client.status === "offline" && this.world.timerCount > 0) this.world.advance(500);
  }

  private accept(): void {
    const { sockets } = this.world;
    if (sockets.length === this.accepted) return;
    this.accepted = sockets.length;
    this.relay.accept(this.world.socket);
  }
}

test.each([true, false])("700 orders by chance (with the default channel: %s)", (isDefault) => {
  let heard = 0;
  for (let seed = 1; seed <= 700; seed += 1) {
    const play = new Play(chances(seed), isDefault);
    for (let step = 0; step < 200; step += 1) play.act();
    play.settle();
    const { complaints, world, judges, relay } = play;
    expect({ seed, complaints, errors: world.errors }).toEqual({
      seed,
      complaints: [],
      errors: [],
    });
    const followed = new Set(judges.map(({ channel }) => channel.name));
    if (isDefault) followed.add("");
    expect([seed, [...relay.subscribed].sort()]).toEqual([seed, [...followed].sort()]);
    for (const { channel } of judges) {
      const { name, status, state, position } = channel;
      const { state: expected, seq } = relay.log(name);
      expect([seed, name, status, state, position?.seq]).toEqual([
        seed,
        name,
        "live",
        expected,
        seq,
      ]);
    }
    heard += play.heard;
  }
  expect(heard).toBeGreaterThan(3_000);
});
