import type { Socket, SocketClose } from "../../src/socket.js";
import { ping } from "./relay_message.js";

type Listener = (event: unknown) => void;

/** The client's side of a connection whose relay is played by the test. */
export class FakeSocket implements Socket {
  /** How the client closed it; null while it has not. */
  closed: SocketClose | null = null;
  /** What the client sent. */
  readonly asked: string[] = [];
  /** Whether the relay answers the client's questions, as those of 0.2.0 and newer do. */
  answers = false;
  private heard = 0;
  private readonly listeners = new Map<string, Listener[]>();

  constructor(
    readonly url: string,
    readonly protocols?: readonly string[],
  ) {}

  addEventListener(type: string, listener: (event: never) => void): void {
    this.listeners.set(type, [...(this.listeners.get(type) ?? []), listener as Listener]);
  }

  /** The client sends. */
  send(text: string): void {
    this.asked.push(text);
    if (this.answers) this.tell(ping);
  }

  close(code = 1005, reason = ""): void {
    this.closed ??= { code, reason };
  }

  /** The relay accepts the connection. */
  accept(): this {
    this.dispatch("open", {});
    return this;
  }

  /** The relay tells messages; what is not text yet becomes JSON. */
  tell(...messages: readonly unknown[]): this {
    for (const message of messages) {
      const data = typeof message === "string" ? message : JSON.stringify(message);
      this.dispatch("message", { data });
    }
    return this;
  }

  tellBinary(data: ArrayBuffer): void {
    this.dispatch("message", { data });
  }

  /** It does not come about, and the platform says why. */
  fail(event: object): void {
    this.dispatch("error", event);
    this.dispatch("close", { code: 1006, reason: "" });
  }

  /** The connection ends from the other side. */
  end(code = 1006, reason = ""): void {
    if (code === 1006) this.dispatch("error", {});
    this.dispatch("close", { code, reason });
  }

  /** What the address asks for. The session is there always, and left out. */
  get parameters(): Record<string, string> {
    const { session: _, ...asked } = Object.fromEntries(new URL(this.url).searchParams);
    return asked;
  }

  /** What the client calls itself. */
  get session(): string | null {
    return new URL(this.url).searchParams.get("session");
  }

  /** The channels that the address asks for, as they stand there. */
  get channels(): string[] {
    return new URL(this.url).searchParams.getAll("channel");
  }

  /** What the client sent since this was asked last, questions for a sign of life left out. */
  get said(): unknown[] {
    const said = this.asked.slice(this.heard).map((text) => JSON.parse(text));
    this.heard = this.asked.length;
    return said.filter(({ type }) => type !== "sync:ping");
  }

  private dispatch(type: string, event: unknown): void {
    for (const listener of this.listeners.get(type) ?? []) listener(event);
  }
}
