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
import type { Client, Key } from "./connect.js";
import type { Status } from "./connection.js";
import type { RefusedError } from "./error.js";
import type { Json } from "./json.js";
import type { Unsubscribe } from "./listeners.js";
import type { SyncEvent } from "./message.js";
import type { Options } from "./options.js";
import { acquire, NOTHING_YET, type Source, viewOf } from "./shared_clients.js";

export interface SyncProviderProps {
  readonly url: string;
  /** Of the connection: `heartbeat`, `onError` and the others. Read when it is opened; later changes have no effect. */
  readonly options?: Options | undefined;
  readonly children?: ReactNode;
}

/** What `useSync` gives. */
export interface Sync<
  State extends object = Record<string, Json>,
  Events extends object = Record<string, Json>,
> {
  readonly status: Status;
  readonly state: Readonly<Partial<State>>;
  /** Why the relay refuses this client; nothing is tried again then. */
  readonly error: RefusedError | null;
  /** Null before the first effect and on a server. */
  readonly client: Client<State, Events> | null;
}

/** The provider and the hooks with an application's types; nothing checks them at run time. */
export interface SyncHooks<State extends object, Events extends object> {
  readonly SyncProvider: FunctionComponent<SyncProviderProps>;
  readonly useSync: (url?: string, options?: Options) => Sync<State, Events>;
  readonly useSyncState: <K extends Key<State>>(key: K, url?: string) => State[K] | undefined;
  readonly useSyncEvent: <K extends Key<Events>>(
    type: K,
    listener: (data: Events[K], event: SyncEvent<Events[K]>) => void,
    url?: string,
  ) => void;
}

const SourceContext = createContext<Source | null>(null);

/** Keeps a connection for the components below, whether they use it or not. */
export const SyncProvider: FunctionComponent<SyncProviderProps> = ({ url, options, children }) => {
  const source = useSource(url, options);
  useEffect(() => acquire(source)[1], [source]);
  return createElement(SourceContext.Provider, { value: source }, children);
};

/**
 * The status and the whole state; renders again whenever either changes. Connects to `url` for as long
 * as the component is mounted; without one it uses the provider's connection. `options` count where this
 * is the first user of `url`, which a component with children that name it, too, never is: a provider is.
 */
export function useSync<State extends object = Record<string, Json>>(
  url?: string,
  options?: Options,
): Sync<State> {
  const source = useSource(url, options);
  const subscribe = useCallback(
    (refresh: () => void) => {
      const [client, release] = acquire(source);
      return inTurn(client.onStatus(refresh), client.onChange(refresh), release);
    },
    [source],
  );
  const view = useSyncExternalStore(subscribe, () => viewOf(source.url), nothingYet);
  return view as unknown as Sync<State>;
}

/** One key's value; renders again only when that changes. Undefined while there is none. */
export function useSyncState<Value = Json>(key: string, url?: string): Value | undefined {
  const source = useSource(url);
  const subscribe = useCallback(
    (refresh: () => void) => {
      const [client, release] = acquire(source);
      return inTurn(client.onState(key, refresh), release);
    },
    [source, key],
  );
  const read = () => viewOf(source.url).client?.get(key);
  return useSyncExternalStore(subscribe, read, () => undefined) as unknown as Value | undefined;
}

/** Calls the listener of the last render for every event of a type, while the component is mounted. */
export function useSyncEvent<Data = Json>(
  type: string,
  listener: (data: Data, event: SyncEvent<Data>) => void,
  url?: string,
): void {
  const source = useSource(url);
  const latest = useRef(listener);
  useEffect(() => {
    latest.current = listener;
  });
  useEffect(() => {
    const [client, release] = acquire(source);
    const tell = (data: Json, event: SyncEvent) =>
      latest.current(data as unknown as Data, event as unknown as SyncEvent<Data>);
    return inTurn(client.on(type, tell), release);
  }, [source, type]);
}

/**
 * The provider and the hooks of this module for the keys in `State` and the events in `Events`; call it
 * once, in a module of the application. All that it returns share their connections with all others.
 */
export function createSync<
  State extends object = Record<string, Json>,
  Events extends object = Record<string, Json>,
>(): SyncHooks<State, Events> {
  return HOOKS as unknown as SyncHooks<State, Events>;
}

const HOOKS = Object.freeze({ SyncProvider, useSync, useSyncState, useSyncEvent });

function useSource(url?: string, options: Options | null = null): Source {
  const provided = useContext(SourceContext);
  const [first] = useState(options);
  const named = useMemo(() => (url === undefined ? null : { url, options: first }), [url, first]);
  const source = named ?? provided;
  if (source) return source;
  throw new Error("no relay to connect to: pass a url, or render a <SyncProvider> above");
}

function inTurn(...actions: readonly Unsubscribe[]): Unsubscribe {
  return () => {
    for (const action of actions) action();
  };
}

const nothingYet = () => NOTHING_YET;
