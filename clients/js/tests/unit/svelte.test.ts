// @vitest-environment happy-dom

import { type Component, flushSync, mount, unmount } from "svelte";
import { derived, get, type Readable } from "svelte/store";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { createSync, sync, syncEvent, syncMembers, syncState } from "../../src/svelte.js";
import {
  asked,
  openSockets,
  relaySays,
  setUpSockets,
  sockets,
  tearDownSockets,
  URL_OF_RELAY,
} from "../fakes/page_sockets.js";
import { event, inChannel, member, refused, snapshot } from "../fakes/relay_message.js";
import { component } from "../fakes/svelte_page.js";

const url = URL_OF_RELAY;
const A = "room:a";
const B = "room:b";

const ROOM = `<script>
  import { createSync } from "syncrelay/svelte";
  const { sync, syncState, syncMembers, syncEvent } = createSync("${url}");
  let { channel, told } = $props();
  const room = $derived(sync({ channel }));
  const name = $derived(syncState("name", { channel }));
  const people = $derived(syncMembers({ channel }));
  $effect(() => syncEvent("tick", (data, { seq }) => told.push(\`\${channel} \${data} \${seq}\`), { channel }));
</script>
<p>{channel} {$room.status} {$name ?? "-"} {$people.map(({ id }) => id).join("+")}</p>`;

/** Shows a room whose channel can be changed from outside. */
const DOOR = `<script>
  import Room from "./Room.client.js";
  let { told, onready } = $props();
  let channel = $state("${A}");
  onready((next) => { channel = next; });
</script>
<Room {channel} {told} />`;

const page = () => document.body;
const mounted: object[] = [];

function show(shown: Component<Record<string, unknown>>, props: Record<string, unknown>): object {
  const instance = mount(shown, { target: page(), props });
  mounted.push(instance);
  flushSync();
  return instance;
}

function hide(instance: object): void {
  mounted.splice(mounted.indexOf(instance), 1);
  void unmount(instance);
  flushSync();
}

function relaySends(...messages: object[]): void {
  relaySays(...messages);
  flushSync();
}

beforeEach(setUpSockets);

afterEach(() => {
  for (const instance of mounted.splice(0)) void unmount(instance);
  page().innerHTML = "";
  tearDownSockets();
});

/** What a store has shown, and how to end that. */
function shownBy<Value>(store: Readable<Value>): { values: Value[]; end: () => void } {
  const values: Value[] = [];
  return { values, end: store.subscribe((value) => values.push(value)) };
}

test("a store shows a key's value at once and after each change of it", () => {
  const { values, end } = shownBy(syncState("radio", url));
  expect(values).toEqual([undefined]);
  relaySays(snapshot(41, { radio: 1, other: 1 }));
  relaySays(event(42, "sync:set", { other: 2 }), event(43, "sync:set", { radio: 2 }));
  relaySays(event(44, "sync:delete", ["radio"]));
  expect(values).toEqual([undefined, 1, 2, undefined]);
  end();
  end();
});

test("nothing is opened before somebody subscribes, and the last to go closes the connection", () => {
  const radio = syncState("radio", url);
  const whole = sync(url);
  expect(sockets).toEqual([]);
  const one = shownBy(radio);
  const two = shownBy(whole);
  expect(sockets).toHaveLength(1);
  relaySays(snapshot(41, { radio: 1 }));
  expect(two.values.at(-1)?.state).toEqual({ radio: 1 });
  one.end();
  one.end();
  vi.advanceTimersByTime(0);
  expect(openSockets()).toHaveLength(1);
  two.end();
  vi.advanceTimersByTime(0);
  expect(sockets[0]?.closed).toEqual({ code: 1000, reason: "" });
});

test("it is a store to Svelte's own functions", () => {
  const tripled = derived(syncState<number>("radio", url), (value) => (value ?? 0) * 3);
  const { values, end } = shownBy(tripled);
  relaySays(snapshot(41, { radio: 2 }));
  expect(values).toEqual([0, 6]);
  expect(get(syncState("radio", url))).toBe(2);
  expect(sockets).toHaveLength(1);
  end();
});

test("status, state and client come together", () => {
  const { values, end } = shownBy(sync(url));
  relaySays(snapshot(41, { radio: 1 }));
  openSockets()[0]?.end();
  const statuses = new Set(values.map(({ status }) => status));
  expect([...statuses]).toEqual(["connecting", "live", "offline"]);
  expect(values.at(-1)?.client?.get("radio")).toBe(1);
  end();
});

