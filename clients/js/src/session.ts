import { ProtocolError } from "./error.js";
import type { LogEvent, News, Resume, Snapshot } from "./message.js";
import { leap, type Position, type Skipped } from "./position.js";

/** Hears what the relay tells, checked, in the order of the log. */
export interface Follower {
  takeSnapshot(snapshot: Snapshot): void;
  takeResume(resume: Resume): void;
  takeEvent(event: LogEvent): void;
  takeSkipped(skipped: Skipped): void;
}

/**
 * The client's place in a channel's log, kept from one connection to the next. It passes on only what
 * follows without a gap on what was passed on before; anything else is a ProtocolError, after which only
 * a snapshot is trusted. No I/O.
 */
export class Session {
  private current: Position | null = null;
  private isTrusted = true;
  private isGreeted = false;
  private target = 0; // the last event that the resume announced

  constructor(private readonly follower: Follower) {}

  /** What the follower has been given; null before the first snapshot. */
  get position(): Position | null {
    return this.current;
  }

  /** Where the next connection is to go on; null to get a snapshot. */
  get resumeFrom(): Position | null {
    return this.isTrusted ? this.current : null;
  }

  /** Whether the follower has all that the relay had when it greeted this connection. */
  get isCaughtUp(): boolean {
    return this.isGreeted && this.current !== null && this.current.seq >= this.target;
  }

  /** Whether this connection has greeted. */
  get isBegun(): boolean {
    return this.isGreeted;
  }

  /** Whether an event of this connection is older than its greeting. */
  wasMissed(seq: number): boolean {
    return seq <= this.target;
  }

  /** A new connection: its first message that counts has to be a snapshot or a resume. */
  begin(): void {
    this.isGreeted = false;
  }

  /** Throws ProtocolError for a message that does not fit; the connection is of no more use then. */
  take(message: News): void {
    try {
      if (message.kind === "snapshot") this.takeSnapshot(message);
      if (message.kind === "resume") this.takeResume(message);
      if (message.kind === "event") this.takeEvent(message);
    } catch (error) {
      this.distrust();
      throw error;
    }
  }

  /** Back to where nothing is known. */
  forget(): void {
    this.current = null;
    this.isGreeted = false;
  }

  /** What came cannot be true: the next connection starts from a snapshot. */
  distrust(): void {
    this.isTrusted = false;
  }

  private takeSnapshot(snapshot: Snapshot): void {
    const { epoch, seq } = snapshot;
    const skipped = leap(this.current, { epoch, seq }, snapshot.skipped);
    this.current = { epoch, seq };
    this.target = seq;
    this.isTrusted = true;
    this.isGreeted = true;
    this.follower.takeSnapshot(snapshot);
    if (skipped) this.follower.takeSkipped(skipped);
  }

  private takeResume(resume: Resume): void {
    const asked = this.isGreeted ? null : this.resumeFrom;
    if (resume.epoch !== asked?.epoch || resume.seq !== asked.seq) {
      throw new ProtocolError(
        `a resume at ${resume.seq} of ${resume.epoch} that was not asked for`,
      );
    }
    this.target = resume.to;
    this.isGreeted = true;
    this.follower.takeResume(resume);
  }

  private takeEvent(message: LogEvent): void {
    const { seq } = message.event;
    if (!this.isGreeted || !this.current) {
      throw new ProtocolError(`event ${seq} came before a snapshot or a resume`);
    }
    const expected = this.current.seq + 1;
    if (seq !== expected) throw new ProtocolError(`event ${seq} came in place of ${expected}`);
    this.current = { epoch: this.current.epoch, seq };
    this.follower.takeEvent(message);
  }
}
