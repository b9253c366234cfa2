import type { Channel, Client } from "./connect.js";
import type { ChannelRefusedError, RefusedError } from "./error.js";
import type { Json, JsonObject } from "./json.js";
import type { SyncEvent } from "./message.js";
import type { ChannelStatus, Status } from "./status.js";

// What the front ends (react.ts, vue.ts, svelte.ts) have in common.

/** What is shown of the default channel and the connection. */
export interface Sync<
  State extends object = Record<string, Json>,
  Events extends object = Record<string, Json>,
  Channels extends object = Record<string, object>,
  Info extends object = JsonObject,
> {
  readonly status: Status;
  readonly state: Readonly<Partial<State>>;
  /** Why the relay refuses this client; nothing is tried again then. */
  readonly error: RefusedError | null;
  /** Null as long as nothing has been opened, and on a server. */
  readonly client: Client<State, Events, Channels, Info> | null;
}

/** What is shown of a channel. */
export interface ChannelSync<
  State extends object = Record<string, Json>,
  Events extends object = Record<string, Json>,
  Info extends object = JsonObject,
> {
  readonly status: ChannelStatus;
  readonly state: Readonly<Partial<State>>;
  /** Why the relay refuses the channel, or this client. */
  readonly error: ChannelRefusedError | RefusedError | null;
  /** Null as long as nothing has been opened, and on a server. */
  readonly channel: Channel<State, Events, Info> | null;
}

/** Where data comes from: the connection that is provided, or that to `url`; its default channel, or `channel`. */
export interface Place<Name extends string | undefined = string | undefined> {
  readonly url?: string | undefined;
  readonly channel: Name;
}

/** Any channel; a text is the url of the default one. */
export type AnyPlace = string | Partial<Place>;

/** The default channel; a text is its url. */
export type DefaultPlace =
  | string
  | { readonly url?: string | undefined; readonly channel?: undefined };

export type Listener<Data> = (data: Data, event: SyncEvent<Data>) => void;

export function placeOf(place: AnyPlace = {}): Partial<Place> {
  return typeof place === "string" ? { url: place } : place;
}
