/** What users of Vue, Svelte and TanStack Query write, with mistakes that the compiler has to find. */

export const FRONT_ENDS = `
import { QueryClient } from "@tanstack/react-query";
import { get, type Readable } from "svelte/store";
import { type ComputedRef, ref } from "vue";
import { connect } from "syncrelay";
import * as svelte from "syncrelay/svelte";
import { syncQueries } from "syncrelay/tanstack-query";
import * as vue from "syncrelay/vue";
interface State { radio: { track: number } | null }
interface Events { tick: string }
interface Info { name: string }
interface Channels {
  lobby: { state: { open: boolean } };
  [room: \`room:\${string}\`]: { state: { topic: string }; events: { said: { text: string } } };
}
const v = vue.createSync<State, Events, Channels, Info>();
export function useVue(props: { id: string }, url: string) {
  v.provideSync(() => url, { heartbeat: 20 });
  const channel = () => \`room:\${props.id}\` as const;
  const topic: ComputedRef<string | undefined> = v.useSyncState("topic", { channel });
  const open: boolean | undefined = v.useSyncState("open", { channel: "lobby" }).value;
  const track: number | undefined = v.useSyncState("radio", url).value?.track ?? v.useSyncState(ref("radio" as const)).value?.track;
  const { status, state, error, channel: room } = v.useSync({ channel });
  const refused: boolean = status.value === "refused";
  const same: string | undefined = state.value.topic ?? room.value?.get("topic");
  v.useSyncEvent("said", (data, event) => data.text + event.data.text, { channel });
  v.useSyncEvent("tick", (data) => data.toUpperCase());
  const names: string[] = v.useSyncMembers({ channel }).value.map(({ info }) => info.name);
  v.useSync().client.value?.identify({ id: "a", info: { name: "Ann" } });
  const any = vue.useSyncState<string>("any", () => ({ url, channel: props.id })).value?.length;
  return [topic, open, track, refused, same, error.value?.message, names, any, vue.useSync(url).status.value];
}
export function misuseVue(id: string) {
  // @ts-expect-error: no such channel
  v.useSyncState("topic", { channel: "hall" });
  // @ts-expect-error: no such channel
  v.useSync({ channel: id });
  // @ts-expect-error: a key of the default channel
  v.useSyncState("radio", { channel: "room:1" });
  // @ts-expect-error: no such event
  v.useSyncEvent("tock", () => {});
  // @ts-expect-error: not to be changed
  v.useSyncState("radio").value = null;
}
const s = svelte.createSync<State, Events, Channels, Info>("ws://h/ws/sync", { heartbeat: 20 });
const readable: Readable<{ track: number } | null | undefined> = s.syncState("radio");
const topic: string | undefined = get(s.syncState("topic", { channel: "room:1" }));
const names: string[] = get(s.syncMembers({ channel: "lobby" })).map(({ info }) => info.name);
const text: string | undefined = get(s.sync({ channel: "room:1" })).state.topic ?? get(s.sync()).client?.get("radio")?.track.toFixed();
const end: () => void = s.syncEvent("said", ({ text }) => text.length, { channel: "room:1" });
const any: number | undefined = get(svelte.syncState<number>("n", { url: "ws://h/ws/sync", channel: "any" }));
export const used = [readable, topic, names, text, end, any];
// @ts-expect-error: no such key
s.syncState("radios");
// @ts-expect-error: no such channel
s.syncMembers({ channel: "hall" });
// @ts-expect-error: no such event
s.syncEvent("tock", () => {});
// @ts-expect-error: a url is missing
svelte.syncState("radio", { channel: "room:1" });

const relay = connect<State, Events, Channels>("ws://h/ws/sync");
const queryClient = new QueryClient();
const stop: () => void = syncQueries(relay, queryClient, {
  state: { radio: ["radio"] },
  events: { tick: (data) => (data.length > 3 ? ["ticks", data] : null) },
});
syncQueries(relay.channel("room:1"), queryClient, { state: { topic: ["topic"] }, events: { said: ["lines"] } });
syncQueries(connect("ws://h/ws/sync"), queryClient, { events: { any: ["all"] } });
export const stops = [stop];
// @ts-expect-error: no such key
syncQueries(relay, queryClient, { state: { radios: ["radio"] } });
// @ts-expect-error: no such event
syncQueries(relay, queryClient, { events: { tock: ["tock"] } });
// @ts-expect-error: no key of a query
syncQueries(relay, queryClient, { state: { radio: "radio" } });
`;

/** Without the libraries, whose own types want a browser's. */
export const FRONT_ENDS_BY_NAME = `
import { connect } from "syncrelay";
import { createSync, type Readable } from "syncrelay/svelte";
import { type QueryClientLike, syncQueries } from "syncrelay/tanstack-query";
const { syncState } = createSync<{ radio: number }>("ws://h/ws/sync");
export const radio: Readable<number | undefined> = syncState("radio");
export const start = (queryClient: QueryClientLike): (() => void) =>
  syncQueries(connect<{ radio: number }>("ws://h/ws/sync"), queryClient, { state: { radio: ["radio"] } });
// @ts-expect-error: no such key
syncState("radios");
`;
