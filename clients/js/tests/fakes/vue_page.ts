/** A page for Vue, at a relay that the test plays. To be set up before each test and torn down after it. */

import { vi } from "vitest";
import { type App, type Component, createApp, h, nextTick, shallowRef, type VNodeChild } from "vue";
import { provideSync, useSync, useSyncState } from "../../src/vue.js";
import { relaySays, setUpSockets, tearDownSockets, URL_OF_RELAY } from "./page_sockets.js";

export { h };

let app: App;
export let page: HTMLElement;
const shown = shallowRef<() => VNodeChild>(() => null);

export function setUp(): void {
  setUpSockets();
  page = document.createElement("main");
  shown.value = () => null;
  app = createApp({ setup: () => () => shown.value() });
  app.mount(page);
}

export function tearDown(): void {
  app.unmount();
  tearDownSockets();
}

export async function render(children: () => VNodeChild): Promise<void> {
  shown.value = children;
  await nextTick();
}

export async function relaySends(...messages: object[]): Promise<void> {
  relaySays(...messages);
  await nextTick();
}

/** Puts slots under a component that does nothing but run `setup`. */
export function wrapper(setup: () => void): Component {
  return {
    setup(_, { slots }) {
      setup();
      return () => slots.default?.();
    },
  };
}

export const Relay = wrapper(() => provideSync(URL_OF_RELAY));
export const withRelay = (children: () => VNodeChild) => () =>
  h(Relay, null, { default: children });
export const renders = new Map<string, number>();

export const Status = {
  props: ["url"],
  setup(props: { url?: string }) {
    const { status, error } = useSync(() => ({ url: props.url }));
    return () => h("i", error.value ? error.value.reason : status.value);
  },
};

export const Value = {
  props: ["name", "url"],
  setup(props: { name: string; url?: string }) {
    const value = useSyncState(
      () => props.name,
      () => ({ url: props.url }),
    );
    return () => {
      renders.set(props.name, (renders.get(props.name) ?? 0) + 1);
      return h("b", JSON.stringify(value.value) ?? "none");
    };
  },
};

export function nextTask(): Promise<void> {
  vi.advanceTimersByTime(0);
  return nextTick();
}
