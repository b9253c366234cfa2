/**
 * The relay's clock, seen from here. Each `ts` shows how far ahead the relay was when it wrote it, less
 * the time the message took; of one connection's messages the one that was quickest counts.
 */
export class ServerClock {
  /** Relay's time less local time, in milliseconds; null before the first message. */
  private lead: number | null = null;

  /** `now` is a local clock in milliseconds that never jumps; its zero does not matter. */
  constructor(private readonly now: () => number) {}

  /** Takes the first `ts` of a connection, in seconds. What was learned before counts no longer. */
  restart(ts: number): void {
    this.lead = ts * 1000 - this.now();
  }

  /** Takes the `ts` of a later message: it counts where it came quicker. */
  observe(ts: number): void {
    this.lead = Math.max(this.lead ?? -Infinity, ts * 1000 - this.now());
  }

  /** Milliseconds since 1970; null before the first message. */
  read(): number | null {
    return this.lead === null ? null : this.lead + this.now();
  }
}
