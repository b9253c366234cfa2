import { expect, test } from "vitest";
import type { Json } from "../../src/json.js";
import { type Change, readMessage } from "../../src/message.js";
import { Replica } from "../../src/replica.js";
import { vectorsOf } from "../vectors.js";

const NONE: Change = { set: {}, merge: {}, remove: [] };

function replicaOf(state: Record<string, Json>): Replica {
  const replica = new Replica();
  replica.replace(state);
  return replica;
}

test("a snapshot replaces everything and names what changed", () => {
  const replica = replicaOf({ a: 1, b: 2, c: 3 });
  expect(replica.replace({ b: 2, c: 4, d: null })).toEqual(["c", "d", "a"]);
  expect(replica.state).toEqual({ b: 2, c: 4, d: null });
});

test("set, merge and delete are folded in and name what changed", () => {
  const replica = replicaOf({ a: { x: 1, y: 2 }, b: 2 });
  expect(replica.fold({ ...NONE, set: { b: 3, c: null } })).toEqual(["b", "c"]);
  expect(replica.fold({ ...NONE, merge: { a: { x: null, z: 3 }, d: { e: null } } })).toEqual([
    "a",
    "d",
  ]);
  expect(replica.state).toEqual({ a: { y: 2, z: 3 }, b: 3, c: null, d: {} });
  expect(replica.fold({ ...NONE, remove: ["b", "never"] })).toEqual(["b"]);
  expect(replica.state).toEqual({ a: { y: 2, z: 3 }, c: null, d: {} });
});

test("a merge of null leaves null, as the relay keeps it", () => {
  const replica = replicaOf({ a: { x: 1 } });
  replica.fold({ ...NONE, merge: { a: null } });
  expect(replica.get("a")).toBeNull();
});

test("a value that stays equal stays the same object, and so does the state", () => {
  const replica = replicaOf({ a: { x: [1, { y: 2 }] }, b: 1 });
  const { state } = replica;
  const value = replica.get("a");
  expect(replica.replace({ b: 1, a: { x: [1, { y: 2 }] } })).toEqual([]);
  expect(replica.fold({ ...NONE, set: { a: { x: [1, { y: 2 }] } } })).toEqual([]);
  expect(replica.get("a")).toBe(value);
  expect(replica.state).toBe(state);
});

test.each([
  [{ x: 1 }, { x: 1, y: 2 }],
  [{ x: 1 }, { y: 1 }],
  [{ x: null }, { y: null }],
  [[1, 2], [1]],
  [[1], [1, 2]],
  [JSON.parse('{"__proto__":{}}'), { x: {} }],
  [[], {}],
  [{}, null],
  [0, false],
  ["1", 1],
])("%j and %j differ", (before: Json, after: Json) => {
  const replica = replicaOf({ a: before });
  expect(replica.fold({ ...NONE, set: { a: after } })).toEqual(["a"]);
  expect(replica.get("a")).toBe(after);
});

test("an old state is a picture that stays", () => {
  const replica = replicaOf({ a: 1 });
  const before = replica.state;
  replica.fold({ ...NONE, set: { a: 2 } });
  expect(before).toEqual({ a: 1 });
  expect(() => Object.assign(before, { a: 3 })).toThrow(TypeError);
});

test("keys with the names of built-in members are keys like any other", () => {
  const replica = replicaOf(JSON.parse('{"__proto__":{"x":1},"constructor":2}'));
  expect(replica.get("__proto__")).toEqual({ x: 1 });
  expect(replica.get("toString")).toBeUndefined();
  expect(JSON.stringify(replica.state)).toBe('{"__proto__":{"x":1},"constructor":2}');
});

/** The wire examples of commands; values are JSON texts. */
interface CommandVector {
  readonly name: string;
  readonly op: string;
  readonly key?: string;
  readonly value?: string;
  readonly set?: Readonly<Record<string, string>>;
  readonly event?: {
    readonly type: string;
    readonly data: string;
    readonly set?: Readonly<Record<string, string>>;
  };
}

const BEFORE = { comparison: null, radio: { a: 0, old: true }, playback: 1 };

const told = vectorsOf<CommandVector>("commands_accepted").filter(
  ({ op, event }) => event && (op !== "broadcast" || event.set),
);

test.each(told)("what is told of a command leads to what the command did: $name", (vector) => {
  const replica = replicaOf(BEFORE);
  const { type = "", data = "null", set } = vector.event ?? {};
  const change = set ? `,"set":${objectText(set)}` : "";
  const message = readMessage(`{"type":"${type}","data":${data}${change},"ts":1,"seq":1}`);
  if (message.kind !== "event" || !message.change) throw new Error("tells no change");
  replica.fold(message.change);
  expect(replica.state).toEqual(stateAfter(vector));
});

function objectText(texts: Readonly<Record<string, string>>): string {
  const members = Object.entries(texts).map(([key, text]) => `${JSON.stringify(key)}:${text}`);
  return `{${members.join(",")}}`;
}

function parsed(texts: Readonly<Record<string, string>>): Record<string, Json> {
  return Object.fromEntries(Object.entries(texts).map(([key, text]) => [key, JSON.parse(text)]));
}

/** What a command makes of BEFORE, without a word of the client's code. */
function stateAfter({ op, key = "", value = "null", set = {} }: CommandVector): object {
  const { [key]: old, ...others }: Record<string, Json> = BEFORE;
  if (op === "broadcast") return { ...BEFORE, ...parsed(set) };
  if (op === "set") return { ...others, [key]: JSON.parse(value) };
  if (op === "merge") return { ...others, [key]: flatMerge(old, JSON.parse(value)) };
  return ["comparison", "radio"].includes(key) ? { ...others, [key]: null } : others;
}

/** Enough for patches without nested objects. */
function flatMerge(old: Json | undefined, patch: Record<string, Json>): Json {
  const whole: Record<string, Json> = { ...(old as object), ...patch };
  return Object.fromEntries(Object.entries(whole).filter(([, value]) => value !== null));
}
