import type { Environment } from "./environment.js";
import { RequestError } from "./error.js";
import type { Answer } from "./message.js";
import { demand } from "./options.js";

const MOST = 1_000; // messages that may wait
const LARGEST = 4 * 1_024 * 1_024; // letters of all of them
const AT_ONCE = 16; // messages without an answer, and so many may be said in one moment
const PAUSE = 1_000; // ms after the relay has said that it was too fast; twice as long each time that it says so again
const LONGEST_PAUSE = 10_000;
const LATER = ["rate_limited", "storage_uncertain", "cluster_unavailable"]; // codes: the same again, later
const LONE_SURROGATE = /(?:^|[^\\])(?:\\\\)*\\ud[89a-f]/; // as JSON.stringify writes one, and nothing else

export interface SendOptions {
  /** Milliseconds after which it is given up with `timeout`. Without it: never, as long as the client is there. */
  readonly timeout?: number | undefined;
}

interface Item {
  readonly text: string;
  readonly isForBackend: boolean;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
  readonly cancelTimer: () => void;
  isOnItsWay: boolean;
  /** Who the client was when it was first said; null: nobody. Undefined: it has not been said. */
  author: string | null | undefined;
}

/** What the outbox needs of the client. */
export interface Desk {
  /** The identity that the relay knows, or is about to hear; null: none. */
  readonly author: () => string | null;
  /** Whether a token says so, on each connection from its start. */
  readonly isGiven: () => boolean;
  /** There is something to say, after there was nothing. */
  readonly need: () => void;
}

/**
 * What the client says and the relay has not answered, in its order. Each message has a `ref` for good: one whose answer
 * was lost with the connection is said again under it, and the relay takes it once. It keeps below the relay's bound:
 * no more than 16 without an answer, in any time 16 and `rate` a second, so that a relay that allows 20 a second
 * and 40 at once never refuses one. Where it allows less, it says so (`rate_limited`): the outbox pauses, says that
 * message again, and goes on at half the rate with one message at a time until the connection ends, so that
 * their order holds.
 */
export class Outbox {
  private readonly items = new Map<string, Item>(); // by ref
  private count = 0;
  private letters = 0;
  private onTheirWay = 0;
  private send: ((text: string) => void) | null = null; // null: not connected
  private over: string | null = null; // why nothing is said any more
  private hasBackend = false; // it has taken a message
  private rate = 0; // a second, on this connection
  private window = AT_ONCE;
  private allowance = AT_ONCE;
  private countedAt = 0;
  private pause = PAUSE;
  private pausedUntil = 0;
  private cancelTimer = () => {};

  /** `session` begins each ref; `fastest` is the rate, in messages a second. */
  constructor(
    private readonly session: string,
    private readonly fastest: number,
    private readonly environment: Environment,
    private readonly desk: Desk,
  ) {}

  get isEmpty(): boolean {
    return this.items.size === 0;
  }

  /** A ref that has not been given before. */
  ref(): string {
    this.count += 1;
    return `${this.session}-${this.count}`;
  }

  /** Says a message when its turn comes. Resolves when the relay has taken it; rejects with RequestError. */
  say(
    message: { readonly type: string; readonly [member: string]: unknown },
    { timeout }: SendOptions,
  ): Promise<void> {
    return new Promise((resolve, reject) => {
      if (timeout !== undefined) demand("timeout", timeout, 1, 86_400_000);
      const ref = this.ref();
      const text = JSON.stringify({ ref, ...message });
      demandWhole(text);
      this.demandRoom(text.length);
      const cancelTimer = this.limit(ref, timeout);
      const isForBackend = message.type !== "sync:publish";
      const state = { isForBackend, isOnItsWay: false, author: undefined };
      this.items.set(ref, { text, resolve, reject, cancelTimer, ...state });
      this.letters += text.length;
      this.pump();
      if (!this.send) this.desk.need();
    });
  }

  /**
   * A connection is open, and nobody has been told who this is: says again what was said by nobody before, which
   * the relay would not know again by its ref once it came from somebody. Where a token has told, it is given up.
   */
  begin(send: (text: string) => void): void {
    this.rate = this.fastest;
    this.window = AT_ONCE;
    this.allowance = AT_ONCE;
    this.countedAt = this.environment.now();
    this.pause = PAUSE;
    this.pausedUntil = 0;
    if (this.desk.author() !== null) {
      for (const [ref, item] of this.items) if (item.author === null) this.repeat(ref, item, send);
    }
    this.send = send;
  }

