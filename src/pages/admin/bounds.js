// What the relay holds, against what it may hold, out of {"op":"stats"}. Pure.

/** Each: its title, its unit, its name in `stats`, and the option that bounds it. */
const BOUNDS = [
  { title: "Clients", unit: "count", used: "clients", option: "max_clients" },
  { title: "State", unit: "bytes", used: "state_bytes", option: "max_state" },
  { title: "State keys", unit: "count", used: "state_keys", option: "max_state_keys" },
  { title: "Window, bytes", unit: "bytes", used: "log_bytes", option: "log_bytes" },
  { title: "Window, events", unit: "count", used: "log_events", option: "log_events" },
  { title: "Channels", unit: "count", used: "channels", option: "max_channels" },
  { title: "Members", unit: "count", used: "members", option: "max_members" },
  { title: "Inbox, messages", unit: "count", used: "inbox_messages", option: "inbox_messages" },
  { title: "Inbox, bytes", unit: "bytes", used: "inbox_bytes", option: "inbox_bytes" },
  { title: "Ids remembered", unit: "count", used: "ids", option: "dedup_ids" },
];

/** A window that is full is as it should be; anything else at its bound is not. */
const MAY_BE_FULL = new Set(["log_bytes", "log_events", "ids"]);

/** Those of which both are known: [{ title, unit, used, bound, mayBeFull }]. */
export function boundsOf({ stats = {}, clients, limits = stats.limits ?? stats.bounds ?? {} }) {
  const values = { clients, ...stats };
  return BOUNDS.map(({ title, unit, used, option }) => ({
    title,
    unit,
    used: values[used],
    bound: limits[option] ?? limits[used],
    mayBeFull: MAY_BE_FULL.has(used),
  })).filter(({ used, bound }) => Number.isFinite(used) && Number.isFinite(bound) && bound > 0);
}

/** A name of the relay's, as somebody says it: "last_backup_age" → "last backup age". */
export const spoken = (name) => name.replaceAll("_", " ");

/** Pairs for a list, of an object whose form is the relay's; null where there is none of it. */
export function pairsOf(object, write) {
  if (typeof object !== "object" || object === null) return null;
  return Object.entries(object).map(([name, value]) => [spoken(name), write(name, value)]);
}
