import { WebSocket } from "ws";
import {
  type Client,
  ConnectError,
  connect,
  type Json,
  type Options,
  type Skipped,
  type SocketConstructor,
} from "../../src/index.js";

interface Tick {
  readonly number: number;
}

/** A client that writes down all that it is told. */
export class Witness {
  readonly client: Client<Record<string, Json>, { tick: Tick }>;
  readonly statuses: string[] = [];
  readonly seqs: number[] = [];
  readonly numbers: number[] = [];
  readonly skips: Skipped[] = [];
  /** But for what a platform says of an attempt while nobody is there. */
  readonly errors: unknown[] = [];
  /** Listens to the default channel no longer. */
  readonly stop: () => void;
  /** How many messages of each type came over the wire. */
  readonly messages = new Map<string, number>();

  constructor(url: string, options: Options = {}) {
    const fast = { WebSocket: this.tappedWebSocket(), retryFirst: 40, retryLongest: 200 };
    const onError = (error: unknown) => {
      if (!(error instanceof ConnectError)) this.errors.push(error);
    };
    this.client = connect(url, { ...fast, onError, ...options });
    this.client.onStatus((status) => this.statuses.push(status));
    const stops = [
      this.client.onSkipped((skipped) => this.skips.push(skipped)),
      this.client.on("tick", ({ number }, { seq }) => {
        this.numbers.push(number);
        this.seqs.push(seq);
      }),
    ];
    this.stop = () => {
      for (const end of stops) end();
    };
  }

  get isLive(): boolean {
    return this.client.status === "live";
  }

  /** Events that came neither as such nor in what was skipped; 0 when every one is accounted for. */
  get unaccounted(): number {
    const first = this.seqs[0] ?? 0;
    const last = this.seqs.at(-1) ?? 0;
    const skipped = this.skips.reduce((sum, { events }) => sum + (events ?? Number.NaN), 0);
    return last - first + 1 - this.seqs.length - skipped;
  }

  countOf(type: string): number {
    return this.messages.get(type) ?? 0;
  }

  private tappedWebSocket(): SocketConstructor {
    const count = (text: string) => {
      const { type }: { type: string } = JSON.parse(text);
      this.messages.set(type, this.countOf(type) + 1);
    };
    return class extends WebSocket {
      constructor(url: string, protocols?: string[]) {
        super(url, protocols);
        this.on("message", (data) => count(String(data)));
      }
    };
  }
}

/** The numbers from `first` to `last`. */
export function numbers(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}
