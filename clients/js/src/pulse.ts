import type { Environment } from "./environment.js";

const HEARTBEAT_OVERDUE = 1.25; // heartbeats of silence after which one is missing
const SILENCE_LIMIT = 2.5; // heartbeats of silence that are death: one lost, the next half an interval late
const ANSWER_DUE = 2_000; // ms in which a question is answered, or half a heartbeat where that is less
const ANSWER_LIMIT = 5_000; // ms without an answer that are death, where the relay is known to answer
const HELD_UP = 1_000; // ms by which a timer is late when the page was frozen or busy
const CATCHING_UP = 2_000; // ms for what arrived meanwhile to be heard
const WAKING_UP = 1_000; // ms for the same when somebody looks at the page

/** What a Pulse finds, told by its timer. */
export interface Diagnosis {
  /** Asks the relay for a sign of life. */
  ask(): void;
  /** A sign of life is missing. */
  doubt(): void;
  /** It has been silent for too long; the pulse has stopped. */
  giveUp(): void;
}

/**
 * The signs of life of one connection, and what their absence means. Any message is one. Where one is
 * missing it asks for one. A relay of version 0.2.0 or newer answers at once, with a heartbeat; an older
 * one does not, and its silence proves nothing until its heartbeats are missing. Which kind it is shows
 * by a heartbeat that comes after a question and too soon to be one of the row.
 */
export class Pulse {
  private readonly heartbeat: number;
  private limit = 0;
  private asks = false;
  private heardAt = 0;
  private beatAt = 0; // the last heartbeat of the relay, or the start of its row
  private askedAt: number | null = null; // since when a question waits for any message
  private isCurious = false; // whether the next heartbeat may be an answer
  private answers = false;
  private due = 0;
  private excusedUntil: number | null = null;
  private cancelTimer = () => {};

  /** `heartbeat` is the interval asked of the relay, in seconds. */
  constructor(
    heartbeat: number,
    private readonly environment: Environment,
    private readonly diagnosis: Diagnosis,
  ) {
    this.heartbeat = heartbeat * 1000;
  }

  /** A new socket: silence of `limit` ms is death, and there is nobody to ask yet. */
  start(limit: number): void {
    this.beatAt = this.environment.now();
    this.answers = false;
    this.asks = false;
    this.expect(limit);
  }

  /** The relay has greeted, and its heartbeats are due from now on. */
  follow(): void {
    this.asks = true;
    this.expect(SILENCE_LIMIT * this.heartbeat);
    this.ask();
  }

  stop(): void {
    this.cancelTimer();
  }

  /** Something came; `isBeat` when it was a heartbeat. */
  hear(isBeat: boolean): void {
    const now = this.environment.now();
    if (isBeat) {
      if (this.isCurious && now - this.beatAt < this.heartbeat / 2) this.answers = true;
      this.isCurious = false;
      this.beatAt = now;
    }
    this.heardAt = now;
    this.askedAt = null;
    this.excusedUntil = null;
  }

  /** Somebody looks at the page, or the network is back: asks, and soon knows. */
  check(): void {
    if (this.silence >= this.limit) this.excuse(WAKING_UP);
    this.ask();
    this.watch();
  }

  /** How long nothing has been heard, in ms. */
  get silence(): number {
    return this.environment.now() - this.heardAt;
  }

  private expect(limit: number): void {
    this.limit = limit;
    this.hear(false);
    this.watch();
  }

  private ask(): void {
    if (!this.asks) return;
    this.askedAt ??= this.environment.now();
    this.isCurious = true;
    this.diagnosis.ask();
  }

  /** Looks what is missing, and again when the next sign would be. Tells what it finds last. */
  private watch(): void {
    this.cancelTimer();
    const now = this.environment.now();
    if (now >= this.overdueAt) this.ask();
    if (now >= this.doubtAt && now - this.due >= HELD_UP) this.excuse(CATCHING_UP);
    const { overdueAt, doubtAt, deathAt } = this;
    if (now >= deathAt) this.diagnosis.giveUp();
    else {
      this.due = Math.min(...[overdueAt, doubtAt, deathAt].filter((time) => time > now));
      this.cancelTimer = this.environment.schedule(() => this.watch(), this.due - now);
      if (now >= doubtAt) this.diagnosis.doubt();
    }
  }

  /** A timer that runs late proves no silence: messages may be waiting, too. Once in each silence. */
  private excuse(span: number): void {
    this.excusedUntil ??= this.environment.now() + span;
  }

  private get overdueAt(): number {
    const isAsked = !this.asks || this.askedAt !== null;
    return isAsked ? Number.POSITIVE_INFINITY : this.heardAt + HEARTBEAT_OVERDUE * this.heartbeat;
  }

  private get doubtAt(): number {
    const wait = Math.min(ANSWER_DUE, this.heartbeat / 2);
    const silent = this.asks ? HEARTBEAT_OVERDUE * this.heartbeat + wait : this.limit;
    return this.earliest(silent, wait);
  }

  private get deathAt(): number {
    return this.earliest(this.limit, ANSWER_LIMIT);
  }

  /** When it has been silent, or has not answered, for so long; where it is excused, later. */
  private earliest(silent: number, unanswered: number): number {
    const askedAt = this.answers ? this.askedAt : null;
    const owedAt = askedAt === null ? Number.POSITIVE_INFINITY : askedAt + unanswered;
    return Math.max(Math.min(this.heardAt + silent, owedAt), this.excusedUntil ?? 0);
  }
}
