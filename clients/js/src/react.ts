"use client";

import {
  createContext,
  createElement,
  type FunctionComponent,
  type ReactNode,
  useCallback,
  useContext,
  useEffect,
  useMemo,
  useRef,
  useState,
  useSyncExternalStore,
} from "react";
import type { AnyChannels, Channel, Client, EventsOf, Key, StateOf } from "./connect.js";
import type { ChannelRefusedError, RefusedError } from "./error.js";
import type { Json, JsonObject } from "./json.js";
import type { Unsubscribe } from "./listeners.js";
import type { Present } from "./members.js";
import type { SyncEvent } from "./message.js";
import type { Options } from "./options.js";
import {
  acquire,
  feedOf,
  NOBODY,
  NOTHING_YET,
  readPresence,
  readValue,
  type Source,
  viewOf,
} from "./shared_clients.js";
import type { ChannelStatus, Status } from "./status.js";
import type { TokenSource } from "./token.js";

export interface SyncProviderProps {
  readonly url: string;
  /** The option `token`. A function may be another in each render: it is that of the last one that is called. A text is read when the connection is opened. */
  readonly token?: TokenSource | undefined;
  /** Of the connection: `heartbeat`, `onError` and the others. Read when it is opened; later changes have no effect. */
  readonly options?: Options | undefined;
  readonly children?: ReactNode;
}

/** What `useSync` gives. */
export interface Sync<
  State extends object = Record<string, Json>,
  Events extends object = Record<string, Json>,
  Channels extends object = AnyChannels,
  Info extends object = JsonObject,
> {
  readonly status: Status;
  readonly state: Readonly<Partial<State>>;
  /** Why the relay refuses this client; nothing is tried again then. */
  readonly error: RefusedError | null;
  /** Null before the first effect and on a server. */
  readonly client: Client<State, Events, Channels, Info> | null;
}

/** What `useSync` gives for a channel. */
export interface ChannelSync<
  State extends object = Record<string, Json>,
  Events extends object = Record<string, Json>,
  Info extends object = JsonObject,
> {
  readonly status: ChannelStatus;
  readonly state: Readonly<Partial<State>>;
  /** Why the relay refuses the channel, or this client. */
  readonly error: ChannelRefusedError | RefusedError | null;
  /** Null before the first effect and on a server. */
  readonly channel: Channel<State, Events, Info> | null;
}

/** Where a hook's data comes from: the provider's connection, or that to `url`; its default channel, or `channel`. */
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

/** The provider and the hooks with an application's types; nothing checks them at run time. */
export interface SyncHooks<
  State extends object,
  Events extends object,
  Channels extends object = AnyChannels,
  Info extends object = JsonObject,
> {
  readonly SyncProvider: FunctionComponent<SyncProviderProps>;
  readonly usePresence: UsePresence<Channels, Info>;
  readonly useSync: UseSync<State, Events, Channels, Info>;
  readonly useSyncState: UseSyncState<State, Channels>;
  readonly useSyncEvent: UseSyncEvent<Events, Channels>;
}

export interface UseSync<
  State extends object,
  Events extends object,
  Channels extends object,
  Info extends object = JsonObject,
> {
  (place?: DefaultPlace, options?: Options): Sync<State, Events, Channels, Info>;
  <Name extends Key<Channels>>(
    place: Place<Name>,
    options?: Options,
  ): ChannelSync<StateOf<Channels, Name>, EventsOf<Channels, Name>, Info>;
}

export interface UsePresence<Channels extends object, Info extends object> {
  (place?: DefaultPlace): readonly Present<Info>[];
  (place: Place<Key<Channels>>): readonly Present<Info>[];
}

export interface UseSyncState<State extends object, Channels extends object> {
  <K extends Key<State>>(key: K, place?: DefaultPlace): State[K] | undefined;
  <Name extends Key<Channels>, K extends Key<StateOf<Channels, Name>>>(
    key: K,
    place: Place<Name>,
  ): StateOf<Channels, Name>[K] | undefined;
}

export interface UseSyncEvent<Events extends object, Channels extends object> {
  <K extends Key<Events>>(type: K, listener: Listener<Events[K]>, place?: DefaultPlace): void;
  <Name extends Key<Channels>, K extends Key<EventsOf<Channels, Name>>>(
    type: K,
    listener: Listener<EventsOf<Channels, Name>[K]>,
    place: Place<Name>,
  ): void;
}

export type Listener<Data> = (data: Data, event: SyncEvent<Data>) => void;

const SourceContext = createContext<Source | null>(null);

/** Keeps a connection for the components below, whether they use it or not. */
export const SyncProvider: FunctionComponent<SyncProviderProps> = (props) => {
  const { url, token, options, children } = props;
  const latest = useRef(token);
  useEffect(() => {
    latest.current = token;
  });
  const [stable] = useState(() =>
    typeof token === "function" ? () => tokenOf(latest.current) : token,
  );
  const source = useSource(url, stable === undefined ? options : { ...options, token: stable });
  useEffect(() => acquire(source)[1], [source]);
  return createElement(SourceContext.Provider, { value: source }, children);
};

