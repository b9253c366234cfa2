/** Spans this long, in milliseconds, make up the window; one with a single message goes on until the next. */
const SPAN = 60_000;

/** The quickest of some messages that came one after another. */
interface Span {
  readonly since: number;
  readonly lead: number;
  readonly count: number;
}

/**
 * The relay's clock, seen from here. Each `ts` shows how far ahead the relay was when it wrote it, less
 * the time the message took; so of the messages in a window the quickest counts, and late ones drag
 * nothing. The window is the present span and the one before: one to two minutes, or two to four
 * messages where fewer came. So it follows what two clocks do that drift apart, that sleep, or that are
 * set. Two events whose `ts` goes down prove that the relay's clock was set back: all before is void.
 *
 * Rejected: the mean (delay has one sign only), and the local wall clock (it is set, too).
 */
export class ServerClock {
  private present: Span | null = null;
  private before: Span | null = null;
  private lastTs = -Infinity; // of the events since the greeting
  private isNew = true; // whether this connection has not greeted yet

  /** `now` is a local clock in milliseconds that is never set; its zero does not matter. */
  constructor(private readonly now: () => number) {}

  /** A new connection. */
  begin(): void {
    this.isNew = true;
  }

  /** Takes the `ts` of a channel's greeting or snapshot: the connection's first begins anew, later ones may be late. */
  greet(ts: number): void {
    if (this.isNew) this.restart(ts);
    else this.observe(ts);
    this.isNew = false;
  }

  /** Takes the first `ts` of a connection, in seconds. What was learned before counts no longer. */
  restart(ts: number): void {
    this.present = null;
    this.before = null;
    this.lastTs = -Infinity;
    this.observe(ts);
  }

  /** Takes the `ts` of a live event: one that was not in the log before the greeting. */
  observeEvent(ts: number): void {
    if (ts < this.lastTs) this.restart(ts);
    else this.observe(ts);
    this.lastTs = ts;
  }

  /** Takes the `ts` of any message: it counts where it came quicker than the others in the window. */
  observe(ts: number): void {
    const now = this.now();
    const sample: Span = { since: now, lead: ts * 1000 - now, count: 1 };
    if (!this.present || (now - this.present.since >= SPAN && this.present.count > 1)) {
      this.before = this.present;
      this.present = sample;
    } else {
      this.present = joined(this.present, sample);
    }
  }

  /** Milliseconds since 1970; null before the first message. */
  read(): number | null {
    if (!this.present) return null;
    return Math.max(this.present.lead, this.before?.lead ?? -Infinity) + this.now();
  }
}

function joined(span: Span, { lead }: Span): Span {
  return { since: span.since, lead: Math.max(span.lead, lead), count: span.count + 1 };
}