test("a refusal of a channel is shown", () => {
  const said = vi.spyOn(console, "error").mockReturnValue();
  const { values, end } = shownBy(sync({ url, channel: A }));
  relaySays(snapshot(41), refused(A, "forbidden", "not you"));
  expect(values.at(-1)).toMatchObject({ status: "refused", error: { code: "forbidden" } });
  end();
  said.mockRestore();
});

test("stores with types are for one relay, with the options of its connection", () => {
  interface Rooms {
    [room: `room:${string}`]: { state: { name: string }; events: { tick: number } };
  }
  const typed = createSync<{ radio: number }, { tick: string }, Rooms, { nick: string }>(url, {
    heartbeat: 20,
  });
  const told: number[] = [];
  const ends = [typed.syncEvent("tick", (data) => told.push(data + 1), { channel: A })];
  expect(openSockets()[0]?.parameters).toEqual({ heartbeat: "20" });
  relaySays(
    snapshot(41, { radio: 1 }),
    inChannel(
      A,
      snapshot(1, { name: "Ann" }, { members: { a: member({ nick: "Al" }) } } as object),
    ),
    inChannel(A, event(2, "tick", 5)),
  );
  const name: string | undefined = get(typed.syncState("name", { channel: A }));
  const radio: number | undefined = get(typed.syncState("radio"));
  const nick: string | undefined = get(typed.syncMembers({ channel: A }))[0]?.info.nick;
  expect([name, radio, nick, told]).toEqual(["Ann", 1, "Al", [6]]);
  expect(get(typed.sync()).status).toBe("live");
  for (const end of ends) end();
});

test("without a url the error says what is missing", () => {
  expect(() => syncState("radio", {} as never)).toThrow("pass a url");
});

test("a component follows a channel while it is there, and changes to another one", async () => {
  await component("Room", ROOM);
  const Door = await component("Door", DOOR);
  const told: string[] = [];
  let enter = (_: string) => {};
  const onready = (change: typeof enter) => {
    enter = change;
  };
  const room = show(Door, { told, onready });
  relaySends(
    snapshot(41),
    inChannel(A, snapshot(7, { name: "Ann" }, { members: { ann: member() } } as object)),
    inChannel(A, event(8, "tick", 5)),
  );
  expect(page().textContent).toBe("room:a live Ann ann");
  expect(asked()).toEqual([`subscribe ${A}`]);
  enter(B);
  flushSync();
  expect(page().textContent).toBe("room:b connecting - ");
  vi.advanceTimersByTime(0);
  relaySends(inChannel(A, event(9, "sync:set", { name: "late" })));
  relaySends(inChannel(B, snapshot(3, { name: "Bob" })), inChannel(B, event(4, "tick", 6)));
  expect(page().textContent).toBe("room:b live Bob ");
  expect(told).toEqual([`${A} 5 8`, `${B} 6 4`]);
  expect(asked()).toEqual([`subscribe ${B}`, `unsubscribe ${A}`]);
  hide(room);
  vi.advanceTimersByTime(0);
  expect(openSockets()).toEqual([]);
});

test("two components share one connection, and what comes again begins anew", async () => {
  const Room = await component("Room", ROOM);
  const one = show(Room, { channel: A, told: [] });
  const two = show(Room, { channel: A, told: [] });
  expect(sockets).toHaveLength(1);
  relaySends(snapshot(41), inChannel(A, snapshot(7, { name: "Ann" })));
  expect(page().textContent).toBe("room:a live Ann room:a live Ann ");
  expect(asked()).toEqual([`subscribe ${A}`]);
  hide(one);
  vi.advanceTimersByTime(0);
  expect(openSockets()).toHaveLength(1);
  hide(two);
  vi.advanceTimersByTime(0);
  expect(openSockets()).toEqual([]);
  show(Room, { channel: A, told: [] });
  expect(page().textContent).toBe("room:a connecting - ");
  relaySends(snapshot(41), inChannel(A, snapshot(9, { name: "Anna" })));
  expect(page().textContent).toBe("room:a live Anna ");
});

test("on a server it renders what is shown before the connection, and opens none", async () => {
  const Room = await component("Room", ROOM, "server");
  const { render } = await import("svelte/server");
  vi.stubGlobal("document", undefined);
  const { body } = render(Room, { props: { channel: A, told: [] } });
  expect(body.replace(/<!--.*?-->/g, "")).toBe("<p>room:a connecting - </p>");
  expect(get(syncMembers(url))).toEqual([]);
  syncEvent("tick", () => {}, url)();
  vi.unstubAllGlobals();
  expect(sockets).toEqual([]);
});
