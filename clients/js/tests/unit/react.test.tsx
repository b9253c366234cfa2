// @vitest-environment happy-dom

import { act, type ReactNode, StrictMode } from "react";
import { renderToString } from "react-dom/server";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { SyncEvent } from "../../src/message.js";
import type { Options } from "../../src/options.js";
import { createSync, SyncProvider, useSync, useSyncEvent, useSyncState } from "../../src/react.js";
import {
  openSockets,
  page,
  relaySends,
  render,
  setUp,
  sockets,
  tearDown,
  URL_OF_RELAY,
} from "../fakes/react_page.js";
import { event, snapshot } from "../fakes/relay_message.js";

beforeEach(setUp);

afterEach(tearDown);

function Status({ url }: { url?: string }): ReactNode {
  const { status, error } = useSync(url);
  return <i>{error ? error.reason : status}</i>;
}

const renders = new Map<string, number>();

function Value({ name, url }: { name: string; url?: string }): ReactNode {
  renders.set(name, (renders.get(name) ?? 0) + 1);
  return <b>{JSON.stringify(useSyncState(name, url)) ?? "none"}</b>;
}

function Whole(): ReactNode {
  const { status, state } = useSync<{ radio: { track: number } }>(URL_OF_RELAY);
  return `${status} ${state.radio?.track ?? "-"}`;
}

function Ticks({ listener }: { listener: (data: number, event: SyncEvent<number>) => void }) {
  useSyncEvent("tick", listener, URL_OF_RELAY);
  return null;
}

test("useSync connects and shows status and state", () => {
  render(<Whole />);
  expect(page.textContent).toBe("connecting -");
  relaySends(snapshot(41, { radio: { track: 7 } }));
  expect(page.textContent).toBe("live 7");
  relaySends(event(42, "sync:merge", { radio: { track: 8 } }));
  expect(page.textContent).toBe("live 8");
  act(() => openSockets()[0]?.end());
  expect(page.textContent).toBe("offline 8");
});

test("components below a provider share its connection", () => {
  render(
    <SyncProvider url={URL_OF_RELAY}>
      <Status />
      <Value name="radio" />
      <Value name="comparison" />
    </SyncProvider>,
  );
  expect(sockets).toHaveLength(1);
  relaySends(snapshot(41, { radio: 1, comparison: [2] }));
  expect(page.innerHTML).toBe("<i>live</i><b>1</b><b>[2]</b>");
});

test("a component renders again only for its own key", () => {
  render(
    <SyncProvider url={URL_OF_RELAY}>
      <Value name="quiet" />
      <Value name="busy" />
    </SyncProvider>,
  );
  relaySends(snapshot(41, { quiet: { a: 1 }, busy: 0 }));
  renders.clear();
  for (let seq = 42; seq < 52; seq += 1) relaySends(event(seq, "sync:set", { busy: seq }));
  relaySends(snapshot(99, { quiet: { a: 1 }, busy: 99 }, { skipped: 47 }));
  expect(renders.get("quiet")).toBeUndefined();
  expect(renders.get("busy")).toBe(11);
});

test("a url in place of a provider works for each hook and shares the connection", () => {
  render(
    <>
      <Status url={URL_OF_RELAY} />
      <Value name="radio" url={URL_OF_RELAY} />
    </>,
  );
  expect(sockets).toHaveLength(1);
  relaySends(snapshot(41, { radio: 1 }));
  expect(page.innerHTML).toBe("<i>live</i><b>1</b>");
});

test("useSyncEvent calls the listener of the last render", () => {
  const heard: string[] = [];
  const listen =
    (name: string) =>
    (data: number, { seq }: { seq: number }) => {
      heard.push(`${name} ${data} ${seq}`);
    };
  render(<Ticks listener={listen("first")} />);
  relaySends(snapshot(41), event(42, "tick", 1));
  render(<Ticks listener={listen("second")} />);
  relaySends(event(43, "tick", 2), event(44, "other", 3));
  expect(heard).toEqual(["first 1 42", "second 2 43"]);
  expect(sockets).toHaveLength(1);
});

test("StrictMode's double effects leave one connection open", () => {
  render(
    <StrictMode>
      <SyncProvider url={URL_OF_RELAY}>
        <Value name="radio" />
      </SyncProvider>
    </StrictMode>,
  );
  act(() => vi.advanceTimersByTime(10));
  expect(sockets).toHaveLength(1);
  relaySends(snapshot(41, { radio: 1 }));
  expect(page.textContent).toBe("1");
});

test("hooks with types are the same hooks", () => {
  const typed = createSync<{ radio: number }, { tick: number }>();
  const heard: number[] = [];
  function Typed(): ReactNode {
    typed.useSyncEvent("tick", (data) => heard.push(data));
    return `${typed.useSync().status} ${typed.useSyncState("radio")}`;
  }
  render(
    <typed.SyncProvider url={URL_OF_RELAY}>
      <Typed />
    </typed.SyncProvider>,
  );
  relaySends(snapshot(41, { radio: 1 }), event(42, "tick", 7));
  expect(page.textContent).toBe("live 1");
  expect(heard).toEqual([7]);
  expect(sockets).toHaveLength(1);
});

