// Asks again and again at a calm rate: never while the page is hidden, never twice at a time, and less often where it fails.

const MOST_WAIT = 30_000; // ms between two attempts that fail

/** How long to wait after an attempt that took `took` ms: a relay that is busy is asked less often. */
export function pause({ every, took = 0, failures = 0 }) {
  const calm = Math.max(every, 10 * took);
  return Math.min(calm * 2 ** Math.min(failures, 10), Math.max(MOST_WAIT, every));
}

/** Calls `ask(signal)` every `every` ms from start() to stop(); `tell(error)` hears how it went, null when it went well. */
export class Poll {
  timer = 0;
  under = null; // AbortController of the attempt that is under way
  failures = 0;
  isOn = false;

  constructor(every, ask, tell) {
    Object.assign(this, { every, ask, tell });
    document.addEventListener("visibilitychange", () => this.isOn && !document.hidden && !this.under && this.now());
  }

  start() {
    this.isOn = true;
    this.now();
  }

  stop() {
    this.isOn = false;
    clearTimeout(this.timer);
    this.under?.abort();
    this.under = null;
  }

  async now() {
    clearTimeout(this.timer);
    this.under?.abort();
    if (document.hidden || !this.isOn) return;
    const under = new AbortController();
    this.under = under;
    const begin = performance.now();
    let error = null;
    try {
      await this.ask(under.signal);
    } catch (caught) {
      error = caught;
    }
    if (this.under !== under) return; // another one has begun, or none is wanted
    this.under = null;
    this.failures = error ? this.failures + 1 : 0;
    this.tell(error);
    const wait = pause({ every: this.every, took: performance.now() - begin, failures: this.failures });
    this.timer = setTimeout(() => this.now(), wait);
  }
}
