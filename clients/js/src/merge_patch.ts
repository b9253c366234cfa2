import { isObject, type Json } from "./json.js";

/**
 * Applies a merge patch (RFC 7396). Neither argument changes; what the patch does not touch is shared
 * with the result. Built from entries, so that a member named `__proto__` is a member like any other.
 */
export function mergePatch(target: Json | undefined, patch: Json): Json {
  if (!isObject(patch)) return patch;
  const members = new Map<string, Json>(isObject(target) ? Object.entries(target) : []);
  for (const [name, change] of Object.entries(patch)) {
    if (change === null) members.delete(name);
    else members.set(name, mergePatch(members.get(name), change));
  }
  return Object.fromEntries(members);
}
