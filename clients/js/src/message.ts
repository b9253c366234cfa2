import { ProtocolError } from "./error.js";
import { isArray, isObject, type Json, type JsonObject } from "./json.js";

/** One event of the relay's log, as it came. `ts` is when the relay accepted it, in seconds. */
export interface SyncEvent<Data = Json> {
  readonly type: string;
  readonly data: Data;
  readonly ts: number;
  readonly seq: number;
  /** The identity of the client that published it; not there when a backend did, or a client without identity. */
  readonly from?: string;
  /** The W3C `traceparent` of the command that made it; only of a relay with `--trace`, and of commands that have one. */
  readonly trace?: string;
}

export interface Snapshot {
  readonly kind: "snapshot";
  readonly channel: string;
  readonly state: JsonObject;
  readonly members: JsonObject;
  readonly ts: number;
  readonly seq: number;
  readonly epoch: string;
  readonly skipped: number | null;
}

/** The relay goes on after `seq`; events up to `to` were missed and follow now. */
export interface Resume {
  readonly kind: "resume";
  readonly channel: string;
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
  readonly channel: string;
  readonly event: SyncEvent;
  /** What it does to the state. */
  readonly change: Change | null;
  /** What it does to the members, by their ids. */
  readonly attendance: Change | null;
}

/** The relay does not let this client follow a channel. */
export interface Refused {
  readonly kind: "refused";
  readonly channel: string;
  readonly code: string;
  readonly message: string;
}

/** A channel has ended; after it nothing of the channel. `reason` says why when the client did not ask for it. */
export interface Unsubscribed {
  readonly kind: "unsubscribed";
  readonly channel: string;
  readonly reason: string | null;
  readonly skipped: number;
}

/** The relay has taken what was said under `ref`. */
export interface Taken {
  readonly kind: "taken";
  readonly ref: string;
}

/** The relay has not taken what was said under `ref`. */
export interface Rejected {
  readonly kind: "rejected";
  readonly ref: string;
  readonly code: string;
  readonly message: string;
}

/** The token that lets this client in is about to end. */
export interface Expiring {
  readonly kind: "expiring";
}

/** A message that only shows life. */
export interface Heartbeat {
  readonly kind: "heartbeat";
}

/** A message that this version does not know. */
export interface Other {
  readonly kind: "other";
}

/** What a channel's log has to tell. `channel` is its name, that of the default channel empty. */
export type News = Snapshot | Resume | LogEvent;

/** What a message says of a channel. */
export type ChannelMessage = News | Refused | Unsubscribed;

/** What becomes of something that this client has said. */
export type Answer = Taken | Rejected;

export type Message = ChannelMessage | Answer | Expiring | Heartbeat | Other;

const NOTHING: JsonObject = {};
const NO_CHANGE: Change = { set: NOTHING, merge: NOTHING, remove: [] };

const SIGNS: readonly string[] = ["heartbeat", "taken", "rejected", "expiring", "other"];

/** Whether it is more than a sign of life. Null stands for what is no text. */
export function isNews(message: Message | null): boolean {
  return message !== null && !SIGNS.includes(message.kind);
}

/** Reads a message of the relay. Throws ProtocolError when a type that it knows is malformed. */
export function readMessage(text: string): Message {
  const message = parse(text);
  const type = message.type;
  if (type === "sync:full") return readSnapshot(message);
  if (type === "sync:resume") return readResume(message);
  if (type === "sync:refused") return readRefused(message);
  if (type === "sync:unsubscribed") return readUnsubscribed(message);
  if (type === "sync:ack") return { kind: "taken", ref: stringIn(message, "ref") };
  if (type === "sync:error") return readRejected(message);
  if (type === "sync:expiring") return { kind: "expiring" };
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
    channel: channelIn(message),
    state: objectIn(message, "data"),
    members: message.members === undefined ? NOTHING : membersIn(message),
    ts: numberIn(message, "ts"),
    seq: countIn(message, "seq"),
    epoch: stringIn(message, "epoch"),
    skipped: message.skipped === undefined ? null : countIn(message, "skipped"),
  };
}

function readResume(message: JsonObject): Resume {
  return {
    kind: "resume",
    channel: channelIn(message),
    to: countIn(objectIn(message, "data"), "to"),
    ts: numberIn(message, "ts"),
    seq: countIn(message, "seq"),
    epoch: stringIn(message, "epoch"),
  };
}

function readRefused(message: JsonObject): Refused {
  return {
    kind: "refused",
    channel: channelIn(message),
    code: stringIn(message, "code"),
    message: message.message === undefined ? "" : stringIn(message, "message"),
  };
}

/** Without a `ref` it is of nothing that this client has said. */
function readRejected(message: JsonObject): Rejected | Other {
  if (message.ref === undefined) return { kind: "other" };
  return {
    kind: "rejected",
    ref: stringIn(message, "ref"),
    code: stringIn(message, "code"),
    message: message.message === undefined ? "" : stringIn(message, "message"),
  };
}

function readUnsubscribed(message: JsonObject): Unsubscribed {
  return {
    kind: "unsubscribed",
    channel: channelIn(message),
    reason: message.reason === undefined ? null : stringIn(message, "reason"),
    skipped: message.skipped === undefined ? 0 : countIn(message, "skipped"),
  };
}

function readEvent(type: string, message: JsonObject): LogEvent {
  const { data = null } = message;
  const place = { ts: numberIn(message, "ts"), seq: countIn(message, "seq") };
  const from = message.from === undefined ? {} : { from: stringIn(message, "from") };
  const trace = message.trace === undefined ? {} : { trace: stringIn(message, "trace") };
  return {
    kind: "event",
    channel: channelIn(message),
    event: { type, data, ...place, ...from, ...trace },
    change: readChange(type, message),
    attendance: readAttendance(type, message),
  };
}

function readChange(type: string, message: JsonObject): Change | null {
  if (type === "sync:set") return { ...NO_CHANGE, set: objectIn(message, "data") };
  if (type === "sync:merge") return { ...NO_CHANGE, merge: objectIn(message, "data") };
  if (type === "sync:delete") return { ...NO_CHANGE, remove: keysIn(message, "data") };
  return message.set === undefined ? null : { ...NO_CHANGE, set: objectIn(message, "set") };
}

function readAttendance(type: string, message: JsonObject): Change | null {
  if (type === "sync:left") {
    return { ...NO_CHANGE, remove: [stringIn(objectIn(message, "data"), "id")] };
  }
  if (type !== "sync:joined" && type !== "sync:changed") return null;
  const { id, ...member } = objectIn(message, "data");
  return { ...NO_CHANGE, set: { [stringIn({ id: id ?? null }, "id")]: memberOf(member) } };
}

function membersIn(message: JsonObject): JsonObject {
  const members = Object.entries(objectIn(message, "members"));
  return Object.fromEntries(members.map(([id, member]) => [id, memberOf(member)]));
}

/** What is known of a member, without what a later relay may add. */
function memberOf(member: Json): JsonObject {
  const known = isObject(member) ? member : malformed("members", "objects", member);
  return { info: objectIn(known, "info"), since: numberIn(known, "since") };
}

/** Messages of the default channel name none. */
function channelIn(message: JsonObject): string {
  return message.channel === undefined ? "" : stringIn(message, "channel");
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
