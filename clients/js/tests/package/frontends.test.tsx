// @vitest-environment happy-dom

/** What docs/frontends.md shows does what it says, with the frameworks themselves. */

import { act, createElement } from "react";
import { createRoot } from "react-dom/client";
import { flushSync, mount, unmount } from "svelte";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { createApp, nextTick } from "vue";
import { compileScript, parse } from "vue/compiler-sfc";
import {
  openSockets,
  relaySays,
  setUpSockets,
  sockets,
  tearDownSockets,
} from "../fakes/page_sockets.js";
import { event, inChannel, member, snapshot } from "../fakes/relay_message.js";
import { type Snippet, saved, scriptOf, snippetsOf } from "../fakes/snippets.js";
import { component } from "../fakes/svelte_page.js";

const snippets = snippetsOf(`${import.meta.dirname}/../../../../docs/frontends.md`).map(
  (snippet, index) => ({ ...snippet, index }),
);
const isPage = ({ code }: Snippet) => code.includes("radio:started");
const QUERIES = "tanstack-query";

type Numbered = (typeof snippets)[number];
type End = () => void;

const load = async (file: string) => (await import(/* @vite-ignore */ file)).default;

/** Shows a snippet as its framework does. Returns how to end that. */
const show: Record<string, (snippet: Numbered, props: Record<string, unknown>) => Promise<End>> = {
  async html({ code, index }) {
    document.body.innerHTML = code.replace(/<script.*<\/script>/s, "");
    await import(/* @vite-ignore */ saved(`page_${index}.js`, scriptOf(code)));
    return () => {
      for (const socket of openSockets()) socket.close(1000);
      vi.clearAllTimers();
    };
  },
  async tsx({ code, index }, props) {
    const root = createRoot(document.body);
    const App = await load(saved(`app_${index}.tsx`, code));
    act(() => root.render(createElement(App, props)));
    return () => act(() => root.unmount());
  },
  async vue({ code, index }, props) {
    const { descriptor } = parse(code);
    const { content } = compileScript(descriptor, { id: `app${index}`, inlineTemplate: true });
    const app = createApp(await load(saved(`app_${index}.ts`, content)), props);
    app.mount(document.body);
    return () => app.unmount();
  },
  async svelte({ code, index }, props) {
    const instance = mount(await component(`App${index}`, code), { target: document.body, props });
    flushSync();
    return () => void unmount(instance);
  },
};

const log = vi.spyOn(console, "log");

beforeEach(() => {
  setUpSockets();
  vi.stubGlobal("IS_REACT_ACT_ENVIRONMENT", true);
  log.mockReset();
});

afterEach(() => {
  document.body.innerHTML = "";
  tearDownSockets();
});

/** What the page says once the relay has said something, and all that follows from that. */
async function textAfter(...messages: object[]): Promise<string> {
  await act(async () => {
    relaySays(...messages);
    await vi.advanceTimersByTimeAsync(1);
  });
  flushSync();
  await nextTick();
  return document.body.textContent ?? "";
}

const inRoom = (state: object) =>
  inChannel("room:42", snapshot(7, state, { members: { ann: member() } } as object));
const radio = { track: "Harbour Lights" };
const started = event(42, "radio:started", radio, { set: { radio } });

const named = (chosen: readonly Numbered[]) =>
  chosen.map((one) => [`${one.language} ${one.index}`, one] as const);

test("every framework is there", () => {
  const languages = snippets.map(({ language }) => language);
  expect(new Set(languages)).toEqual(new Set(["html", "svelte", "tsx", "vue"]));
});

test.each(named(snippets.filter((one) => isPage(one) && !one.code.includes(QUERIES))))(
  "%s shows state, members and events over one connection",
  async (_, snippet) => {
    const end = await show[snippet.language]?.(snippet, {});
    const before = await textAfter(snapshot(41, { radio: { track: "Slow Comet" } }), inRoom({}));
    expect(before).toMatch(/Slow Comet\s*ann/);
    expect(await textAfter(started)).toMatch(/Harbour Lights\s*ann/);
    expect(log.mock.calls).toEqual([["a new track:", "Harbour Lights"]]);
    expect(sockets).toHaveLength(1);
    end?.();
    vi.advanceTimersByTime(1);
    expect(sockets[0]?.closed).toMatchObject({ code: 1000 });
  },
);

test.each(named(snippets.filter((one) => !isPage(one))))(
  "%s follows a room",
  async (_, snippet) => {
    const end = await show[snippet.language]?.(snippet, { id: "42" });
    expect(document.body.innerHTML).toMatch(/class="connecting"[^>]*>…/);
    await textAfter(snapshot(41), inRoom({ topic: "Harbours" }));
    expect(document.body.innerHTML).toMatch(/class="live"[^>]*>Harbours/);
    end?.();
    vi.advanceTimersByTime(1);
  },
);

test.each(named(snippets.filter(({ code }) => code.includes(QUERIES))))(
  "%s keeps the cache in step",
  async (_, snippet) => {
    const played = ["Slow Comet"];
    vi.stubGlobal("fetch", async () => ({ json: async () => [...played] }));
    const end = await show[snippet.language]?.(snippet, {});
    const before = await textAfter(snapshot(41, { radio: { track: "Slow Comet" } }));
    expect(before).toBe("Slow CometSlow Comet");
    played.push("Harbour Lights");
    expect(await textAfter(started)).toBe("Harbour LightsSlow Comet, Harbour Lights");
    end?.();
    vi.advanceTimersByTime(1);
    expect(sockets[0]?.closed).toMatchObject({ code: 1000 });
    vi.clearAllTimers();
  },
);
