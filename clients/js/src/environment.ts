import type { Options, WakeSource } from "./options.js";
import type { Socket, SocketConstructor } from "./socket.js";

/** All that the client asks of the world around it; tests bring their own and move its time. */
export interface Environment {
  readonly openSocket: (url: string, protocols?: string[]) => Socket;
  /** Milliseconds on a clock that never jumps. */
  readonly now: () => number;
  /** Milliseconds since 1970 on the local clock. */
  readonly date: () => number;
  /** From 0 up to 1. */
  readonly random: () => number;
  /** A word that nobody has had before, and that nobody guesses: letters and digits. */
  readonly token: () => string;
  /** Runs `action` once, `delay` milliseconds from now. Returns how to cancel it. */
  readonly schedule: (action: () => void, delay: number) => () => void;
  readonly wakeOn: WakeSource;
  readonly report: (error: unknown) => void;
}

/** The globals that are used where they exist; none of the platforms has all of them. */
interface Host {
  readonly WebSocket?: SocketConstructor;
  readonly performance: { now(): number };
  readonly crypto?: { getRandomValues?(bytes: Uint8Array): Uint8Array };
  readonly console: { error(...words: unknown[]): void };
  readonly document?: EventSource & { readonly visibilityState: string };
  readonly addEventListener?: EventSource["addEventListener"];
  readonly removeEventListener?: EventSource["removeEventListener"];
  setTimeout(action: () => void, delay: number): unknown;
  clearTimeout(timer: unknown): void;
}

interface EventSource {
  addEventListener(type: string, listener: () => void): void;
  removeEventListener(type: string, listener: () => void): void;
}

// The one place where globals are touched.
const host = globalThis as unknown as Host;

/** The platform that this runs on, as far as `options` do not replace it. */
export function platform(options: Options): Environment {
  return {
    openSocket: (...address) => new (options.WebSocket ?? globalWebSocket())(...address),
    now: () => host.performance.now(),
    date: () => Date.now(),
    random: () => Math.random(),
    token,
    schedule,
    wakeOn: options.wakeOn ?? wakeOnPage,
    report: options.onError ?? complain,
  };
}

/** Tells the console what a developer should know. */
export function complain(problem: unknown): void {
  host.console.error("syncrelay:", problem);
}

/** Whether there is a page, as there is none on a server. */
export function hasPage(): boolean {
  return host.document !== undefined;
}

export function schedule(action: () => void, delay: number): () => void {
  const timer = host.setTimeout(action, delay);
  return () => host.clearTimeout(timer);
}

/** 96 bits; by `Math.random` where the platform has nothing better, as React Native. */
function token(): string {
  const zeros = new Uint8Array(12);
  const bytes =
    host.crypto?.getRandomValues?.(zeros) ?? zeros.map(() => Math.floor(Math.random() * 256));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function globalWebSocket(): SocketConstructor {
  if (host.WebSocket) return host.WebSocket;
  throw new Error("there is no global WebSocket here; pass one: connect(url, { WebSocket })");
}

/** The browser comes online, the page becomes visible; nothing where there is no page. */
function wakeOnPage(wake: () => void): () => void {
  const { document } = host;
  const wakeWhenVisible = () => {
    if (document?.visibilityState === "visible") wake();
  };
  host.addEventListener?.("online", wake);
  document?.addEventListener("visibilitychange", wakeWhenVisible);
  return () => {
    host.removeEventListener?.("online", wake);
    document?.removeEventListener("visibilitychange", wakeWhenVisible);
  };
}
