/**
 * Delays between attempts, in milliseconds: full jitter, each drawn anew between 0 and a ceiling that
 * doubles from `first` to `longest`. A thousand clients of a restarted relay then spread out instead of
 * coming back in one moment.
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
    this.ceiling = Math.min(this.longest, this.ceiling * 2);
    return delay;
  }

  reset(): void {
    this.ceiling = this.first;
  }
}
