"use client";

import {
  createContext,
  createElement,
  type FunctionComponent,
  type ReactNode,
  useContext,
  useEffect,
  useMemo,
  useRef,
  useState,
  useSyncExternalStore,
} from "react";
import type { AnyChannels, EventsOf, Key, StateOf } from "./connect.js";
import type { Json, JsonObject } from "./json.js";
import type { Present } from "./members.js";
import type { Options } from "./options.js";
import {
  type AnyPlace,
  type ChannelSync,
  type DefaultPlace,
  type Listener,
  type Place,
  placeOf,
  type Sync,
} from "./place.js";
import {
  acquire,
  type Pane,
  presencePane,
  type Source,
  valuePane,
  viewPane,
  watchEvents,
} from "./shared_clients.js";
import type { TokenSource } from "./token.js";

export type { AnyPlace, ChannelSync, DefaultPlace, Listener, Place, Sync } from "./place.js";

export interface SyncProviderProps {
  readonly url: string;
  /** The option `token`. A function may be another in each render: it is that of the last one that is called. A text is read when the connection is opened. */
  readonly token?: TokenSource | undefined;
  /** Of the connection: `heartbeat`, `onError` and the others. Read when it is opened; later changes have no effect. */
  readonly options?: Options | undefined;
  readonly children?: ReactNode;
}

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
  const { url, channel } = placeOf(place);
  const source = useSource(url, options);
  return useShown(useMemo(() => viewPane(source, channel), [source, channel]));
}

/** One key's value; renders again only when that changes. Undefined while there is none. */
export function useSyncState<Value = Json>(key: string, place?: AnyPlace): Value | undefined {
  const { url, channel } = placeOf(place);
  const source = useSource(url);
  const pane = useMemo(() => valuePane(source, channel, key), [source, channel, key]);
  return useShown(pane) as unknown as Value | undefined;
}

/**
 * Who is in a channel, in the order of arrival; renders again only when that changes. The list is the same one until it
 * changes, and each entry until something in it does. Empty where the relay keeps no members.
 */
export function usePresence<Info extends object = JsonObject>(
  place?: AnyPlace,
): readonly Present<Info>[] {
  const { url, channel } = placeOf(place);
  const source = useSource(url);
  const pane = useMemo(() => presencePane(source, channel), [source, channel]);
  return useShown(pane) as unknown as readonly Present<Info>[];
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
    const tell: Listener<Data> = (data, event) => latest.current(data, event);
    return watchEvents(source, channel, type, tell as Listener<never>);
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

function useShown<Value>({ watch, read, nothing }: Pane<Value>): Value {
  return useSyncExternalStore(watch, read, () => nothing);
}
