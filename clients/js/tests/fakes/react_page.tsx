/** A page for React, at a relay that the test plays. To be set up before each test and torn down after it. */

import { act, type ReactNode } from "react";
import { createRoot, type Root } from "react-dom/client";
import { expect, vi } from "vitest";
import { FakeSocket } from "./fake_socket.js";

export const URL_OF_RELAY = "ws://h/ws/sync";
export const sockets: FakeSocket[] = [];
let root: Root;
export let page: HTMLElement;

class PageSocket extends FakeSocket {
  constructor(url: string, protocols?: readonly string[]) {
    super(url, protocols);
    sockets.push(this);
  }
}

export function setUp(): void {
  vi.useFakeTimers();
  vi.stubGlobal("WebSocket", PageSocket);
  vi.stubGlobal("IS_REACT_ACT_ENVIRONMENT", true);
  page = document.createElement("main");
  root = createRoot(page);
}

export function tearDown(): void {
  act(() => root.unmount());
  vi.runAllTimers();
  expect(openSockets(), "sockets left open").toEqual([]);
  sockets.length = 0;
  vi.useRealTimers();
  vi.unstubAllGlobals();
}

export function render(node: ReactNode): void {
  act(() => root.render(node));
}

export function openSockets(): FakeSocket[] {
  return sockets.filter(({ closed }) => closed === null);
}

/** The relay accepts the socket that is open and sends. */
export function relaySends(...messages: object[]): void {
  const [socket] = openSockets();
  if (!socket) throw new Error("no open socket");
  act(() => void socket.accept().tell(...messages));
}
