import type { Position } from "./position.js";

/**
 * The address of one attempt: `base` with the heartbeat asked for and, to resume, the position.
 * Plain text, since React Native's URL class cannot set parameters; a fragment is cut off, since
 * WebSocket refuses it.
 */
export function attemptAddress(base: string, heartbeat: number, position: Position | null): string {
  const bare = base.replace(/#.*$/s, "");
  const parameters = [`heartbeat=${heartbeat}`];
  if (position) {
    parameters.push(`epoch=${encodeURIComponent(position.epoch)}`, `seq=${position.seq}`);
  }
  return `${bare}${separator(bare)}${parameters.join("&")}`;
}

function separator(address: string): string {
  if (!address.includes("?")) return "?";
  return /[?&]$/.test(address) ? "" : "&";
}
