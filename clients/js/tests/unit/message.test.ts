import { describe, expect, test } from "vitest";
import { ProtocolError } from "../../src/error.js";
import { type LogEvent, readMessage } from "../../src/message.js";
import { vectorsOf } from "../vectors.js";

interface EventVector {
  readonly name: string;
  readonly channel?: string;
  readonly type: string;
  readonly data: string;
  readonly set?: string;
  readonly trace?: string;
  readonly ts_us: number;
  readonly seq: number;
  readonly text: string;
}

interface GreetingVector {
  readonly name: string;
  readonly kind: "full" | "resume";
  readonly channel?: string;
  readonly state?: readonly (readonly [key: string, value: string])[];
  readonly ts_us: number;
  readonly seq: number;
  readonly epoch: string;
  readonly skipped?: number;
  readonly to?: number;
  readonly text: string;
}

const greetings = vectorsOf<GreetingVector>("snapshots");

describe("the shared vectors", () => {
  test.each(vectorsOf<EventVector>("events"))("event: $name", (vector) => {
    const { channel = "", type, seq, ts_us, text, trace } = vector;
    const message = readMessage(text);
    const event = {
      type,
      data: JSON.parse(vector.data),
      ts: ts_us / 1e6,
      seq,
      ...(trace && { trace }),
    };
    expect("event" in message && message.event.trace).toBe(trace);
    expect(message).toMatchObject({ kind: "event", channel, event });
    if (vector.set) expect(message).toMatchObject({ change: { set: JSON.parse(vector.set) } });
  });

  test.each(greetings.filter(({ kind }) => kind === "full"))("snapshot: $name", (vector) => {
    const state = (vector.state ?? []).map(([key, value]) => [key, JSON.parse(value)] as const);
    const { channel = "", seq, epoch, ts_us, skipped = null } = vector;
    const { members = {} } = JSON.parse(vector.text);
    const known = { state: Object.fromEntries(state), members };
    const expected = { ...known, ts: ts_us / 1e6, seq, epoch, skipped };
    expect(readMessage(vector.text)).toEqual({ kind: "snapshot", channel, ...expected });
  });

  test.each(greetings.filter(({ kind }) => kind === "resume"))("resume: $name", (vector) => {
    const { channel = "", seq, epoch, to, ts_us } = vector;
    expect(readMessage(vector.text)).toEqual({
      kind: "resume",
      channel,
      to,
      ts: ts_us / 1e6,
      seq,
      epoch,
    });
  });
});

test.each([
  ["sync:set", '{"radio":{"a":1}}', { set: { radio: { a: 1 } }, merge: {}, remove: [] }],
  ["sync:merge", '{"radio":{"a":null}}', { set: {}, merge: { radio: { a: null } }, remove: [] }],
  ["sync:delete", '["k"]', { set: {}, merge: {}, remove: ["k"] }],
  ["radio:started", '{"radio":1}', null],
])("%s changes the state as it says", (type, data, change) => {
  const text = `{"type":"${type}","data":${data},"ts":1,"seq":2}`;
  expect(readMessage(text)).toMatchObject({ kind: "event", change });
});

const ANN = { info: { name: "Ann" }, since: 1.5 };

test.each([
  ["sync:joined", { id: "dev-1", ...ANN }, { set: { "dev-1": ANN }, remove: [] }],
  ["sync:changed", { id: "dev-1", ...ANN, more: 1 }, { set: { "dev-1": ANN }, remove: [] }],
  ["sync:left", { id: "dev-1" }, { set: {}, remove: ["dev-1"] }],
  ["joined", { id: "dev-1", ...ANN }, null],
])("%s changes the members as it says, and no state", (type, data, attendance) => {
  const text = JSON.stringify({ type, data, ts: 1, seq: 2 });
  expect(readMessage(text)).toMatchObject({ kind: "event", change: null, attendance });
});

test("a snapshot of a channel with members has them", () => {
  const members = { "dev-1": { ...ANN, more: 1 }, __proto: ANN };
  const text = JSON.stringify({ type: "sync:full", data: {}, members, ts: 1, seq: 2, epoch: "e" });
  expect(readMessage(text)).toMatchObject({ members: { "dev-1": ANN, __proto: ANN } });
  expect(readMessage(text.replace("__proto", "__proto__"))).toMatchObject({
    members: Object.fromEntries([["__proto__", ANN]]),
  });
});

test("a published event says who it is from", () => {
  const { event } = readMessage(
    '{"type":"t","channel":"a","data":1,"from":"dev-1","ts":1,"seq":2}',
  ) as LogEvent;
  expect(event).toEqual({ type: "t", data: 1, ts: 1, seq: 2, from: "dev-1" });
});

test("an event of a backend is from nobody", () => {
  const { event } = readMessage('{"type":"t","data":1,"ts":1,"seq":2}') as LogEvent;
  expect(event).toEqual({ type: "t", data: 1, ts: 1, seq: 2 });
});

