/** A place in the relay's log: everything up to and including event `seq` of the log `epoch`. */
export interface Position {
  readonly epoch: string;
  readonly seq: number;
}

/** Events that never came: the client went from one position to another by a snapshot. */
export interface Skipped {
  /** How many; null when nobody knows, because the relay started a new log. */
  readonly events: number | null;
  readonly from: Position;
  readonly to: Position;
}

/** A channel was dropped: its state is gone, and what it was before is forgotten. */
export interface Dropped {
  /** How many of its events did not reach this client. */
  readonly skipped: number;
}

/**
 * What a snapshot at `to` leaps over; null when that is nothing.
 * `counted` is the relay's own count, where it gives one.
 */
export function leap(from: Position | null, to: Position, counted: number | null): Skipped | null {
  if (!from) return null;
  const known = from.epoch === to.epoch && to.seq >= from.seq;
  const events = counted ?? (known ? to.seq - from.seq : null);
  return events === 0 ? null : { events, from, to };
}
