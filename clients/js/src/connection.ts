import { ADDRESS_LIMIT, attemptAddress } from "./address.js";
import { Backoff } from "./backoff.js";
import type { Channels } from "./channels.js";
import type { Environment } from "./environment.js";
import { RefusedError } from "./error.js";
import { type Answer, type Message, readMessage } from "./message.js";
import type { Settings } from "./options.js";
import { Pulse } from "./pulse.js";
import type { Socket, SocketClose } from "./socket.js";
import type { Status } from "./status.js";

/** Hears how the connection is. An error is a ProtocolError or, at the end, a RefusedError. */
export interface Observer {
  takeStatus(status: Status): void;
  takeError(error: unknown): void;
}

/** What the client says of its own accord, and waits for an answer to. */
export interface Talk {
  /** Names this client in each address. */
  readonly session: string;
  readonly isEmpty: boolean;
  /** A connection is open. `greet` says who this is, and what channels to follow. */
  begin(send: (text: string) => void, greet: () => void): void;
  lose(): void;
  take(answer: Answer): void;
  /** The relay has hung up on a message that was too large. */
  takeTooLarge(): void;
}

type Phase = "new" | "idle" | "waiting" | "opening" | "open" | "live" | "ended";

const OPEN_LIMIT = 10_000; // ms that opening a socket may take
const RESUME_LIMIT = 25_000; // ms of silence until all that was missed is there, where no snapshot is awaited
const STABLE = 10_000; // ms of being live, or without a wake, after which a failure counts as the first
const YOUNG = 1_000; // ms for which a wake says nothing new about an attempt
const HASTE = 5_000; // ms that an attempt may be silent when a wake has come; twice as much after each loss
const POLICY = 1008; // close codes: the relay's policy,
const TOO_LARGE = 1009; // a message over its bound,
const TOO_FAST = 4429; // too many of them,
const FINAL = [4400, 4499] as const; // and the first and the last of those that are final, but for the one before
const ABANDONED = 4000; // our close code for a connection that is of no more use
const SIGNS: readonly string[] = ["heartbeat", "taken", "rejected", "other"]; // of life, and no news
const OWN_ARGUMENTS = 140; // letters for the heartbeat, the position and the session
const QUESTION = '{"type":"sync:ping"}';

/**
 * Keeps one connection to the relay for ever: retries, resumes where each channel stands, and takes
 * silence for death. Where there is nothing to follow it opens none. There is one socket or none, and one timer:
 * the retry's, or the pulse's. Each method tells the observer or the channels last, whose listeners may end the
 * connection in that very call.
 */
export class Connection {
  private phase: Phase = "new";
  private shown: Status = "connecting";
  private socket: Socket | null = null;
  private cancelTimer = () => {};
  private stopWaking = () => {};
  private liveAt = 0;
  private wokenAt = Number.NEGATIVE_INFINITY;
  private isPatient = false; // after silence in place of a resume, which may have been a long snapshot
  private isHurried = false; // whether a wake has come during this attempt
  private cuts = { opening: 0, open: 0 }; // attempts that ended by a wake since it was last live
  private readonly backoff: Backoff;
  private readonly pulse: Pulse;

  constructor(
    private readonly url: string,
    private readonly settings: Settings,
    private readonly environment: Environment,
    private readonly channels: Channels,
    private readonly talk: Talk,
    private readonly observer: Observer,
  ) {
    this.backoff = new Backoff(settings.retryFirst, settings.retryLongest, environment.random);
    this.pulse = new Pulse(settings.heartbeat, environment, {
      ask: () => this.socket?.send(QUESTION),
      doubt: () => this.phase === "live" && this.show("doubtful"),
      giveUp: () => this.giveUpOnSilence(),
    });
    channels.attach({
      send: (text) => this.socket?.send(text),
      need: () => this.need(),
    });
  }

  get status(): Status {
    return this.shown;
  }

  /** There is something to follow or to say. */
  need(): void {
    if (this.phase === "idle") this.retry();
  }

  /** Begins the first attempt. Throws what the WebSocket class throws for an address that is none. */
  start(): void {
    if (this.isIdle) this.phase = "idle";
    else this.open();
    this.stopWaking = this.environment.wakeOn(() => this.wake());
  }

  /** Ends it for good; `error` says why when it was not asked for. */
  end(error: RefusedError | null): void {
    if (this.phase === "ended") return;
    this.phase = "ended";
    this.stopWaking();
    this.drop(1000, "");
    if (error) this.observer.takeError(error);
    this.show("offline");
  }

  private open(): void {
    const { heartbeat } = this.settings;
    const plan = this.channels.plan(ADDRESS_LIMIT - this.url.length - OWN_ARGUMENTS);
    const { session } = this.talk;
    const url = attemptAddress(this.url, heartbeat, plan.position, plan.names, session);
    const socket = this.environment.openSocket(url);
    this.channels.begin(plan);
    this.socket = socket;
    this.phase = "opening";
    this.isHurried = false;
    this.listenTo(socket);
    this.pulse.start(OPEN_LIMIT);
    const status = this.channels.hasState ? "resuming" : "connecting";
    if (this.shown === status) this.channels.takeStatus(status);
    else this.show(status);
  }