test.each([
  ['{"type":"sync:ack","ref":"a-1"}', { kind: "taken", ref: "a-1" }],
  [
    '{"type":"sync:error","ref":"a-1","code":"inbox_full","message":"no"}',
    { kind: "rejected", ref: "a-1", code: "inbox_full", message: "no" },
  ],
  [
    '{"type":"sync:error","ref":"a-1","code":"inbox_full"}',
    { kind: "rejected", ref: "a-1", code: "inbox_full", message: "" },
  ],
  ['{"type":"sync:error","code":"rate_limited","message":"no"}', { kind: "other" }],
])("%s answers what was said", (text, expected) => {
  expect(readMessage(text)).toEqual(expected);
});

test.each([
  [
    '{"type":"sync:full","channel":"a","data":{},"ts":1,"seq":2,"epoch":"e"}',
    { kind: "snapshot", channel: "a", seq: 2 },
  ],
  [
    '{"type":"sync:resume","channel":"a","data":{"from":3,"to":4},"ts":1,"seq":2,"epoch":"e"}',
    { kind: "resume", channel: "a", to: 4 },
  ],
  [
    '{"type":"chat:said","channel":"a","data":null,"ts":1,"seq":2}',
    { kind: "event", channel: "a", event: { type: "chat:said", data: null, ts: 1, seq: 2 } },
  ],
  ['{"type":"tick","data":null,"ts":1,"seq":2}', { kind: "event", channel: "" }],
  [
    '{"type":"sync:refused","channel":"a","code":"forbidden","message":"no"}',
    { kind: "refused", channel: "a", code: "forbidden", message: "no" },
  ],
  [
    '{"type":"sync:unsubscribed","channel":"a"}',
    { kind: "unsubscribed", channel: "a", reason: null, skipped: 0 },
  ],
  [
    '{"type":"sync:unsubscribed","channel":"a","reason":"dropped","skipped":3}',
    { kind: "unsubscribed", channel: "a", reason: "dropped", skipped: 3 },
  ],
  ['{"type":"sync:unsubscribed"}', { kind: "unsubscribed", channel: "", reason: null, skipped: 0 }],
])("%s says which channel it is of", (text, expected) => {
  expect(readMessage(text)).toMatchObject(expected);
});

test.each([
  ["a type without a position", '{"type":"presence","data":{}}'],
  ["a message without a type", '{"hello":1}'],
  ["a type that is no text", '{"type":7,"seq":1,"ts":1}'],
])("%s is no news", (_, text) => {
  expect(readMessage(text)).toEqual({ kind: "other" });
});

test("the ping is a heartbeat", () => {
  expect(readMessage('{"type":"ping"}')).toEqual({ kind: "heartbeat" });
});

test("members that are not known are ignored", () => {
  const text = '{"type":"sync:full","data":{},"ts":1,"seq":2,"epoch":"e","zone":{"x":1}}';
  expect(readMessage(text)).toMatchObject({ kind: "snapshot", channel: "", seq: 2 });
  const event = readMessage('{"type":"t","data":1,"ts":1,"seq":2,"from":"x"}');
  expect(event).toMatchObject({ event: { type: "t", data: 1, ts: 1, seq: 2 } });
});

test.each([
  ["no JSON", "hello", "is not JSON"],
  ["no object", "[1]", "is not an object"],
  ["a snapshot without a position", '{"type":"sync:full","data":{},"ts":1}', '"seq"'],
  ["a snapshot of no state", '{"type":"sync:full","data":[],"ts":1,"seq":1,"epoch":"e"}', '"data"'],
  ["a snapshot of no log", '{"type":"sync:full","data":{},"ts":1,"seq":1}', '"epoch"'],
  ["a resume to nowhere", '{"type":"sync:resume","data":{},"ts":1,"seq":1,"epoch":"e"}', '"to"'],
  ["a position that is no count", '{"type":"t","data":1,"ts":1,"seq":1.5}', '"seq"'],
  ["a negative position", '{"type":"t","data":1,"ts":1,"seq":-1}', '"seq"'],
  ["a time that is no number", '{"type":"t","data":1,"ts":"1","seq":1}', '"ts"'],
  ["a set of no keys", '{"type":"sync:set","data":1,"ts":1,"seq":1}', '"data"'],
  ["a delete of no keys", '{"type":"sync:delete","data":[1],"ts":1,"seq":1}', '"data"'],
  ["a channel that is no text", '{"type":"t","channel":1,"ts":1,"seq":2}', "channel"],
  ["a refusal without a code", '{"type":"sync:refused","channel":"a"}', "code"],
  ["members that are none", '{"type":"sync:full","data":{},"members":1,"ts":1}', "members"],
  [
    "a member without a time",
    '{"type":"sync:full","data":{},"members":{"a":{"info":{}}},"ts":1,"seq":1,"epoch":"e"}',
    '"since"',
  ],
  ["a member without a name", '{"type":"sync:left","data":{},"ts":1,"seq":1}', '"id"'],
  ["a newcomer who is nobody", '{"type":"sync:joined","data":{},"ts":1,"seq":1}', '"id"'],
  ["an acknowledgement of nothing", '{"type":"sync:ack"}', '"ref"'],
  ["an error without a code", '{"type":"sync:error","ref":"a"}', '"code"'],
  ["a broadcast's set that is none", '{"type":"t","set":[],"ts":1,"seq":1}', '"set"'],
])("%s breaks the contract, and the error says where", (_, text, where) => {
  expect(() => readMessage(text)).toThrow(ProtocolError);
  expect(() => readMessage(text)).toThrow(where);
});
