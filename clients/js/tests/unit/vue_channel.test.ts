// @vitest-environment happy-dom

import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { shallowRef } from "vue";
import { createSync, useSync, useSyncEvent, useSyncMembers, useSyncState } from "../../src/vue.js";
import { asked, sockets } from "../fakes/page_sockets.js";
import { event, inChannel, member, refused, snapshot } from "../fakes/relay_message.js";
import {
  h,
  nextTask,
  page,
  relaySends,
  render,
  setUp,
  tearDown,
  withRelay,
} from "../fakes/vue_page.js";

beforeEach(setUp);

afterEach(tearDown);

const A = "room:a";
const B = "room:b";
const shown: string[] = [];

const Room = {
  props: ["channel"],
  setup(props: { channel: string }) {
    const place = { channel: () => props.channel };
    const { status, state, error } = useSync<{ name: string }>(place);
    const name = useSyncState<string>("name", place);
    const members = useSyncMembers(place);
    return () => {
      const people = members.value.map(({ id }) => id).join("+");
      const words = [props.channel, status.value, state.value.name ?? "-", name.value ?? "-"];
      const text = [...words, people, error.value?.message ?? ""].join(" ").trim();
      shown.push(text);
      return h("p", text);
    };
  },
};

test("composables follow a channel while they are mounted", async () => {
  await render(withRelay(() => h(Room, { channel: A })));
  await relaySends(
    snapshot(41),
    inChannel(A, snapshot(7, { name: "Ann" }, { members: { ann: member() } } as object)),
  );
  expect(asked()).toEqual([`subscribe ${A}`]);
  expect(page.textContent).toBe("room:a live Ann Ann ann");
  await render(withRelay(() => null));
  await nextTask();
  expect(asked()).toEqual([`unsubscribe ${A}`]);
  expect(sockets).toHaveLength(1);
});

test("the state of one room is never shown under the name of another", async () => {
  await render(withRelay(() => h(Room, { channel: A })));
  await relaySends(snapshot(41), inChannel(A, snapshot(7, { name: "Ann" })));
  shown.length = 0;
  await render(withRelay(() => h(Room, { channel: B })));
  expect(page.textContent).toBe("room:b connecting - -");
  await nextTask();
  await relaySends(
    inChannel(A, event(8, "sync:set", { name: "late" })),
    inChannel(B, snapshot(3, { name: "Bob" })),
  );
  expect(page.textContent).toBe("room:b live Bob Bob");
  expect(shown.filter((text) => !/^room:b (connecting - -|live Bob Bob)$/.test(text))).toEqual([]);
  expect(asked()).toEqual([`subscribe ${A}`, `subscribe ${B}`, `unsubscribe ${A}`]);
});

test("events are those of the channel of now, and none after the component is gone", async () => {
  const told: string[] = [];
  const Ticks = {
    props: ["channel"],
    setup(props: { channel: string }) {
      const place = { channel: () => props.channel };
      useSyncEvent<number>("tick", (data, { seq }) => told.push(`${data} ${seq}`), place);
      return () => null;
    },
  };
  await render(withRelay(() => h(Ticks, { channel: A })));
  await relaySends(snapshot(41), event(42, "tick", 0), inChannel(A, snapshot(1)));
  await relaySends(inChannel(A, event(2, "tick", 5)), inChannel(A, event(3, "tock", 6)));
  await render(withRelay(() => h(Ticks, { channel: B })));
  await relaySends(inChannel(B, snapshot(1)), inChannel(B, event(2, "tick", 7)));
  await relaySends(inChannel(A, event(4, "tick", 8)));
  await render(withRelay(() => null));
  await relaySends(inChannel(B, event(3, "tick", 9)));
  expect(told).toEqual(["5 2", "7 2"]);
});

test("a refusal of a channel is shown", async () => {
  const said = vi.spyOn(console, "error").mockReturnValue();
  await render(withRelay(() => h(Room, { channel: A })));
  await relaySends(snapshot(41), refused(A, "forbidden", "not you"));
  expect(page.textContent).toContain("room:a refused - -  the relay refused the channel");
  said.mockRestore();
});

test("composables with types are the same composables", async () => {
  interface Rooms {
    [room: `room:${string}`]: { state: { name: string }; events: { tick: number } };
  }
  const typed = createSync<{ radio: number }, { tick: number }, Rooms, { nick: string }>();
  const told: number[] = [];
  const id = shallowRef("a");
  const Typed = {
    setup() {
      const place = { channel: () => `room:${id.value}` as const };
      typed.useSyncEvent("tick", (data) => told.push(data), place);
      const radio = typed.useSyncState("radio");
      const name = typed.useSyncState("name", place);
      const nicks = typed.useSyncMembers(place);
      return () => `${radio.value} ${name.value?.length} ${nicks.value[0]?.info.nick.length}`;
    },
  };
  await render(withRelay(() => h(Typed)));
  await relaySends(
    snapshot(41, { radio: 1 }),
    inChannel(
      A,
      snapshot(1, { name: "Ann" }, { members: { a: member({ nick: "Al" }) } } as object),
    ),
    inChannel(A, event(2, "tick", 5)),
  );
  expect(page.textContent).toBe("1 3 2");
  expect(told).toEqual([5]);
});
