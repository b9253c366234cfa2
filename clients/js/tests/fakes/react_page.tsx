/** A page for React, at a relay that the test plays. To be set up before each test and torn down after it. */

import { act, type ReactNode } from "react";
import { createRoot, type Root } from "react-dom/client";
import { vi } from "vitest";
import { relaySays, setUpSockets, tearDownSockets } from "./page_sockets.js";

export { openSockets, sockets, URL_OF_RELAY } from "./page_sockets.js";

let root: Root;
export let page: HTMLElement;

export function setUp(): void {
  setUpSockets();
  vi.stubGlobal("IS_REACT_ACT_ENVIRONMENT", true);
  page = document.createElement("main");
  root = createRoot(page);
}

export function tearDown(): void {
  act(() => root.unmount());
  tearDownSockets();
}

export function render(node: ReactNode): void {
  act(() => root.render(node));
}

export function relaySends(...messages: object[]): void {
  act(() => relaySays(...messages));
}
