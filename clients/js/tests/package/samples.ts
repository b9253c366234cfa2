/** What users of the package write, with mistakes that the compiler has to find. */

export const USE = `
import { connect, type Client, type Status } from "syncrelay";
import { useSyncState } from "syncrelay/react";
const client: Client<{ radio: number }, { tick: string }> = connect("ws://h/ws/sync");
const status: Status = client.status;
const radio: number | undefined = client.get("radio");
client.on("tick", (data) => data.toUpperCase());
export const used = [status, radio, useSyncState<number>];
`;
export const MISUSE = `
import { connect } from "syncrelay";
const client = connect<{ radio: number }, { tick: string }>("ws://h/ws/sync");
// @ts-expect-error: no such key
client.get("radios");
// @ts-expect-error: no such event
client.on("tock", () => {});
// @ts-expect-error: not a text
client.onState("radio", (value: string) => value);
// @ts-expect-error: not to be changed
client.state.radio = 1;
// @ts-expect-error: no such option
connect("ws://h/ws/sync", { heartBeat: 1 });
`;

export const CHANNELS = `
import { connect, type Channel, type ChannelRefusedError, type ChannelStatus, type Client } from "syncrelay";
interface Channels {
  lobby: { state: { open: boolean } };
  [room: \`room:\${string}\`]: { state: { topic: string }; events: { "chat:said": { text: string } } };
}
const relay = connect<{ radio: number }, { tick: string }, Channels>("ws://h/ws/sync");
const id: string = "42";
const room = relay.channel(\`room:\${id}\`);
const topic: string | undefined = room.get("topic") ?? relay.channel("room:1").state.topic;
room.on("chat:said", ({ text }, { data }) => text + data.text);
room.onState("topic", (value) => value?.length);
room.onDropped(({ skipped }) => skipped + 1);
const status: ChannelStatus = room.status;
const refusal: ChannelRefusedError | null = room.error;
const open: boolean | undefined = relay.channel("lobby").get("open");
relay.channel("lobby").on("anything", (data) => data);
const untyped: Channel = connect("ws://h/ws/sync").channel(id);
untyped.on("anything", (data) => [data, untyped.get("key")]);
const usual: Client<{ radio: number }, { tick: string }> = connect("ws://h/ws/sync", { defaultChannel: false });
usual.channel("any").on("thing", (data) => data);
export const used = [topic, status, refusal, open];
// @ts-expect-error: no such channel
relay.channel("hall");
// @ts-expect-error: no such key
room.get("topics");
// @ts-expect-error: no such event
room.on("chat:say", () => {});
// @ts-expect-error: a key of another channel
relay.channel("lobby").get("topic");
// @ts-expect-error: not to be changed
room.state.topic = "";
`;

export const SPEECH = `
import { connect, type Client, type Member, type Members, type MessageOptions, RequestError, type SendOptions, type SyncEvent } from "syncrelay";
interface Info { name: string }
interface Channels {
  [doc: \`doc:\${string}\`]: { events: { "cursor:moved": { x: number } } };
  [personal: \`@\${string}\`]: { state: { unread: number } };
}
const relay: Client<{ radio: number }, { tick: string }, Channels, Info> = connect("ws://h/ws/sync", { sendRate: 30 });
const timeout: SendOptions = { timeout: 5_000 };
const about: MessageOptions = { channel: "anything", ...timeout };
export async function use(id: string) {
  await relay.identify({ id, info: { name: "Ann" } });
  await relay.identify({ id });
  const name: string | undefined = relay.members[id]?.info.name;
  const since: number | undefined = relay.channel("doc:7").members[id]?.since;
  relay.channel("doc:7").onMembers((members: Members<Info>) => Object.values(members).map(({ info }) => info.name));
  const unread: number | undefined = relay.channel(\`@\${id}\`).get("unread");
  relay.channel("doc:7").on("cursor:moved", ({ x }, { from, seq }) => [x, from?.length, seq]);
  const done: void = await relay.send("vote", { track: 7 }, about);
  await relay.send("bare");
  await relay.publish("doc:7", "cursor:moved", { x: 1 }, timeout);
  await relay.publish("", "tick", "now");
  await connect("ws://h/ws/sync").publish("any", "thing", [1]);
  try {
    await relay.send("vote");
  } catch (error) {
    if (error instanceof RequestError && error.code === "no_backend") return error.reason.length;
  }
  const member: Member | undefined = connect("ws://h/ws/sync").members[id];
  const from: string | undefined = ({} as SyncEvent).from;
  return [name, since, unread, done, member?.info["any"], from];
}
export function misuse(id: string) {
  // @ts-expect-error: a name is missing
  relay.identify({ id, info: {} });
  // @ts-expect-error: an id is missing
  relay.identify({ info: { name: "Ann" } });
  // @ts-expect-error: no such channel
  relay.publish("hall", "cursor:moved", { x: 1 });
  // @ts-expect-error: no such event
  relay.publish("doc:7", "cursor:gone", { x: 1 });
  // @ts-expect-error: not a number
  relay.publish("doc:7", "cursor:moved", { x: "1" });
  // @ts-expect-error: an event of another channel
  relay.publish("", "cursor:moved", { x: 1 });
  // @ts-expect-error: not to be changed
  relay.members[id] = { info: { name: "Ann" }, since: 1 };
  // @ts-expect-error: no such option
  relay.send("vote", 1, { timeOut: 1 });
}
`;

