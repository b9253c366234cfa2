import type { Environment } from "../../src/environment.js";
import { FakeSocket } from "./fake_socket.js";

/** What a client calls itself in its addresses. */
export const SESSION = "5e5510";

interface Timer {
  readonly due: number;
  readonly action: () => void;
}

/** A world whose time stands still until the test moves it. */
export class FakeEnvironment implements Environment {
  readonly sockets: FakeSocket[] = [];
  readonly errors: unknown[] = [];
  /** Given by random() from now on. */
  chance = 0.5;
  /** Thrown by the next openSocket(). */
  failure: Error | null = null;
  private time = 5_000;
  private readonly timers = new Set<Timer>();
  private readonly wakers = new Set<() => void>();

  readonly openSocket = (url: string, protocols?: readonly string[]) => {
    const { failure } = this;
    this.failure = null;
    if (failure) throw failure;
    const socket = new FakeSocket(url, protocols);
    this.sockets.push(socket);
    return socket;
  };
  readonly now = () => this.time;
  readonly date = () => 1_000_000 + this.time;
  readonly random = () => this.chance;
  readonly token = () => SESSION;
  readonly schedule = (action: () => void, delay: number) => {
    const timer = { due: this.time + delay, action };
    this.timers.add(timer);
    return () => void this.timers.delete(timer);
  };
  readonly wakeOn = (wake: () => void) => {
    this.wakers.add(wake);
    return () => void this.wakers.delete(wake);
  };
  readonly report = (error: unknown) => void this.errors.push(error);

  /** The socket opened last. */
  get socket(): FakeSocket {
    const last = this.sockets.at(-1);
    if (last) return last;
    throw new Error("no socket has been opened");
  }

  /** Delay of the only timer that is set; null when none is. */
  get pendingDelay(): number | null {
    if (this.timers.size > 1) throw new Error(`${this.timers.size} timers are set`);
    const [timer] = this.timers;
    return timer ? timer.due - this.time : null;
  }

  get timerCount(): number {
    return this.timers.size;
  }

  get wakerCount(): number {
    return this.wakers.size;
  }

  /** Moves time on; what is due on the way happens in its order. */
  advance(milliseconds: number): void {
    const end = this.time + milliseconds;
    for (let next = this.nextTimer(end); next; next = this.nextTimer(end)) {
      this.timers.delete(next);
      this.time = Math.max(this.time, next.due);
      next.action();
    }
    this.time = end;
  }

  /** Time passes, and no timer runs: the machine sleeps, the page is frozen. */
  sleep(milliseconds: number): void {
    this.time += milliseconds;
  }

  /** The browser comes online, the page becomes visible. */
  wake(): void {
    for (const wake of this.wakers) wake();
  }

  private nextTimer(end: number): Timer | undefined {
    const due = [...this.timers].filter((timer) => timer.due <= end);
    return due.sort((left, right) => left.due - right.due)[0];
  }
}
