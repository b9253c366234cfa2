import type { Position } from "./position.js";

/** The arguments that the client sets; a caller's own would make the relay resume where nobody stands. */
const OWN: ReadonlySet<string> = new Set(["heartbeat", "epoch", "seq", "channel", "session"]);

/** Letters that an address may have: half of what the relay reads, since headers come to it. */
export const ADDRESS_LIMIT = 8_192;

/**
 * The address of one attempt: `base` with the heartbeat asked for, to resume the position, and what is given for
 * `channels`, and the name of the client's `session`, ahead of what other arguments it has. Plain text, since React Native's URL class cannot set parameters; a
 * fragment is cut off, since WebSocket refuses it.
 */
export function attemptAddress(
  base: string,
  heartbeat: number,
  position: Position | null,
  channels: readonly string[],
  session: string,
): string {
  const bare = base.replace(/#.*$/s, "");
  const own = [`heartbeat=${heartbeat}`];
  if (position) own.push(`epoch=${encodeURIComponent(position.epoch)}`, `seq=${position.seq}`);
  own.push(...channels.map((channel) => `channel=${channel}`));
  own.push(`session=${session}`);
  const [path, query] = cut(bare, "?");
  return `${path}?${[...own, ...foreign(query)].join("&")}`;
}

/** A query's arguments as they stand, but for the client's own and those that are nothing. */
function foreign(query: string): string[] {
  return query.split("&").filter((argument) => argument !== "" && !OWN.has(nameOf(argument)));
}

function nameOf(argument: string): string {
  const [name] = cut(argument, "=");
  try {
    return decodeURIComponent(name);
  } catch {
    return name; // a stray percent sign: nothing of ours
  }
}

/** What stands before the first `mark` and what behind it. */
function cut(text: string, mark: string): [before: string, behind: string] {
  const at = text.indexOf(mark);
  return at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at + 1)];
}
