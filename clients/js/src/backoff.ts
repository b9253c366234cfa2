const GROWTH = 1.5;

/**
 * Delays between attempts, in milliseconds: full jitter, each drawn anew between 0 and a ceiling that
 * grows by half from `first` to `longest`. So 10,000 clients that lose a relay in one moment do not come
 * back in one: with a first ceiling of 300 ms they come evenly, 33 in a millisecond; where they come in
 * vain 22, then 15, and after eleven vain attempts one in two. The first ceiling is short and the growth
 * slow, since a relay that restarts is back soon: after an outage of 3 s a client waits 1.1 s more on
 * average. With ceilings that begin at 500 ms and double it is twice that.
 */
export class Backoff {
  private ceiling: number;

  /** `random` gives numbers from 0 up to 1. */
  constructor(
    private readonly first: number,
    private readonly longest: number,
    private readonly random: () => number,
  ) {
    this.ceiling = first;
  }

  next(): number {
    const delay = this.random() * this.ceiling;
    this.ceiling = Math.min(this.longest, this.ceiling * GROWTH);
    return delay;
  }

  reset(): void {
    this.ceiling = this.first;
  }
}