export const TOKENS = `
import { connect, type TokenSource } from "syncrelay";
import { SyncProvider, createSync, type SyncProviderProps } from "syncrelay/react";
async function fetched(): Promise<string> { return "a.b.c"; }
export const sources: TokenSource[] = ["a.b.c", () => "a.b.c", fetched];
for (const token of sources) connect("ws://h/ws/sync", { token });
connect("ws://h/ws/sync", { token: undefined });
export const props: SyncProviderProps[] = [{ url: "ws://h/ws/sync", token: fetched }, { url: "ws://h/ws/sync", token: undefined }];
export const providers = [SyncProvider, createSync().SyncProvider];
// @ts-expect-error: no text
connect("ws://h/ws/sync", { token: 7 });
// @ts-expect-error: gives no text
connect("ws://h/ws/sync", { token: async () => undefined });
`;

export const PRESENCE = `
import { createSync, usePresence } from "syncrelay/react";
interface Info { name: string }
interface Channels { [room: \`room:\${string}\`]: { state: { topic: string } } }
const typed = createSync<object, object, Channels, Info>();
export function use(id: string, url: string) {
  const names: string[] = typed.usePresence({ channel: \`room:\${id}\` }).map(({ id, info, since }) => id + info.name + since);
  const more: string[] = usePresence<Info>({ url, channel: id }).map(({ info }) => info.name);
  const any = usePresence(url).map(({ info }) => info["name"]);
  typed.useSync().client?.identify({ id, info: { name: "Ann" } });
  const name: string | undefined = typed.useSync({ channel: "room:1" }).channel?.members[id]?.info.name;
  return [names, more, any, name, typed.usePresence().length];
}
export function misuse() {
  // @ts-expect-error: no such channel
  typed.usePresence({ channel: "hall" });
  // @ts-expect-error: no such member
  typed.usePresence()[0]?.info.nick;
  // @ts-expect-error: not to be changed
  typed.usePresence().push({ id: "a", info: { name: "Ann" }, since: 1 });
  // @ts-expect-error: a name is missing
  typed.useSync().client?.identify({ id: "a", info: {} });
}
`;

export const TYPED_HOOKS_OF_CHANNELS = `
import { createSync } from "syncrelay/react";
interface State { radio: { track: number } | null }
interface Events { tick: string }
interface Channels {
  lobby: { state: { open: boolean } };
  [room: \`room:\${string}\`]: { state: { topic: string }; events: { said: { text: string } } };
}
const { useSync, useSyncState, useSyncEvent } = createSync<State, Events, Channels>();
export function use(id: string, url: string) {
  const channel = \`room:\${id}\` as const;
  const topic: string | undefined = useSyncState("topic", { channel });
  const inline: string | undefined = useSyncState("topic", { url, channel: \`room:\${id}\` });
  const { state, status, error, channel: room } = useSync({ channel });
  const same: string | undefined = state.topic ?? room?.get("topic");
  useSyncEvent("said", (data, event) => data.text + event.data.text, { channel });
  const open: boolean | undefined = useSyncState("open", { channel: "lobby" });
  const track: number | undefined = useSyncState("radio")?.track ?? useSyncState("radio", { url })?.track;
  useSyncEvent("tick", (data) => data.toUpperCase(), { url });
  useSync(url).client?.channel("lobby").get("open");
  const untyped = createSync();
  untyped.useSyncEvent("anything", (data) => data, { channel: id });
  const any = untyped.useSyncState("anything", { channel: id });
  return [topic, inline, same, status === "refused", error?.message, open, track, any];
}
export function misuse(id: string) {
  // @ts-expect-error: no such channel
  useSyncState("topic", { channel: "hall" });
  // @ts-expect-error: no such channel
  useSync({ channel: id });
  // @ts-expect-error: no such key
  useSyncState("topics", { channel: "room:1" });
  // @ts-expect-error: a key of the default channel
  useSyncState("radio", { channel: "room:1" });
  // @ts-expect-error: a key of a room
  useSyncState("topic");
  // @ts-expect-error: no such event
  useSyncEvent("say", () => {}, { channel: "room:1" });
  // @ts-expect-error: not a number
  useSyncEvent("said", (data: number) => data, { channel: "room:1" });
}
`;

export const UNTYPED_HOOKS = `
import { useSync, useSyncEvent, useSyncState } from "syncrelay/react";
export function use(id: string, url: string) {
  const name: string | undefined = useSyncState<string>("name", { channel: id });
  const place = { url, channel: id };
  useSyncEvent<number>("tick", (data) => data + 1, place);
  const { state, status, channel } = useSync<{ name: string }>(place, { heartbeat: 20 });
  const refused: boolean = status === "refused";
  return [name, state.name?.length, refused, channel?.retry(), useSync(url).status, useSync().client];
}
`;

export const TYPED_HOOKS = `
import { createSync } from "syncrelay/react";
interface State { radio: { track: number } | null }
interface Events { tick: string }
const { useSync, useSyncState, useSyncEvent } = createSync<State, Events>();
export function use() {
  const track: number | undefined = useSyncState("radio")?.track;
  const { state, client } = useSync();
  const same: number | undefined = state.radio?.track ?? client?.get("radio")?.track;
  useSyncEvent("tick", (data, event) => data.toUpperCase() + event.data.toLowerCase());
  client?.on("tick", (data) => data.toUpperCase());
  const untyped = createSync();
  untyped.useSyncEvent("anything", (data) => data);
  return [track, same, untyped.useSyncState("anything")];
}
export function misuse() {
  // @ts-expect-error: no such key
  useSyncState("radios");
  // @ts-expect-error: not a number
  const track: number = useSyncState("radio");
  // @ts-expect-error: no such key
  useSync().state.radios;
  // @ts-expect-error: no such event
  useSyncEvent("tock", () => {});
  // @ts-expect-error: a text, no number
  useSyncEvent("tick", (data: number) => data);
  // @ts-expect-error: no such event
  useSync().client?.on("tock", () => {});
  return track;
}
`;
