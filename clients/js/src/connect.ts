import { SyncClient } from "./client.js";
import type { Status } from "./connection.js";
import { platform } from "./environment.js";
import type { RefusedError } from "./error.js";
import type { Json } from "./json.js";
import type { Unsubscribe } from "./listeners.js";
import type { SyncEvent } from "./message.js";
import { type Options, settingsFrom } from "./options.js";
import type { Position, Skipped } from "./position.js";

/** What may name a member: `keyof` without numbers and symbols. */
export type Key<Members> = keyof Members & string;

/**
 * A live connection to a relay. `State` names the types of the state's keys, `Events` those of the
 * events' data; nothing checks them at run time. Values are shared: read them, never change them.
 */
export interface Client<
  State extends object = Record<string, Json>,
  Events extends object = Record<string, Json>,
> {
  /** The state by key: empty before the first snapshot, the last known one while offline. */
  readonly state: Readonly<Partial<State>>;
  readonly status: Status;
  /** The last event that the state and the listeners have seen; null before the first snapshot. */
  readonly position: Position | null;
  /** Why the relay refuses this client; nothing is tried again then. */
  readonly error: RefusedError | null;

  get<K extends Key<State>>(key: K): State[K] | undefined;

  /** Hears every event of a type, after the state has taken in what it carries. */
  on<K extends Key<Events>>(
    type: K,
    listener: (data: Events[K], event: SyncEvent<Events[K]>) => void,
  ): Unsubscribe;
  /** Hears a key's new value whenever it differs from the last one; undefined when the key is gone. */
  onState<K extends Key<State>>(
    key: K,
    listener: (value: State[K] | undefined) => void,
  ): Unsubscribe;
  /** Hears the whole state, once for each message that changed it. */
  onChange(listener: (state: Readonly<Partial<State>>) => void): Unsubscribe;
  onStatus(listener: (status: Status) => void): Unsubscribe;
  /** Hears that events were leapt over by a snapshot, and how many. The state is whole all the same. */
  onSkipped(listener: (skipped: Skipped) => void): Unsubscribe;

  /**
   * The relay's time in milliseconds since 1970, like Date.now(); local time before the first message.
   * Behind by what the quickest message of the last minute or two (of the last two, where fewer came) took.
   */
  serverNow(): number;
  /** Ends the connection and all subscriptions. */
  close(): void;
}

/**
 * Connects to a relay (`ws://host:8642/ws/sync`) and stays connected until `close()`.
 * Throws for an address or an option that makes no sense, and for nothing else.
 */
export function connect<
  State extends object = Record<string, Json>,
  Events extends object = Record<string, Json>,
>(url: string, options: Options = {}): Client<State, Events> {
  const client = new SyncClient(url, settingsFrom(options), platform(options));
  client.start();
  return client as unknown as Client<State, Events>;
}
