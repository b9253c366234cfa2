import type { AnyChannels, Channel, Client, Key } from "./connect.js";
import type { JsonObject } from "./json.js";
import type { Unsubscribe } from "./listeners.js";
import type { SyncEvent } from "./message.js";

// Nothing is imported of TanStack Query: its client is what has these members, of whichever version and framework.

export type QueryKey = readonly unknown[];

interface Filters {
  readonly queryKey: QueryKey;
  readonly exact?: boolean;
}

/** What is used of a `QueryClient`. */
export interface QueryClientLike {
  cancelQueries(filters: Filters): Promise<unknown>;
  invalidateQueries(filters?: Filters): Promise<unknown>;
  setQueryData(key: QueryKey, value: unknown): unknown;
  getQueryCache(): QueryCacheLike;
}

/** What is used of a `QueryCache`. */
export interface QueryCacheLike {
  find(filters: Filters): object | undefined;
  subscribe(
    listener: (event: { readonly type: string; readonly query: object }) => void,
  ): Unsubscribe;
}

export interface QueryPlan<State extends object, Events extends object> {
  /** For a key of the state: where in the cache its value goes. It is `null` there while the relay has none. */
  readonly state?: { readonly [K in Key<State>]?: QueryKey };
  /**
   * For a type of events: what is to be fetched anew, all queries whose keys begin so; or a function that says
   * that, or null for nothing.
   */
  readonly events?: { readonly [K in Key<Events>]?: QueryKey | QueryKeyOf<Events[K]> };
}

export type QueryKeyOf<Data> = (data: Data, event: SyncEvent<Data>) => QueryKey | null;

type AnyEvents = Record<string, QueryKey | QueryKeyOf<never> | undefined>;

/** What it is for that does not know the application's types. */
type AnyChannel = Channel<Record<string, unknown>, Record<string, never>>;

/** The keys that are to be invalidated at the end of this task, by their text. */
const due = new WeakMap<QueryClientLike, Map<string, QueryKey | null>>();

/**
 * Keeps a cache in step with a client, or with a channel, until what it returns is called: values of the state
 * go into it, and what events are about is fetched anew, as is all of that where events were missed: those before this
 * began, and those that a snapshot leapt over. To call it twice does what once does.
 */
export function syncQueries<
  State extends object,
  Events extends object,
  Channels extends object = AnyChannels,
  Info extends object = JsonObject,
>(
  from: Client<State, Events, Channels, Info> | Channel<State, Events, Info>,
  queryClient: QueryClientLike,
  { state = {}, events = {} }: QueryPlan<State, Events>,
): Unsubscribe {
  const channel = ("channel" in from ? from.channel("" as never) : from) as unknown as AnyChannel;
  const values = new CachedValues(channel, queryClient, state as Record<string, QueryKey>);
  const asked = Object.entries<AnyEvents[string]>(events as AnyEvents);
  const fetchAll = () => invalidateAll(queryClient, asked);
  const cache = queryClient.getQueryCache();
  const ends = [
    ...values.keys.map((key) => channel.onState(key, () => values.write(key))),
    ...asked.map(([type, key]) =>
      channel.on(type, (data, event) => invalidate(queryClient, keyIn(key, data, event))),
    ),
    channel.onSkipped(fetchAll),
    channel.onDropped(({ skipped }) => skipped > 0 && fetchAll()),
    cache.subscribe(({ type, query }) => type === "added" && values.fill(query)),
    whenKnown(channel, () => {
      values.writeAll();
      fetchAll();
    }),
  ];
  return () => {
    for (const end of ends.splice(0)) end();
  };
}

/** The values of the state's keys in the cache. */
class CachedValues {
  readonly keys: readonly string[];

  constructor(
    private readonly channel: AnyChannel,
    private readonly queryClient: QueryClientLike,
    private readonly places: Readonly<Record<string, QueryKey>>,
  ) {
    this.keys = Object.keys(places).filter((key) => places[key]);
  }

  /** What is being fetched is older, and must not come after it. */
  write(key: string): void {
    const queryKey = this.places[key] ?? [];
    void this.queryClient.cancelQueries({ queryKey, exact: true });
    this.queryClient.setQueryData(queryKey, this.channel.get(key) ?? null);
  }

  writeAll(): void {
    for (const key of this.keys) this.write(key);
  }

  /** For a query that is made anew, after the cache had thrown it away, or from what somebody kept. */
  fill(query: object): void {
    if (!this.channel.position) return;
    const cache = this.queryClient.getQueryCache();
    for (const key of this.keys) {
      if (cache.find({ queryKey: this.places[key] ?? [], exact: true }) === query) this.write(key);
    }
  }
}

/** Calls `action` once, as soon as the relay's state is known. */
function whenKnown(channel: AnyChannel, action: () => void): Unsubscribe {
  if (channel.position) {
    action();
    return () => {};
  }
  const end = channel.onStatus(() => {
    if (!channel.position) return;
    end();
    action();
  });
  return end;
}

function keyIn(key: AnyEvents[string], data: never, event: SyncEvent<never>): QueryKey | null {
  return typeof key === "function" ? key(data, event) : (key ?? null);
}

/** Where a function says what an event is about, nobody knows that of one that was missed: everything then. */
function invalidateAll(
  queryClient: QueryClientLike,
  events: readonly [string, AnyEvents[string]][],
) {
  for (const [, key] of events) {
    if (typeof key === "function") later(queryClient, "all", null);
    else if (key) invalidate(queryClient, key);
  }
}

function invalidate(queryClient: QueryClientLike, key: QueryKey | null): void {
  const big = (_: string, value: unknown) => (typeof value === "bigint" ? `${value}n` : value);
  if (key) later(queryClient, JSON.stringify(key, big), key);
}

/** Several in a task are one, so that nothing is fetched twice. */
function later(queryClient: QueryClientLike, text: string, key: QueryKey | null): void {
  const keys = due.get(queryClient) ?? new Map<string, QueryKey | null>();
  if (keys.size === 0) {
    due.set(queryClient, keys);
    void Promise.resolve().then(() => flush(queryClient, keys));
  }
  keys.set(text, key);
}

function flush(queryClient: QueryClientLike, keys: Map<string, QueryKey | null>): void {
  due.delete(queryClient);
  const isAll = keys.has("all");
  const filters = isAll ? [undefined] : [...keys.values()].map((key) => key && { queryKey: key });
  for (const filter of filters) void queryClient.invalidateQueries(filter ?? undefined);
}
