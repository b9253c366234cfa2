import type { JsonObject } from "./json.js";

/** One that is in a channel: an identity with a connection that follows it, or that has only just gone. */
export interface Member<Info extends object = JsonObject> {
  /** What it tells of itself. */
  readonly info: Info;
  /** When it came, by the relay's clock, in seconds. */
  readonly since: number;
}

/** Members by the ids of their identities. */
export type Members<Info extends object = JsonObject> = Readonly<Record<string, Member<Info>>>;

/** A member with its id. */
export interface Present<Info extends object = JsonObject> extends Member<Info> {
  readonly id: string;
}

const lists = new WeakMap<object, readonly Present[]>();
const entries = new WeakMap<object, Present>();

/** Members in the order of their arrival; the same list for the same members, and the same entry for the same member. */
export function listOf(members: Members): readonly Present[] {
  const last = lists.get(members);
  if (last) return last;
  const list = Object.freeze(Object.entries(members).map(entryOf).sort(byArrival));
  lists.set(members, list);
  return list;
}

function entryOf([id, member]: [id: string, member: Member]): Present {
  const entry =
    entries.get(member) ?? Object.freeze({ id, info: member.info, since: member.since });
  entries.set(member, entry);
  return entry;
}

function byArrival(left: Present, right: Present): number {
  return left.since - right.since || (left.id < right.id ? -1 : 1);
}
