// What the relay holds, against what it may hold, out of {"op":"stats"}. Pure.

/** Each: its title, its unit, and its name in `stats` and in `limits`. */
const BOUNDS = [
  { title: "Clients", unit: "count", used: "clients" },
  { title: "State", unit: "bytes", used: "state_bytes" },
  { title: "State keys", unit: "count", used: "state_keys" },
  { title: "Window, bytes", unit: "bytes", used: "log_bytes" },
  { title: "Window, events", unit: "count", used: "log_events" },
  { title: "Channels", unit: "count", used: "channels" },
  { title: "Members", unit: "count", used: "members" },
  { title: "Inbox, messages", unit: "count", used: "inbox_messages" },
  { title: "Inbox, bytes", unit: "bytes", used: "inbox_bytes" },
  { title: "Ids remembered", unit: "count", used: "ids" },
];

/** A window that is full is as it should be; anything else at its bound is not. */
const MAY_BE_FULL = new Set(["log_bytes", "log_events", "ids"]);

/** Those of which both are known: [{ title, unit, used, bound, mayBeFull }]. */
export function boundsOf({ stats = {}, limits = {} }) {
  return BOUNDS.map(({ title, unit, used }) => ({
    title,
    unit,
    used: stats[used],
    bound: limits[used],
    mayBeFull: MAY_BE_FULL.has(used),
  })).filter(({ used, bound }) => Number.isFinite(used) && Number.isFinite(bound) && bound > 0);
}

const OUTLIVES = { process: "the process being killed", power: "a loss of power" };

/** What `storage` says, as pairs for a list. */
export function storageOf(storage) {
  return OUTLIVES[storage] ? [["what is confirmed outlives", OUTLIVES[storage]]] : [["kept", "nothing: no --data"]];
}

/** A name of the relay's, as somebody says it: "last_entry" → "last entry". */
export const spoken = (name) => name.replaceAll("_", " ");

/** What `cluster` says, as pairs for a list: whether there is one, or all that is known of it. */
export function clusterOf(cluster, write = String) {
  if (typeof cluster === "object" && cluster !== null) return Object.entries(cluster).map(([name, value]) => [spoken(name), write(name, value)]);
  return [cluster ? ["one of several", "their log is in Redis"] : ["alone", "no --cluster"]];
}