/**
 * The status and the whole state; renders again whenever either changes. Connects to the url, and follows the channel,
 * for as long as the component is mounted; without a url it uses the provider's connection. `options` count where this
 * is the first user of the url, which a component with children that name it, too, never is: a provider is.
 */
export function useSync<State extends object = Record<string, Json>>(
  place?: DefaultPlace,
  options?: Options,
): Sync<State>;
export function useSync<State extends object = Record<string, Json>>(
  place: Place<string>,
  options?: Options,
): ChannelSync<State>;
export function useSync(place?: AnyPlace, options?: Options): unknown {
  const { url: named, channel } = placeOf(place);
  const source = useSource(named, options);
  const { url } = source;
  const subscribe = useCallback(
    (refresh: () => void) => {
      const [client, release] = acquire(source);
      const feed = feedOf(client, channel);
      return inTurn(feed.onStatus(refresh), feed.onChange(refresh), release);
    },
    [source, channel],
  );
  return useSyncExternalStore(subscribe, () => viewOf(url, channel), nothingYet);
}

/** One key's value; renders again only when that changes. Undefined while there is none. */
export function useSyncState<Value = Json>(key: string, place?: AnyPlace): Value | undefined {
  const { url: named, channel } = placeOf(place);
  const source = useSource(named);
  const subscribe = useCallback(
    (refresh: () => void) => {
      const [client, release] = acquire(source);
      return inTurn(feedOf(client, channel).onState(key, refresh), release);
    },
    [source, channel, key],
  );
  const read = () => readValue(source.url, channel, key);
  return useSyncExternalStore(subscribe, read, () => undefined) as unknown as Value | undefined;
}

/**
 * Who is in a channel, in the order of arrival; renders again only when that changes. The list is the same one until it
 * changes, and each entry until something in it does. Empty where the relay keeps no members.
 */
export function usePresence<Info extends object = JsonObject>(
  place?: AnyPlace,
): readonly Present<Info>[] {
  const { url: named, channel } = placeOf(place);
  const source = useSource(named);
  const subscribe = useCallback(
    (refresh: () => void) => {
      const [client, release] = acquire(source);
      return inTurn(feedOf(client, channel).onMembers(refresh), release);
    },
    [source, channel],
  );
  const read = () => readPresence(source.url, channel);
  const present = useSyncExternalStore(subscribe, read, () => NOBODY);
  return present as unknown as readonly Present<Info>[];
}

/** Calls the listener of the last render for every event of a type, while the component is mounted. */
export function useSyncEvent<Data = Json>(
  type: string,
  listener: Listener<Data>,
  place?: AnyPlace,
): void {
  const { url: named, channel } = placeOf(place);
  const source = useSource(named);
  const latest = useRef(listener);
  useEffect(() => {
    latest.current = listener;
  });
  useEffect(() => {
    const [client, release] = acquire(source);
    const tell = (data: Json, event: SyncEvent) =>
      latest.current(data as unknown as Data, event as unknown as SyncEvent<Data>);
    return inTurn(feedOf(client, channel).on(type, tell), release);
  }, [source, channel, type]);
}

/**
 * The provider and the hooks of this module for the keys in `State` and the events in `Events`, and for those of the
 * channels in `Channels`, and what identities tell of themselves in `Info`; call it once, in a module of the application. All that it returns share their connections
 * with all others.
 */
export function createSync<
  State extends object = Record<string, Json>,
  Events extends object = Record<string, Json>,
  Channels extends object = AnyChannels,
  Info extends object = JsonObject,
>(): SyncHooks<State, Events, Channels, Info> {
  return HOOKS as unknown as SyncHooks<State, Events, Channels, Info>;
}

const HOOKS = Object.freeze({ SyncProvider, usePresence, useSync, useSyncState, useSyncEvent });

function placeOf(place: AnyPlace = {}): Partial<Place> {
  return typeof place === "string" ? { url: place } : place;
}

function useSource(url?: string, options: Options | null = null): Source {
  const provided = useContext(SourceContext);
  const [first] = useState(options);
  const named = useMemo(() => (url === undefined ? null : { url, options: first }), [url, first]);
  const source = named ?? provided;
  if (source) return source;
  throw new Error("no relay to connect to: pass a url, or render a <SyncProvider> above");
}

/** None, where the last render gave none any more, is refused by the client. */
function tokenOf(source: TokenSource = ""): string | Promise<string> {
  return typeof source === "function" ? source() : source;
}

function inTurn(...actions: readonly Unsubscribe[]): Unsubscribe {
  return () => {
    for (const action of actions) action();
  };
}

const nothingYet = () => NOTHING_YET;
