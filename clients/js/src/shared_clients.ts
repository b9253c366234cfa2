import type { ChannelHandle } from "./channel_handle.js";
import { SyncClient } from "./client.js";
import { complain, platform, schedule } from "./environment.js";
import type { ChannelRefusedError, RefusedError } from "./error.js";
import type { Json, JsonObject } from "./json.js";
import type { Unsubscribe } from "./listeners.js";
import { listOf, type Members, type Present } from "./members.js";
import { type Options, settingsFrom } from "./options.js";
import type { Listener } from "./place.js";
import type { ChannelStatus } from "./status.js";

/** Where a component's data comes from. Components that name the same url share one connection. */
export interface Source {
  readonly url: string;
  /** Null: whatever the connection has. */
  readonly options: Options | null;
}

/** What a component shows; the same object until something in it changes. */
export interface View {
  readonly status: ChannelStatus;
  readonly state: JsonObject;
  readonly error: RefusedError | ChannelRefusedError | null;
  readonly client: SyncClient | null;
  /** Null where the component named none. */
  readonly channel: ChannelHandle | null;
}

/** Something that a component shows. */
export interface Pane<Value> {
  /** Uses the source, and calls `refresh` when `read` gives something else. Returns how to end both. */
  readonly watch: (refresh: () => void) => Unsubscribe;
  /** The same value until it changes. Opens nothing. */
  readonly read: () => Value;
  /** What is shown before the connection is there, and on a server. */
  readonly nothing: Value;
}

/** What is shown before the connection is there, or the channel is followed, and on a server. */
const NOTHING_YET: View = Object.freeze({
  status: "connecting",
  state: Object.freeze({}),
  error: null,
  client: null,
  channel: null,
});

/** Who is there before the connection is, and on a server. */
const NOBODY: readonly Present[] = Object.freeze([]);

/** A channel's name; undefined for the default one, with the connection's status. */
type Name = string | undefined;

interface Entry {
  readonly client: SyncClient;
  readonly options: Options;
  readonly told: Set<string>; // the options that were asked for in vain and complained about
  users: number;
}

/** One client per url, for as long as somebody uses it. */
const entries = new Map<string, Entry>();

/** The last view of each client and of each channel that is followed. */
const views = new WeakMap<SyncClient | ChannelHandle, View>();

/** A channel of a client, or the client itself, which is its default channel with the connection's status. */
function feedOf(client: SyncClient, channel: Name): SyncClient | ChannelHandle {
  return channel === undefined ? client : client.channel(channel);
}

/** A key's value where the client is in use and the channel is followed. Opens nothing. */
function readValue(url: string, channel: Name, key: string): Json | undefined {
  const client = entries.get(url)?.client;
  return client && feedOf(client, channel).get(key);
}

/** Who is in a channel, where the client is in use and the channel is followed. Opens nothing. */
function readPresence(url: string, channel: Name): readonly Present[] {
  const client = entries.get(url)?.client;
  return client ? listOf(feedOf(client, channel).members as unknown as Members) : NOBODY;
}

/** The view of a client that is in use, or of a channel that is followed, else NOTHING_YET. Opens nothing. */
function viewOf(url: string, name: Name): View {
  const client = entries.get(url)?.client;
  if (!client) return NOTHING_YET;
  const feed = feedOf(client, name);
  const { status, state } = feed;
  const error = feed.error ?? client.error;
  const last = views.get(feed);
  if (status === "idle") return NOTHING_YET;
  if (last?.status === status && last.state === state && last.error === error) return last;
  const channel = feed instanceof SyncClient ? null : feed;
  const view = { status, state, error, client, channel };
  views.set(feed, view);
  return view;
}

/** The status and the whole state. */
export function viewPane(source: Source, channel: Name): Pane<View> {
  return {
    watch: (refresh) =>
      watch(source, channel, (feed) => inTurn([feed.onStatus(refresh), feed.onChange(refresh)])),
    read: () => viewOf(source.url, channel),
    nothing: NOTHING_YET,
  };
}

/** One key's value. */
export function valuePane(source: Source, channel: Name, key: string): Pane<Json | undefined> {
  return {
    watch: (refresh) => watch(source, channel, (feed) => feed.onState(key, refresh)),
    read: () => readValue(source.url, channel, key),
    nothing: undefined,
  };
}

/** Who is there. */
export function presencePane(source: Source, channel: Name): Pane<readonly Present[]> {
  return {
    watch: (refresh) => watch(source, channel, (feed) => feed.onMembers(refresh)),
    read: () => readPresence(source.url, channel),
    nothing: NOBODY,
  };
}

/** Uses a source, and calls the listener for every event of a type. Returns how to end both. */
export function watchEvents(
  source: Source,
  channel: Name,
  type: string,
  listener: Listener<never>,
): Unsubscribe {
  return watch(source, channel, (feed) => feed.on(type, listener as Listener<Json>));
}

function watch(
  source: Source,
  channel: Name,
  listen: (feed: SyncClient | ChannelHandle) => Unsubscribe,
): Unsubscribe {
  const [client, release] = acquire(source);
  return inTurn([listen(feedOf(client, channel)), release]);
}

/** Ends several things. Once: to release twice would take the connection from another user. */
function inTurn(ends: Unsubscribe[]): Unsubscribe {
  return () => {
    for (const end of ends.splice(0)) end();
  };
}

/**
 * Uses the client of a source, opened by its first user with that user's options; the console is told
 * once when a later one asks for others, which have no effect. Returns it and how to let go of it. The last one's letting go closes it, but only after the current task, so that components
 * that replace each other keep the connection.
 */
export function acquire(source: Source): [client: SyncClient, release: () => void] {
  const entry = entries.get(source.url) ?? openEntry(source);
  if (source.options) complainOfOthers(source.url, entry, source.options);
  entry.users += 1;
  const release = () => {
    entry.users -= 1;
    if (entry.users === 0) schedule(() => closeUnused(source.url, entry), 0);
  };
  return [entry.client, release];
}

/** Functions are taken for the same, since those that a component writes inline are new each time. */
function complainOfOthers(url: string, { options, told }: Entry, asked: Options): void {
  const sign = (value: unknown) => (typeof value === "function" ? "function" : value);
  const names = Object.keys(asked) as (keyof Options)[];
  const dropped = names.filter(
    (name) => sign(asked[name] ?? options[name]) !== sign(options[name]),
  );
  const news = dropped.filter((name) => !told.has(name));
  if (news.length === 0) return;
  for (const name of news) told.add(name);
  complain(
    `${news.join(", ")} of a later user of ${url} has no effect: its first user opened the connection, ` +
      "and a component's children come before it. Give the options where the connection is kept for all: " +
      "to React's <SyncProvider>, Vue's provideSync, Svelte's createSync; who uses that names no url.",
  );
}

function openEntry({ url, options: given }: Source): Entry {
  const options = given ?? {};
  const client = new SyncClient(url, settingsFrom(options), platform(options));
  const entry: Entry = { client, options, told: new Set(), users: 0 };
  client.start();
  entries.set(url, entry);
  return entry;
}

function closeUnused(url: string, entry: Entry): void {
  if (entry.users > 0 || entries.get(url) !== entry) return;
  entries.delete(url);
  entry.client.close();
}
