import { SyncClient } from "./client.js";
import { platform } from "./environment.js";
import type { ChannelRefusedError, RefusedError } from "./error.js";
import type { Json, JsonObject } from "./json.js";
import type { Unsubscribe } from "./listeners.js";
import type { Members } from "./members.js";
import type { SyncEvent } from "./message.js";
import { type Options, settingsFrom } from "./options.js";
import type { SendOptions } from "./outbox.js";
import type { Dropped, Position, Skipped } from "./position.js";
import type { MessageOptions } from "./speech.js";
import type { ChannelStatus, Status } from "./status.js";

/** What may name a member: `keyof` without numbers and symbols. */
export type Key<Members> = keyof Members & string;

/** What may name a channel, and what its state and events are, where the application does not say. */
export type AnyChannels = Record<string, object>;

/** The types of the state's keys of a channel, by its name. */
export type StateOf<Channels extends object, Name extends Key<Channels>> = Channels[Name] extends {
  readonly state: infer State extends object;
}
  ? State
  : Record<string, Json>;

/** The types of the events' data of a channel, by its name. */
export type EventsOf<Channels extends object, Name extends Key<Channels>> = Channels[Name] extends {
  readonly events: infer Events extends object;
}
  ? Events
  : Record<string, Json>;

/** What the default channel and all others have. Each `on…` returns how to end it, and calls its listener later only. */
export interface Feed<
  State extends object,
  Events extends object,
  Info extends object = JsonObject,
> {
  /** The state by key: empty before the first snapshot, the last known one while offline. */
  readonly state: Readonly<Partial<State>>;
  /** The last event that the state and the listeners have seen; null before the first snapshot. */
  readonly position: Position | null;
  /**
   * Who is there, by the ids of identities: the same object until that changes, the last known ones while offline. Empty
   * where the relay keeps no members of the channel (`--presence`).
   */
  readonly members: Members<Info>;
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
  /** Hears all members, once for each message that changed them. */
  onMembers(listener: (members: Members<Info>) => void): Unsubscribe;
  /** Hears that events were leapt over by a snapshot, and how many. The state is whole all the same. */
  onSkipped(listener: (skipped: Skipped) => void): Unsubscribe;
}

/**
 * A channel. It is followed from its first listener on until the last one is gone; in between it has a state, before
 * and after it has none.
 */
export interface Channel<
  State extends object = Record<string, Json>,
  Events extends object = Record<string, Json>,
  Info extends object = JsonObject,
> extends Feed<State, Events, Info> {
  readonly name: string;
  readonly status: ChannelStatus;
  /** Why the relay does not let this client follow it; null unless it is refused. */
  readonly error: ChannelRefusedError | null;

  onStatus(listener: (status: ChannelStatus) => void): Unsubscribe;
  /** Hears that the channel was dropped, once its state is gone. One that is made anew under its name is followed. */
  onDropped(listener: (dropped: Dropped) => void): Unsubscribe;
  /** Follows it without a listener. */
  follow(): Unsubscribe;
  /** Asks again, where it was refused. */
  retry(): void;
}

/**
 * A live connection to a relay, and its default channel. `State` names the types of the state's keys, `Events`
 * those of the events' data, `Channels` both for other channels by name, `Info` what identities tell of themselves;
 * nothing checks them at run time. Values are shared: read them, never change them.
 */
export interface Client<
  State extends object = Record<string, Json>,
  Events extends object = Record<string, Json>,
  Channels extends object = AnyChannels,
  Info extends object = JsonObject,
> extends Feed<State, Events, Info> {
  readonly status: Status;
  /** Why the relay refuses this client; nothing is tried again then. */
  readonly error: RefusedError | null;

  onStatus(listener: (status: Status) => void): Unsubscribe;
  /** A channel by its name; the same object for as long as somebody follows it. */
  channel<Name extends Key<Channels>>(
    name: Name,
  ): Channel<StateOf<Channels, Name>, EventsOf<Channels, Name>, Info>;

  /**
   * Says who this client is, now and on each connection to come; the channel `@id` is followed from then on. Again with the same
   * id and other `info` (up to 1,024 bytes): a new name. Left out it stays as it was. Resolves when the relay has acknowledged it; rejects with RequestError, after which
   * it stands as it did before.
   */
  identify(identity: { readonly id: string; readonly info?: Info }): Promise<void>;
  /**
   * Says something to the backend: once, and in order, through any number of connections. Resolves when the relay has it, and
   * rejects with RequestError. `data` is what JSON can carry; nothing is null.
   */
  send(type: string, data?: unknown, options?: MessageOptions): Promise<void>;
  /** The same for all who follow a channel, without the backend: an event there. The default channel's name is "". */
  publish<K extends Key<Events>>(
    channel: "",
    type: K,
    data: Events[K],
    options?: SendOptions,
  ): Promise<void>;
  publish<Name extends Key<Channels>, K extends Key<EventsOf<Channels, Name>>>(
    channel: Name,
    type: K,
    data: EventsOf<Channels, Name>[K],
    options?: SendOptions,
  ): Promise<void>;

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
  Channels extends object = AnyChannels,
  Info extends object = JsonObject,
>(url: string, options: Options = {}): Client<State, Events, Channels, Info> {
  const client = new SyncClient(url, settingsFrom(options), platform(options));
  client.start();
  return client as unknown as Client<State, Events, Channels, Info>;
}