  /** Hears a socket for as long as it is the one in use. */
  private listenTo(socket: Socket): void {
    const ifInUse = (action: () => void) => this.socket === socket && action();
    socket.addEventListener("open", () => ifInUse(() => this.opened()));
    socket.addEventListener("message", ({ data }) => ifInUse(() => this.receive(data)));
    socket.addEventListener("close", (event) => ifInUse(() => this.closed(event)));
    socket.addEventListener("error", () => {}); // a close follows; left unheard, it throws in Node
  }

  private opened(): void {
    this.phase = "open";
    this.isHurried = false;
    this.pulse.start(this.limitOfGreeting());
    const { socket, channels } = this;
    this.talk.begin(
      (text) => socket?.send(text),
      () => channels.open(),
    );
  }

  private limitOfGreeting(): number {
    const { snapshotLimit } = this.settings;
    const isShort = this.channels.isResuming && !this.isPatient;
    return isShort ? Math.min(RESUME_LIMIT, snapshotLimit) : snapshotLimit;
  }

  private receive(data: unknown): void {
    try {
      this.take(typeof data === "string" ? this.read(data) : null);
    } catch (error) {
      this.startOver(error);
    }
    if (this.phase === "open" && this.channels.isCaughtUp) this.becomeLive();
    else if (this.phase === "live") this.stayLive();
  }

  private read(text: string): Message {
    try {
      return readMessage(text);
    } catch (error) {
      this.channels.distrust();
      throw error;
    }
  }

  /** Null stands for what is no text. Until all that was missed is there, only news are a sign of life. */
  private take(message: Message | null): void {
    const isNews = message !== null && !SIGNS.includes(message.kind);
    if (isNews || this.phase === "live") this.pulse.hear();
    if (message?.kind === "heartbeat") this.pulse.beat();
    else if (message?.kind === "taken" || message?.kind === "rejected") this.talk.take(message);
    else if (message && message.kind !== "other") this.channels.take(message);
  }

  private becomeLive(): void {
    this.phase = "live";
    this.liveAt = this.environment.now();
    this.cuts = { opening: 0, open: 0 };
    this.pulse.follow(this.channels.isSettled ? 0 : this.limitOfGreeting());
    this.stayLive();
  }

  /** Until all channels are there they have the time of a greeting; it may have been doubtful. */
  private stayLive(): void {
    if (this.channels.isSettled) {
      this.isPatient = false;
      this.pulse.settle();
    }
    this.show("live");
  }

  /** After a message that cannot be true: comes back for a snapshot. */
  private startOver(error: unknown): void {
    this.retryLater("broken message");
    this.observer.takeError(error);
  }

  private closed({ code, reason }: SocketClose): void {
    const [first, last] = FINAL;
    if (code === TOO_LARGE) this.talk.takeTooLarge();
    if (code === POLICY || (code >= first && code <= last && code !== TOO_FAST)) {
      this.end(new RefusedError(code, reason));
    } else this.retryLater("closed", code === TOO_FAST);
  }

  /** `why` is for the relay's log. `isOurs`: what the client did itself is no better for having gone well before. */
  private retryLater(why: string, isOurs = false): void {
    const wasStable = this.phase === "live" && this.elapsedSince(this.liveAt) >= STABLE;
    if (wasStable && !isOurs) this.backoff.reset();
    this.drop(ABANDONED, why);
    this.phase = "waiting";
    this.cancelTimer = this.environment.schedule(() => this.retry(), this.backoff.next());
    this.show("offline");
  }

  private retry(): void {
    if (this.isIdle) this.phase = "idle";
    else this.tryToOpen();
  }

  private tryToOpen(): void {
    try {
      this.open();
    } catch (error) {
      this.retryLater("not opened");
      this.observer.takeError(error);
    }
  }

  /** There is reason to hope, or to doubt that the socket survived: tries again, or finds out. */
  private wake(): void {
    const { phase } = this;
    if (phase === "live") this.pulse.check();
    else if (phase === "waiting") this.tryAtOnce();
    else if (phase === "opening" || phase === "open") this.hurry(phase);
  }

  private tryAtOnce(): void {
    if (this.elapsedSince(this.wokenAt) >= STABLE) this.backoff.reset();
    this.wokenAt = this.environment.now();
    this.tryAnew();
  }

  /** The relay cannot be asked before it has greeted: an attempt that stays silent for long is begun anew. */
  private hurry(phase: "opening" | "open"): void {
    if (phase === "opening" && this.pulse.silence < YOUNG) return;
    this.isHurried = true;
    this.pulse.hurry(HASTE * 2 ** this.cuts[phase]);
  }

  private tryAnew(): void {
    this.drop(ABANDONED, "silent");
    this.retry();
  }

  private giveUpOnSilence(): void {
    const { phase } = this;
    if (this.isHurried && (phase === "opening" || phase === "open")) {
      this.cuts[phase] += 1;
      this.tryAnew();
    } else {
      if (phase === "open" || !this.channels.isSettled) this.isPatient = true;
      this.retryLater("silent");
    }
  }

  private elapsedSince(time: number): number {
    return this.environment.now() - time;
  }

  private drop(code: number, reason: string): void {
    this.cancelTimer();
    this.pulse.stop();
    const { socket } = this;
    this.socket = null;
    this.talk.lose();
    this.channels.lose();
    socket?.close(code, reason);
  }

  /** Whether there is nothing to connect for. */
  private get isIdle(): boolean {
    return this.channels.isEmpty && this.talk.isEmpty;
  }

  private show(status: Status): void {
    if (this.shown === status) return;
    this.shown = status;
    this.observer.takeStatus(status);
  }
}