test.each([true, false])("coming and going fast leaves nothing open (strict: %s)", (isStrict) => {
  const tree = (
    <SyncProvider url={URL_OF_RELAY}>
      <Status />
      <Whole />
      <Ticks listener={() => {}} />
    </SyncProvider>
  );
  for (let count = 0; count < 20; count += 1) {
    render(isStrict ? <StrictMode>{tree}</StrictMode> : tree);
    expect(openSockets()).toHaveLength(1);
    render(null);
    if (count % 2 === 0) act(() => vi.advanceTimersByTime(1));
  }
  act(() => vi.advanceTimersByTime(1));
  expect(openSockets()).toEqual([]);
  act(() => vi.advanceTimersByTime(3_600_000));
  expect(openSockets()).toEqual([]);
});

test("the last component to go closes the connection", () => {
  render(<Status url={URL_OF_RELAY} />);
  render(null);
  act(() => vi.advanceTimersByTime(1));
  expect(sockets[0]?.closed).toEqual({ code: 1000, reason: "" });
});

test("components that replace each other keep the connection", () => {
  render(<Status key="one" url={URL_OF_RELAY} />);
  relaySends(snapshot(41));
  render(<Status key="two" url={URL_OF_RELAY} />);
  act(() => vi.advanceTimersByTime(10));
  expect(page.textContent).toBe("live");
  expect(sockets).toHaveLength(1);
});

test("another url is another connection, and the old one is closed", () => {
  render(<Value name="radio" url={URL_OF_RELAY} />);
  relaySends(snapshot(41, { radio: 1 }));
  render(<Value name="radio" url="ws://other/ws/sync" />);
  act(() => vi.advanceTimersByTime(1));
  expect(page.textContent).toBe("none");
  expect(openSockets().map(({ url }) => url.split("&")[0])).toEqual([
    "ws://other/ws/sync?heartbeat=4",
  ]);
});

test("another key is another value of the same connection", () => {
  render(<Value name="a" url={URL_OF_RELAY} />);
  relaySends(snapshot(41, { a: 1, b: 2 }));
  render(<Value name="b" url={URL_OF_RELAY} />);
  expect(page.textContent).toBe("2");
  relaySends(event(42, "sync:set", { b: 3 }));
  expect(page.textContent).toBe("3");
  expect(sockets).toHaveLength(1);
});

test("a refusal is shown", () => {
  const onError = vi.fn();
  render(
    <SyncProvider url={URL_OF_RELAY} options={{ onError }}>
      <Status />
    </SyncProvider>,
  );
  act(() => openSockets()[0]?.accept().end(1008, "not you"));
  expect(page.textContent).toBe("not you");
  expect(onError).toHaveBeenCalledTimes(1);
  sockets[0]?.close();
});

function Asking({ options, children }: { options: Options; children?: ReactNode }): ReactNode {
  useSync(URL_OF_RELAY, options);
  return children;
}

test("options of a provider are those of the connection that its children use", () => {
  render(
    <SyncProvider url={URL_OF_RELAY} options={{ heartbeat: 20 }}>
      <Status />
    </SyncProvider>,
  );
  expect(openSockets()[0]?.parameters).toEqual({ heartbeat: "20" });
});

test("options that come too late are complained about once", () => {
  const said = vi.spyOn(console, "error").mockReturnValue();
  const tree = () => (
    <Asking options={{ heartbeat: 20, onError: () => {} }}>
      <Status url={URL_OF_RELAY} />
      <Asking options={{ heartbeat: 20 }} />
    </Asking>
  );
  render(tree());
  render(tree());
  expect(openSockets()[0]?.parameters).toEqual({ heartbeat: "4" });
  expect(said).toHaveBeenCalledTimes(2); // heartbeat, then onError
  expect(said.mock.calls[0]?.join(" ")).toContain(`heartbeat of a later user of ${URL_OF_RELAY}`);
  expect(said.mock.calls[1]?.join(" ")).toContain("onError of a later user");
  said.mockRestore();
});

test("users that ask for the same options, or for none, are fine", () => {
  const said = vi.spyOn(console, "error").mockReturnValue();
  render(
    <>
      <Asking options={{ heartbeat: 20, onError: () => {} }} />
      <Asking options={{ heartbeat: 20, onError: () => {} }} />
      <Status url={URL_OF_RELAY} />
    </>,
  );
  expect(said).not.toHaveBeenCalled();
  said.mockRestore();
});

test("without a url and a provider the error says what is missing", () => {
  const quiet = vi.spyOn(console, "error").mockReturnValue();
  expect(() => render(<Value name="radio" />)).toThrow("pass a url, or render a <SyncProvider>");
  quiet.mockRestore();
});

test("on a server it renders what is shown before the connection, and opens none", () => {
  const html = renderToString(
    <SyncProvider url={URL_OF_RELAY}>
      <Status />
      <Value name="radio" />
    </SyncProvider>,
  );
  expect(html).toBe("<i>connecting</i><b>none</b>");
  expect(sockets).toEqual([]);
});
