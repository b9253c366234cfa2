import type { AnyChannels, EventsOf, Key, StateOf } from "./connect.js";
import { hasPage } from "./environment.js";
import type { Json, JsonObject } from "./json.js";
import type { Unsubscribe } from "./listeners.js";
import type { Present } from "./members.js";
import type { Options } from "./options.js";
import { type ChannelSync, type Listener, placeOf, type Sync } from "./place.js";
import {
  type Pane,
  presencePane,
  type Source,
  valuePane,
  viewPane,
  watchEvents,
} from "./shared_clients.js";

export type { ChannelSync, Listener, Sync } from "./place.js";

/** A store as Svelte knows it: calls `run` at once and after each change. */
export interface Readable<Value> {
  subscribe(this: void, run: (value: Value) => void): Unsubscribe;
}

/** The default channel of a relay by its url, or a channel of it. */
export type Place = string | { readonly url: string; readonly channel?: string | undefined };

/** A channel of the relay that was named before; without one it is the default channel. */
export interface ChannelPlace<Name extends string | undefined = string | undefined> {
  readonly channel: Name;
}

/** None: the default channel. */
export type NoChannel = { readonly channel?: undefined };

/** The functions of this module for one relay, with an application's types; nothing checks them at run time. */
export interface SyncStores<
  State extends object,
  Events extends object,
  Channels extends object = AnyChannels,
  Info extends object = JsonObject,
> {
  sync(this: void, place?: NoChannel): Readable<Sync<State, Events, Channels, Info>>;
  sync<Name extends Key<Channels>>(
    this: void,
    place: ChannelPlace<Name>,
  ): Readable<ChannelSync<StateOf<Channels, Name>, EventsOf<Channels, Name>, Info>>;

  syncState<K extends Key<State>>(
    this: void,
    key: K,
    place?: NoChannel,
  ): Readable<State[K] | undefined>;
  syncState<Name extends Key<Channels>, K extends Key<StateOf<Channels, Name>>>(
    this: void,
    key: K,
    place: ChannelPlace<Name>,
  ): Readable<StateOf<Channels, Name>[K] | undefined>;

  syncMembers(this: void, place?: NoChannel): Readable<readonly Present<Info>[]>;
  syncMembers(this: void, place: ChannelPlace<Key<Channels>>): Readable<readonly Present<Info>[]>;

  syncEvent<K extends Key<Events>>(
    this: void,
    type: K,
    listener: Listener<Events[K]>,
    place?: NoChannel,
  ): Unsubscribe;
  syncEvent<Name extends Key<Channels>, K extends Key<EventsOf<Channels, Name>>>(
    this: void,
    type: K,
    listener: Listener<EventsOf<Channels, Name>[K]>,
    place: ChannelPlace<Name>,
  ): Unsubscribe;
}

/**
 * A store of the status and the whole state. Connects, and follows the channel, for as long as somebody subscribes to it; on a
 * server it shows what is shown before the connection, and opens none. `options` count where this is the first user of
 * the url.
 */
export function sync<State extends object = Record<string, Json>>(
  place: string | { readonly url: string; readonly channel?: undefined },
  options?: Options,
): Readable<Sync<State>>;
export function sync<State extends object = Record<string, Json>>(
  place: { readonly url: string; readonly channel: string },
  options?: Options,
): Readable<ChannelSync<State>>;
export function sync(place: Place, options?: Options): unknown {
  const { source, channel } = whereIs(place, options);
  return storeOf(viewPane(source, channel));
}

/** A store of one key's value; changes only with that. Undefined while there is none. */
export function syncState<Value = Json>(
  key: string,
  place: Place,
  options?: Options,
): Readable<Value | undefined> {
  const { source, channel } = whereIs(place, options);
  const store = storeOf(valuePane(source, channel, key));
  return store as unknown as Readable<Value | undefined>;
}

/**
 * A store of who is in a channel, in the order of arrival. The list is the same one until it changes, and each entry until
 * something in it does. Empty where the relay keeps no members.
 */
export function syncMembers<Info extends object = JsonObject>(
  place: Place,
  options?: Options,
): Readable<readonly Present<Info>[]> {
  const { source, channel } = whereIs(place, options);
  const store = storeOf(presencePane(source, channel));
  return store as unknown as Readable<readonly Present<Info>[]>;
}

/**
 * Calls the listener for every event of a type until what it returns is called, as `onMount` and `$effect` do with what
 * their function returns. Nothing on a server.
 */
export function syncEvent<Data = Json>(
  type: string,
  listener: Listener<Data>,
  place: Place,
  options?: Options,
): Unsubscribe {
  const { source, channel } = whereIs(place, options);
  return hasPage() ? watchEvents(source, channel, type, listener as Listener<never>) : () => {};
}

/**
 * The functions of this module for the relay at `url` and a connection with `options`, for the keys in `State`, the events
 * in `Events`, those of the channels in `Channels`, and what identities tell of themselves in `Info`; call it once, in a
 * module of the application. Opens nothing before somebody subscribes.
 */
export function createSync<
  State extends object = Record<string, Json>,
  Events extends object = Record<string, Json>,
  Channels extends object = AnyChannels,
  Info extends object = JsonObject,
>(url: string, options: Options = {}): SyncStores<State, Events, Channels, Info> {
  const at = (place: Partial<ChannelPlace> = {}) => ({ ...place, url });
  const stores = {
    sync: (place?: NoChannel) => sync(at(place) as { url: string }, options),
    syncState: (key: string, place?: NoChannel) => syncState(key, at(place), options),
    syncMembers: (place?: NoChannel) => syncMembers(at(place), options),
    syncEvent: (type: string, listener: Listener<never>, place?: NoChannel) =>
      syncEvent(type, listener as Listener<Json>, at(place), options),
  };
  return Object.freeze(stores) as unknown as SyncStores<State, Events, Channels, Info>;
}

function whereIs(place: Place, options: Options | null = null) {
  const { url, channel } = placeOf(place);
  if (typeof url !== "string") throw new Error("no relay to connect to: pass a url");
  const source: Source = { url, options };
  return { source, channel };
}

/** Keeps nothing itself: each subscriber uses the connection, and the last one's end closes it. */
function storeOf<Value>({ watch, read, nothing }: Pane<Value>): Readable<Value> {
  const subscribe = (run: (value: Value) => void): Unsubscribe => {
    if (!hasPage()) {
      run(nothing);
      return () => {};
    }
    let shown = nothing;
    const show = () => {
      const value = read();
      if (Object.is(value, shown)) return;
      shown = value;
      run(value);
    };
    const end = watch(show);
    shown = read();
    run(shown);
    return end;
  };
  return { subscribe };
}
