// @vitest-environment happy-dom

import { afterEach, beforeEach, expect, test } from "vitest";
import { effectScope, nextTick } from "vue";
import { provideSync, useSync, useSyncState } from "../../src/vue.js";
import { openSockets, sockets, URL_OF_RELAY } from "../fakes/page_sockets.js";
import { event, snapshot } from "../fakes/relay_message.js";
import {
  h,
  nextTask,
  page,
  relaySends,
  render,
  renders,
  Status,
  setUp,
  tearDown,
  Value,
  withRelay,
} from "../fakes/vue_page.js";

beforeEach(setUp);

afterEach(tearDown);

const url = URL_OF_RELAY;

test("useSync connects and shows status and state", async () => {
  const Whole = {
    setup() {
      const { status, state, client } = useSync<{ radio: { track: number } }>(url);
      return () => `${status.value} ${state.value.radio?.track ?? "-"} ${client.value !== null}`;
    },
  };
  await render(() => h(Whole));
  expect(page.textContent).toBe("connecting - true");
  await relaySends(snapshot(41, { radio: { track: 7 } }));
  expect(page.textContent).toBe("live 7 true");
  await relaySends(event(42, "sync:merge", { radio: { track: 8 } }));
  expect(page.textContent).toBe("live 8 true");
  openSockets()[0]?.end();
  await nextTick();
  expect(page.textContent).toBe("offline 8 true");
});

test("components below what provides share its connection", async () => {
  await render(withRelay(() => [h(Status), h(Value, { name: "a" }), h(Value, { name: "b" })]));
  expect(sockets).toHaveLength(1);
  await relaySends(snapshot(41, { a: 1, b: [2] }));
  expect(page.innerHTML).toContain("<i>live</i><b>1</b><b>[2]</b>");
});

test("a component uses what it provides itself", async () => {
  const Own = {
    setup() {
      provideSync(url, { heartbeat: 20 });
      const { status } = useSync();
      return () => status.value;
    },
  };
  await render(() => h(Own));
  expect(openSockets()[0]?.parameters).toEqual({ heartbeat: "20" });
  await relaySends(snapshot(41));
  expect(page.textContent).toBe("live");
});

test("a component renders again only for its own key", async () => {
  await render(withRelay(() => [h(Value, { name: "quiet" }), h(Value, { name: "busy" })]));
  await relaySends(snapshot(41, { quiet: { a: 1 }, busy: 0 }));
  renders.clear();
  for (let seq = 42; seq < 52; seq += 1) await relaySends(event(seq, "sync:set", { busy: seq }));
  await relaySends(snapshot(99, { quiet: { a: 1 }, busy: 99 }, { skipped: 47 }));
  expect(renders.get("quiet")).toBeUndefined();
  expect(renders.get("busy")).toBe(11);
});

test("two components that name the same url share one connection, and the last to go closes it", async () => {
  await render(() => [h(Status, { url, key: 1 }), h(Value, { url, name: "radio", key: 2 })]);
  expect(sockets).toHaveLength(1);
  await relaySends(snapshot(41, { radio: 1 }));
  expect(page.innerHTML).toContain("<i>live</i><b>1</b>");
  await render(() => [h(Value, { url, name: "radio", key: 2 })]);
  await nextTask();
  expect(openSockets()).toHaveLength(1);
  await render(() => null);
  await nextTask();
  expect(sockets[0]?.closed).toEqual({ code: 1000, reason: "" });
});

test("components that replace each other keep the connection", async () => {
  await render(() => h(Status, { key: "one", url }));
  await relaySends(snapshot(41));
  await render(() => h(Status, { key: "two", url }));
  await nextTask();
  expect(page.textContent).toBe("live");
  expect(sockets).toHaveLength(1);
});

test("coming and going leaves nothing open, and coming again begins anew", async () => {
  for (let count = 0; count < 20; count += 1) {
    await render(withRelay(() => [h(Status), h(Value, { name: "radio" })]));
    expect(openSockets()).toHaveLength(1);
    await render(() => null);
    if (count % 2 === 0) await nextTask();
  }
  await nextTask();
  expect(openSockets()).toEqual([]);
  await render(withRelay(() => h(Status)));
  await relaySends(snapshot(1));
  expect(page.textContent).toBe("live");
});

test("another url is another connection, and the old one is closed", async () => {
  await render(() => h(Value, { name: "radio", url }));
  await relaySends(snapshot(41, { radio: 1 }));
  await render(() => h(Value, { name: "radio", url: "ws://other/ws/sync" }));
  await nextTask();
  expect(page.textContent).toBe("none");
  expect(openSockets().map(({ url }) => url.split("?")[0])).toEqual(["ws://other/ws/sync"]);
});

test("another key is another value of the same connection", async () => {
  await render(() => h(Value, { name: "a", url }));
  await relaySends(snapshot(41, { a: 1, b: 2 }));
  await render(() => h(Value, { name: "b", url }));
  expect(page.textContent).toBe("2");
  await relaySends(event(42, "sync:set", { b: 3 }));
  expect(page.textContent).toBe("3");
  expect(sockets).toHaveLength(1);
});

test("without a url and what provides one the error says what is missing", () => {
  const scope = effectScope();
  scope.run(() => expect(() => useSyncState("radio")).toThrow("or call provideSync(url) above"));
  scope.stop();
  expect(() => provideSync(url)).toThrow("belongs into a component's setup");
  expect(() => useSyncState("radio", url)).toThrow("or in an effect scope");
});

test("outside of components it follows at once, until the scope ends", async () => {
  const scope = effectScope();
  const radio = scope.run(() => useSyncState("radio", url));
  expect(openSockets()).toHaveLength(1);
  await relaySends(snapshot(41, { radio: 1 }));
  expect(radio?.value).toBe(1);
  scope.stop();
  await nextTask();
  expect(openSockets()).toEqual([]);
});
