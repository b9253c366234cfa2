import { SyncClient } from "./client.js";
import type { Status } from "./connection.js";
import { platform, schedule } from "./environment.js";
import type { RefusedError } from "./error.js";
import type { JsonObject } from "./json.js";
import { type Options, settingsFrom } from "./options.js";

/** Where a component's data comes from. Components that name the same url share one connection. */
export interface Source {
  readonly url: string;
  readonly options: Options;
}

/** What a component shows; the same object until something in it changes. */
export interface View {
  readonly status: Status;
  readonly state: JsonObject;
  readonly error: RefusedError | null;
  readonly client: SyncClient | null;
}

/** What is shown before the connection is there, and on a server. */
export const NOTHING_YET: View = Object.freeze({
  status: "connecting",
  state: Object.freeze({}),
  error: null,
  client: null,
});

interface Entry {
  readonly client: SyncClient;
  view: View;
  users: number;
}

/** One client per url, for as long as somebody uses it. */
const entries = new Map<string, Entry>();

/** The view of a client that is in use, else NOTHING_YET. Opens nothing. */
export function viewOf(url: string): View {
  return entries.get(url)?.view ?? NOTHING_YET;
}

/**
 * Uses the client of a source, opened by its first user with that user's options. Returns it and how to
 * let go of it. The last one's letting go closes it, but only after the current task, so that components
 * that replace each other keep the connection.
 */
export function acquire(source: Source): [client: SyncClient, release: () => void] {
  const entry = entries.get(source.url) ?? openEntry(source);
  entry.users += 1;
  const release = () => {
    entry.users -= 1;
    if (entry.users === 0) schedule(() => closeUnused(source.url, entry), 0);
  };
  return [entry.client, release];
}

function openEntry({ url, options }: Source): Entry {
  const client = new SyncClient(url, settingsFrom(options), platform(options));
  const entry: Entry = { client, view: { ...NOTHING_YET, client }, users: 0 };
  const refresh = () => {
    const { status, state, error } = client;
    entry.view = { status, state, error, client };
  };
  client.onStatus(refresh);
  client.onChange(refresh);
  client.start();
  entries.set(url, entry);
  return entry;
}

function closeUnused(url: string, entry: Entry): void {
  if (entry.users > 0 || entries.get(url) !== entry) return;
  entries.delete(url);
  entry.client.close();
}
