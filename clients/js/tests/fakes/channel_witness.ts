import type { ChannelHandle } from "../../src/channel_handle.js";
import type { SyncClient } from "../../src/client.js";
import type { Json, JsonObject } from "../../src/json.js";
import type { Dropped, Skipped } from "../../src/position.js";

/** All that a channel tells, written down. */
export interface ChannelWitness {
  readonly channel: ChannelHandle;
  readonly statuses: string[];
  readonly seqs: number[];
  readonly states: JsonObject[];
  readonly keys: (readonly [key: string, value: Json | undefined])[];
  readonly skips: Skipped[];
  readonly drops: Dropped[];
  /** Ends all of its subscriptions. */
  readonly stop: () => void;
}

/** Follows a channel; events of type `tick` and the key `radio` are written down. */
export function witness(client: SyncClient, name: string): ChannelWitness {
  const channel = client.channel(name);
  const stops: (() => void)[] = [];
  const stop = () => {
    for (const end of stops) end();
  };
  const notes = { statuses: [], seqs: [], states: [], keys: [], skips: [], drops: [] };
  const told: ChannelWitness = { channel, stop, ...notes };
  stops.push(
    channel.onStatus((status) => told.statuses.push(status)),
    channel.on("tick", (_, { seq }) => told.seqs.push(seq)),
    channel.onChange((state) => told.states.push(state)),
    channel.onState("radio", (value) => told.keys.push(["radio", value])),
    channel.onSkipped((skipped) => told.skips.push(skipped)),
    channel.onDropped((dropped) => told.drops.push(dropped)),
  );
  return told;
}
