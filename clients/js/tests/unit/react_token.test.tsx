// @vitest-environment happy-dom
/** A provider's token. */

import { act, type ReactNode, StrictMode } from "react";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { SyncProvider, useSync } from "../../src/react.js";
import type { TokenSource } from "../../src/token.js";
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
import { snapshot } from "../fakes/relay_message.js";

beforeEach(setUp);

afterEach(tearDown);

function Status(): ReactNode {
  const { status, error } = useSync();
  return error ? error.reason : status;
}

function tree(token: TokenSource | undefined, onError = (_: unknown) => {}): ReactNode {
  return (
    <SyncProvider url={URL_OF_RELAY} token={token} options={{ heartbeat: 20, onError }}>
      <Status />
    </SyncProvider>
  );
}

/** Time passes, and what is awaited comes. */
async function pass(milliseconds = 0): Promise<void> {
  await act(() => vi.advanceTimersByTimeAsync(milliseconds));
}

test("a text is what the connection is opened with, beside the options", () => {
  render(tree("a.b.c"));
  expect(openSockets()[0]?.protocols).toEqual(["syncrelay", "token.a.b.c"]);
  expect(openSockets()[0]?.parameters).toEqual({ heartbeat: "20" });
});

test("without one there is none", () => {
  render(tree(undefined));
  expect(openSockets()[0]?.protocols).toBeUndefined();
});

test("another function in each render keeps the connection, and the last one is called for the next", async () => {
  const called: string[] = [];
  const token = (name: string) => async () => {
    called.push(name);
    return `a.b.${name}`;
  };
  render(<StrictMode>{tree(token("first"))}</StrictMode>);
  await pass();
  relaySends(snapshot(41));
  render(<StrictMode>{tree(token("second"))}</StrictMode>);
  render(<StrictMode>{tree(token("third"))}</StrictMode>);
  await pass(1);
  expect(page.textContent).toBe("live");
  expect(sockets).toHaveLength(1);
  act(() => openSockets()[0]?.end());
  sockets[0]?.close();
  await pass(300);
  expect(called).toEqual(["first", "third"]);
  expect(openSockets()[0]?.protocols).toEqual(["syncrelay", "token.a.b.third"]);
});

test("a function that the last render gives no more is a failed attempt", async () => {
  const onError = vi.fn();
  render(tree(() => "a.b.c", onError));
  await pass();
  relaySends(snapshot(41));
  render(tree(undefined, onError));
  act(() => openSockets()[0]?.end());
  sockets[0]?.close();
  await pass(300);
  expect(onError.mock.calls[0]?.[0]).toBeInstanceOf(TypeError);
  expect(openSockets()).toEqual([]);
});

test("a text that is refused is shown", () => {
  render(tree("a.b.c"));
  act(() => openSockets()[0]?.accept().end(4401, "token_expired"));
  expect(page.textContent).toBe("token_expired");
  sockets[0]?.close();
});

test("components that share a connection and bring another token are told, and not which", () => {
  const said = vi.spyOn(console, "error").mockReturnValue();
  const Asking = ({ token }: { token: string }) => useSync(URL_OF_RELAY, { token }).status;
  render([<Asking key="1" token="a.b.c" />, <Asking key="2" token="d.e.f" />]);
  expect(said.mock.calls.join()).toContain(`token of a later user of ${URL_OF_RELAY}`);
  expect(said.mock.calls.join()).not.toMatch(/a\.b\.c|d\.e\.f/);
  said.mockRestore();
});
