// @vitest-environment happy-dom
/** The client on a page: the globals that it finds there, and those that it does without. */

import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { type Client, connect } from "../../src/index.js";
import { FakeSocket } from "../fakes/fake_socket.js";
import { snapshot } from "../fakes/relay_message.js";

const sockets: FakeSocket[] = [];
const clients: Client[] = [];

class PageSocket extends FakeSocket {
  constructor(url: string) {
    super(url);
    if (!url.startsWith("ws")) throw new SyntaxError(`not an address: ${url}`);
    sockets.push(this);
  }
}

function open(...args: Parameters<typeof connect>): Client {
  const client = connect(...args);
  clients.push(client);
  return client;
}

function setVisibility(state: DocumentVisibilityState): void {
  vi.spyOn(document, "visibilityState", "get").mockReturnValue(state);
  document.dispatchEvent(new Event("visibilitychange"));
}

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal("WebSocket", PageSocket);
});

afterEach(() => {
  for (const client of clients.splice(0)) client.close();
  sockets.length = 0;
  vi.useRealTimers();
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

test("it takes the global WebSocket and retries by the global timers", () => {
  const client = open("ws://h/ws/sync");
  sockets[0]?.end();
  vi.advanceTimersByTime(500);
  sockets[1]?.accept().tell(snapshot(41, { radio: 1 }));
  expect(client.state).toEqual({ radio: 1 });
  expect(client.status).toBe("live");
});

test("the class in the options comes first", () => {
  class Other extends FakeSocket {}
  open("ws://h/ws/sync", { WebSocket: Other });
  expect(sockets).toEqual([]);
});

test("without any WebSocket the error says what to do", () => {
  vi.stubGlobal("WebSocket", undefined);
  expect(() => connect("ws://h/ws/sync")).toThrow("pass one: connect(url, { WebSocket })");
});

test("an address that is none is the caller's error, and leaves nothing behind", () => {
  expect(() => connect("nonsense")).toThrow(SyntaxError);
  window.dispatchEvent(new Event("online"));
  vi.advanceTimersByTime(1_000_000);
  expect(sockets).toEqual([]);
});

test("coming online tries at once", () => {
  open("ws://h/ws/sync");
  sockets[0]?.end();
  window.dispatchEvent(new Event("online"));
  expect(sockets).toHaveLength(2);
});

test("becoming visible tries at once, becoming hidden does not", () => {
  open("ws://h/ws/sync");
  sockets[0]?.end();
  setVisibility("hidden");
  expect(sockets).toHaveLength(1);
  setVisibility("visible");
  expect(sockets).toHaveLength(2);
});

test("a live connection is asked for a sign of life when the page is seen or comes online", () => {
  open("ws://h/ws/sync");
  sockets[0]?.accept().tell(snapshot(41));
  const asked = () => sockets[0]?.asked.splice(0).length;
  expect(asked()).toBe(1); // whether the relay answers at all
  setVisibility("hidden");
  expect(asked()).toBe(0);
  setVisibility("visible");
  expect(asked()).toBe(1);
  window.dispatchEvent(new Event("online"));
  expect(asked()).toBe(1);
  expect(sockets).toHaveLength(1);
});

test("a closed client leaves nothing listening on the page", () => {
  const listening = new Set<unknown>();
  for (const target of [window, document]) {
    vi.spyOn(target, "addEventListener").mockImplementation((_, listener) => {
      listening.add(listener);
    });
    vi.spyOn(target, "removeEventListener").mockImplementation((_, listener) => {
      listening.delete(listener);
    });
  }
  const client = open("ws://h/ws/sync");
  expect(listening.size).toBe(2);
  client.close();
  expect(listening.size).toBe(0);
});

test("a source of wakes that does not stop wakes no closed client", () => {
  const wakers: (() => void)[] = [];
  const wakeOn = (wake: () => void) => {
    wakers.push(wake);
    return () => {};
  };
  open("ws://h/ws/sync", { wakeOn }).close();
  vi.advanceTimersByTime(3_600_000);
  wakers[0]?.();
  expect(sockets).toHaveLength(1);
});

test("another source of wakes takes the page's place", () => {
  const wakers: (() => void)[] = [];
  const wakeOn = (wake: () => void) => {
    wakers.push(wake);
    return () => void wakers.pop();
  };
  const client = open("ws://h/ws/sync", { wakeOn });
  sockets[0]?.end();
  window.dispatchEvent(new Event("online"));
  expect(sockets).toHaveLength(1);
  wakers[0]?.();
  expect(sockets).toHaveLength(2);
  client.close();
  expect(wakers).toEqual([]);
});

test("errors go to the console, or to onError alone", () => {
  const logged = vi.spyOn(console, "error").mockReturnValue();
  const caught: unknown[] = [];
  open("ws://h/ws/sync");
  sockets[0]?.accept().tell("hello");
  expect(logged).toHaveBeenCalledTimes(1);
  open("ws://h/ws/sync", { onError: (error) => caught.push(error) });
  sockets[1]?.accept().tell("hello");
  expect(logged).toHaveBeenCalledTimes(1);
  expect(caught).toHaveLength(1);
});

test("a lost connection is no error: it says nothing on the console", () => {
  const logged = vi.spyOn(console, "error");
  open("ws://h/ws/sync");
  sockets[0]?.end();
  vi.advanceTimersByTime(500);
  sockets[1]?.end(1013);
  expect(logged).not.toHaveBeenCalled();
});

test("a platform without a page or events has none to hear", () => {
  vi.stubGlobal("document", undefined);
  vi.stubGlobal("addEventListener", undefined);
  vi.stubGlobal("removeEventListener", undefined);
  const client = open("ws://h/ws/sync");
  sockets[0]?.accept().tell(snapshot(41));
  expect(client.status).toBe("live");
  client.close();
});
