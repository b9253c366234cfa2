import type { Environment } from "./environment.js";

const HEARTBEAT_OVERDUE = 1.25; // heartbeats of silence after which one is missing
const SILENCE_LIMIT = 2.5; // heartbeats of silence that are death: one lost, the next half an interval late
const ANSWER_DUE = 2_000; // ms in which a question is answered, or half a heartbeat where that is less
const ANSWER_LIMIT = 5_000; // ms without an answer that are death, where the relay is known to answer
const ON_ITS_WAY = 10_000; // ms that a message may take all the same, which an answer has to follow
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
 * by the count: an older relay has sent one heartbeat in each interval since the socket opened, at most,
 * however they were held up on the way. So the first questions go on until there are more than that.
 */
export class Pulse {
  private readonly heartbeat: number;
  private limit = 0;
  private asks = false;
  private heardAt = 0;
  private rowAt = 0; // when the row of heartbeats began
  private beats = 0; // how many have come since
  private askedAt: number | null = null; // since when a question waits for any message
  private curiousAt: number | null = null; // when the last question went out that a heartbeat may answer
  private answers = false;
  private due = 0;
  private excusedUntil: number | null = null;
  private patience = 0; // ms of silence that are no death, since long messages are on their way
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
    this.rowAt = this.environment.now();
    this.beats = 0;
    this.curiousAt = null;
    this.answers = false;
    this.asks = false;
    this.patience = 0;
    this.expect(limit);
  }

  /** The relay has greeted, and its heartbeats are due from now on. Long messages may follow for `patience` ms each. */
  follow(patience = 0): void {
    this.asks = true;
    this.patience = patience;
    this.expect(SILENCE_LIMIT * this.heartbeat);
    this.ask();
  }

  /** The long messages are there, the last of them just now. */
  settle(): void {
    if (this.patience === 0) return;
    this.patience = 0;
    this.watch();
  }

  stop(): void {
    this.cancelTimer();
  }

  /** Something came that shows that the connection is alive. */
  hear(): void {
    this.heardAt = this.environment.now();
    this.askedAt = null;
    this.excusedUntil = null;
  }

  /** It was a heartbeat, or one came before the greeting, when it shows nothing. */
  beat(): void {
    this.beats += 1;
    if (this.answers || this.curiousAt === null) return;
    const asked = this.environment.now() - this.curiousAt;
    this.curiousAt = null;
    if (this.beats > this.longestRow) this.answers = true;
    else if (asked < this.heartbeat / 2) this.ask();
  }

  /** Somebody looks at the page, or the network is back: asks, and soon knows. */
  check(): void {
    if (this.silence >= this.limit) this.excuse(WAKING_UP);
    this.ask();
    this.watch();
  }

  /** The same where nobody can be asked: silence of `limit` ms is death now, if it was not before. */
  hurry(limit: number): void {
    this.limit = Math.min(this.limit, limit);
    this.check();
  }

  /** How long nothing has been heard, in ms. */
  get silence(): number {
    return this.environment.now() - this.heardAt;
  }

  private expect(limit: number): void {
    this.limit = limit;
    this.hear();
    this.watch();
  }

  private ask(): void {
    if (!this.asks) return;
    this.curiousAt = this.environment.now();
    this.askedAt ??= this.curiousAt;
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
    return this.earliest(silent, this.owedAt(wait));
  }

  private get deathAt(): number {
    const allowed = Math.max(ON_ITS_WAY, this.patience);
    const owedAt = Math.max(this.owedAt(ANSWER_LIMIT), this.heardAt + allowed);
    return this.earliest(Math.max(this.limit, this.patience), owedAt);
  }

  /** When an answer is due that may take so long; never where the relay may not answer. */
  private owedAt(wait: number): number {
    const askedAt = this.answers ? this.askedAt : null;
    return askedAt === null ? Number.POSITIVE_INFINITY : askedAt + wait;
  }

  /** When it has been silent for so long, or owes an answer; where it is excused, later. */
  private earliest(silent: number, owedAt: number): number {
    return Math.max(Math.min(this.heardAt + silent, owedAt), this.excusedUntil ?? 0);
  }

  /** Heartbeats that a relay can have sent unasked, where the line delays them by half an interval more or less. */
  private get longestRow(): number {
    return Math.floor((this.environment.now() - this.rowAt) / this.heartbeat + 0.5);
  }
}
