import { ProtocolError } from "./error.js";
import { isArray, isObject, type Json, type JsonObject } from "./json.js";

/** One event of the relay's log, as it came. `ts` is when the relay accepted it, in seconds. */
export interface SyncEvent<Data = Json> {
  readonly type: string;
  readonly data: Data;
  readonly ts: number;
  readonly seq: number;
}

export interface Snapshot {
  readonly kind: "snapshot";
  readonly state: JsonObject;
  readonly ts: number;
  readonly seq: number;
  readonly epoch: string;
  readonly skipped: number | null;
}

/** The relay goes on after `seq`; events up to `to` were missed and follow now. */
export interface Resume {
  readonly kind: "resume";
  readonly to: number;
  readonly ts: number;
  readonly seq: number;
  readonly epoch: string;
}

/** What an event does to the state: whole values, patches onto values, keys that go. */
export interface Change {
  readonly set: JsonObject;
  readonly merge: JsonObject;
  readonly remove: readonly string[];
}

export interface LogEvent {
  readonly kind: "event";
  readonly event: SyncEvent;
  readonly change: Change | null;
}

/** A message that only shows life. */
export interface Heartbeat {
  readonly kind: "heartbeat";
}

/** A message that this version does not know. */
export interface Other {
  readonly kind: "other";
}

export type Message = Snapshot | Resume | LogEvent | Heartbeat | Other;

const NOTHING: JsonObject = {};

/** Reads a message of the relay. Throws ProtocolError when a type that it knows is malformed. */
export function readMessage(text: string): Message {
  const message = parse(text);
  const type = message.type;
  if (type === "sync:full") return readSnapshot(message);
  if (type === "sync:resume") return readResume(message);
  if (type === "ping") return { kind: "heartbeat" };
  if (typeof type !== "string" || message.seq === undefined) return { kind: "other" };
  return readEvent(type, message);
}

function parse(text: string): JsonObject {
  let value: Json;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new ProtocolError(`message is not JSON (${error}): ${text.slice(0, 80)}`);
  }
  if (isObject(value)) return value;
  throw new ProtocolError(`message is not an object: ${text.slice(0, 80)}`);
}

function readSnapshot(message: JsonObject): Snapshot {
  return {
    kind: "snapshot",
    state: objectIn(message, "data"),
    ts: numberIn(message, "ts"),
    seq: countIn(message, "seq"),
    epoch: stringIn(message, "epoch"),
    skipped: message.skipped === undefined ? null : countIn(message, "skipped"),
  };
}

function readResume(message: JsonObject): Resume {
  return {
    kind: "resume",
    to: countIn(objectIn(message, "data"), "to"),
    ts: numberIn(message, "ts"),
    seq: countIn(message, "seq"),
    epoch: stringIn(message, "epoch"),
  };
}

function readEvent(type: string, message: JsonObject): LogEvent {
  const { data = null } = message;
  const event = { type, data, ts: numberIn(message, "ts"), seq: countIn(message, "seq") };
  return { kind: "event", event, change: readChange(type, message) };
}

function readChange(type: string, message: JsonObject): Change | null {
  const none: Change = { set: NOTHING, merge: NOTHING, remove: [] };
  if (type === "sync:set") return { ...none, set: objectIn(message, "data") };
  if (type === "sync:merge") return { ...none, merge: objectIn(message, "data") };
  if (type === "sync:delete") return { ...none, remove: keysIn(message, "data") };
  return message.set === undefined ? null : { ...none, set: objectIn(message, "set") };
}

function objectIn(message: JsonObject, name: string): JsonObject {
  const value = message[name];
  return isObject(value) ? value : malformed(name, "an object", value);
}

function numberIn(message: JsonObject, name: string): number {
  const value = message[name];
  return typeof value === "number" ? value : malformed(name, "a number", value);
}

function countIn(message: JsonObject, name: string): number {
  const value = message[name];
  const fits = typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
  return fits ? value : malformed(name, "a whole number", value);
}

function stringIn(message: JsonObject, name: string): string {
  const value = message[name];
  return typeof value === "string" ? value : malformed(name, "a string", value);
}

function keysIn(message: JsonObject, name: string): readonly string[] {
  const value = message[name];
  const keys = isArray(value) ? value.filter((key) => typeof key === "string") : [];
  return isArray(value) && keys.length === value.length ? keys : malformed(name, "keys", value);
}

function malformed(name: string, wanted: string, value: Json | undefined): never {
  throw new ProtocolError(
    `"${name}" must be ${wanted}, not ${JSON.stringify(value)?.slice(0, 80)}`,
  );
}
