/** The sockets that a page opens, whose relay the test plays. To be set up before each test and torn down after it. */

import { expect, vi } from "vitest";
import { FakeSocket } from "./fake_socket.js";

export const URL_OF_RELAY = "ws://h/ws/sync";
export const sockets: FakeSocket[] = [];

class PageSocket extends FakeSocket {
  constructor(url: string, protocols?: readonly string[]) {
    super(url, protocols);
    sockets.push(this);
  }
}

export function setUpSockets(): void {
  vi.useFakeTimers();
  vi.stubGlobal("WebSocket", PageSocket);
}

/** After all that used them is gone. */
export function tearDownSockets(): void {
  vi.runAllTimers();
  expect(openSockets(), "sockets left open").toEqual([]);
  sockets.length = 0;
  vi.useRealTimers();
  vi.unstubAllGlobals();
}

export function openSockets(): FakeSocket[] {
  return sockets.filter(({ closed }) => closed === null);
}

/** The relay accepts the socket that is open and sends. */
export function relaySays(...messages: object[]): void {
  const [socket] = openSockets();
  if (!socket) throw new Error("no open socket");
  socket.accept().tell(...messages);
}

/** What the client has asked for since this was asked last. */
export function asked(): string[] {
  const said = (openSockets()[0]?.said ?? []) as { type: string; channel: string }[];
  return said.map(({ type, channel }) => `${type.replace("sync:", "")} ${channel}`);
}
