import { SyncClient } from "../../src/client.js";
import type { Json } from "../../src/json.js";
import { type Options, settingsFrom } from "../../src/options.js";
import type { Skipped } from "../../src/position.js";
import { FakeEnvironment } from "./fake_environment.js";
import { snapshot } from "./relay_message.js";

export const URL_OF_RELAY = "ws://relay.example:8642/ws/sync";

/** A client in a world of its own, with all that it tells written down. */
export interface Played {
  readonly world: FakeEnvironment;
  readonly client: SyncClient;
  readonly statuses: string[];
  readonly skips: Skipped[];
  readonly seqs: number[];
  readonly states: (readonly [key: string, value: Json | undefined])[];
}

/** Other than the defaults, so that the tests of either do not depend on these. */
const USUAL: Options = { heartbeat: 10, retryFirst: 500 };

/** Started, not yet accepted. Events of type `tick` and the keys named are written down. */
export function play(options: Options = {}, keys: readonly string[] = ["radio"]): Played {
  const world = new FakeEnvironment();
  const client = new SyncClient(URL_OF_RELAY, settingsFrom({ ...USUAL, ...options }), world);
  const played: Played = { world, client, statuses: [], skips: [], seqs: [], states: [] };
  client.onStatus((status) => played.statuses.push(status));
  client.onSkipped((skipped) => played.skips.push(skipped));
  client.on("tick", (_, { seq }) => played.seqs.push(seq));
  for (const key of keys) client.onState(key, (value) => played.states.push([key, value]));
  client.start();
  return played;
}

/** Connected, with a snapshot at position 41. */
export function playLive(options: Options = {}, state: object = { radio: null }): Played {
  const played = play(options);
  played.world.socket.accept().tell(snapshot(41, state));
  return played;
}

/** Loses the connection, lets the retry come, and accepts it. */
export function reconnect({ world }: Played): void {
  world.socket.end();
  world.advance(world.pendingDelay ?? 0);
  world.socket.accept();
}