  /** All else may be said, too. */
  pump(): void {
    this.cancelTimer();
    const { send } = this;
    if (!send) return;
    for (const item of this.items.values()) {
      if (item.isOnItsWay) continue;
      if (this.onTheirWay >= this.window) return; // an answer will come
      const wait = this.wait();
      if (wait > 0) {
        this.cancelTimer = this.environment.schedule(() => this.pump(), wait);
        return;
      }
      this.transmit(item, send);
    }
  }

  /** The connection is gone, and with it what was on its way, or the answers. */
  lose(): void {
    this.cancelTimer();
    this.send = null;
    this.onTheirWay = 0;
    for (const item of this.items.values()) item.isOnItsWay = false;
  }

  /** Answers to what is not waited for any more are fine. */
  take(answer: Answer): void {
    const item = this.items.get(answer.ref);
    if (!item) return;
    if (answer.kind === "taken") {
      this.pause = PAUSE;
      this.hasBackend ||= item.isForBackend;
      this.settle(answer.ref, null);
    } else if (this.isForLater(answer.code)) this.slowDown(item);
    else this.settle(answer.ref, new RequestError(answer.code, answer.message));
    this.pump();
  }

  /** The relay has hung up on a message that was too large: the largest that was on its way, or it would not be. */
  takeTooLarge(): void {
    const sent = [...this.items].filter(([, { isOnItsWay }]) => isOnItsWay);
    const [largest] = sent.sort(([, left], [, right]) => right.text.length - left.text.length);
    const reason = "more than the relay's --max-client-message";
    if (largest) this.settle(largest[0], new RequestError("message_too_large", reason));
  }

  /** Nothing is said any more; `reason` says why. */
  end(reason: string): void {
    this.over ??= reason;
    this.lose();
    for (const ref of [...this.items.keys()]) this.settle(ref, new RequestError("closed", reason));
  }

  /** A relay that began anew knows of no backend before that has asked it for messages. */
  private isForLater(code: string): boolean {
    return LATER.includes(code) || (code === "no_backend" && this.hasBackend);
  }

  /** Gives a message up in time. Returns how to cancel that. */
  private limit(ref: string, timeout: number | undefined): () => void {
    if (timeout === undefined) return () => {};
    const reason = "not acknowledged in time; it may have been taken all the same";
    const giveUp = () => {
      this.settle(ref, new RequestError("timeout", reason));
      this.pump();
    };
    return this.environment.schedule(giveUp, timeout);
  }

  private demandRoom(letters: number): void {
    if (this.over !== null) throw new RequestError("closed", this.over);
    if (this.items.size < MOST && this.letters + letters <= LARGEST) return;
    const reason = `${this.items.size} messages of ${this.letters} letters wait for the relay already`;
    throw new RequestError("outbox_full", reason);
  }

  private repeat(ref: string, item: Item, send: (text: string) => void): void {
    const reason = "said before a token named you; it may have been taken all the same";
    if (this.desk.isGiven()) this.settle(ref, new RequestError("identity_changed", reason));
    else this.transmit(item, send);
  }

  private transmit(item: Item, send: (text: string) => void): void {
    if (item.author === undefined) item.author = this.desk.author();
    item.isOnItsWay = true;
    this.onTheirWay += 1;
    this.allowance -= 1;
    send(item.text);
  }

  /** Milliseconds until the next may be said. */
  private wait(): number {
    const now = this.environment.now();
    const gained = ((now - this.countedAt) / 1_000) * this.rate;
    this.allowance = Math.min(AT_ONCE, this.allowance + gained);
    this.countedAt = now;
    const missing = this.allowance >= 1 ? 0 : Math.ceil(((1 - this.allowance) / this.rate) * 1_000);
    return Math.max(missing, this.pausedUntil - now);
  }

  /** Others that were on their way with it are refused, too: one pause for all of them. */
  private slowDown(item: Item): void {
    if (item.isOnItsWay) this.onTheirWay -= 1;
    item.isOnItsWay = false;
    const now = this.environment.now();
    if (now < this.pausedUntil) return;
    this.pausedUntil = now + this.pause;
    this.pause = Math.min(2 * this.pause, LONGEST_PAUSE);
    this.rate = Math.max(1, this.rate / 2);
    this.window = 1;
  }

  private settle(ref: string, error: RequestError | null): void {
    const item = this.items.get(ref);
    if (!item) return;
    this.items.delete(ref);
    this.letters -= item.text.length;
    if (item.isOnItsWay) this.onTheirWay -= 1;
    item.cancelTimer();
    if (error) item.reject(error);
    else item.resolve();
  }
}

function demandWhole(text: string): void {
  if (!LONE_SURROGATE.test(text)) return;
  throw new RequestError("lone_surrogate", "a string in it ends, or begins, within a character");
}
