import { ADDRESS_LIMIT, attemptAddress } from "./address.js";
import { Backoff } from "./backoff.js";
import type { Channels } from "./channels.js";
import { ABANDONED, isFinal, NO_TOKEN, TOO_FAST, TOO_LARGE } from "./close_codes.js";
import type { Environment } from "./environment.js";
import { ConnectError, RefusedError, RequestError } from "./error.js";
import { isNews, type Message, readMessage } from "./message.js";
import type { Settings } from "./options.js";
import { Pulse } from "./pulse.js";
import { reasonOf, type Socket, type SocketClose } from "./socket.js";
import type { Status } from "./status.js";
import type { Talk } from "./talk.js";
import { subprotocols } from "./token.js";

/** Hears how the connection is. An error is a ProtocolError, a ConnectError, what kept an attempt from being made or, at the end, a RefusedError. */
export interface Observer {
  takeStatus(status: Status): void;
  takeError(error: unknown): void;
}

type Phase = "new" | "idle" | "waiting" | "opening" | "open" | "live" | "ended";

const TOKEN_LIMIT = 30_000; // ms that getting a token may take
const OPEN_LIMIT = 10_000; // ms that opening a socket may take
const RESUME_LIMIT = 25_000; // ms of silence until all that was missed is there, where no snapshot is awaited
const STABLE = 10_000; // ms of being live, or without a wake, after which a failure counts as the first
const YOUNG = 1_000; // ms for which a wake says nothing new about an attempt
const HASTE = 5_000; // ms that an attempt may be silent when a wake has come; twice as much after each loss
const OWN_ARGUMENTS = 140; // letters for the heartbeat, the position and the session
const QUESTION = '{"type":"sync:ping"}';

/**
 * Keeps one connection to the relay for ever: retries, resumes where each channel stands, and takes
 * silence for death. Where there is nothing to follow it opens none. There is one socket or none (also while an attempt
 * waits for its token), and one timer: the retry's, or the pulse's. Each method tells the observer or the channels last, whose listeners may end the
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
  private fault = ""; // why the latest attempt did not come about
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
    this.talk.authorize(
      (token) => this.openWith(token),
      (error) => this.failed("not opened", error),
    );
    if (this.talk.isRenewable) this.attempt(TOKEN_LIMIT);
  }

  private openWith(token?: string): void {
    const { heartbeat } = this.settings;
    const plan = this.channels.plan(ADDRESS_LIMIT - this.url.length - OWN_ARGUMENTS);
    const { session } = this.talk;
    const url = attemptAddress(this.url, heartbeat, plan.position, plan.names, session);
    const socket = this.environment.openSocket(url, subprotocols(token));
    this.channels.begin(plan);
    this.socket = socket;
    this.listenTo(socket);
    this.attempt(OPEN_LIMIT);
  }

  private attempt(limit: number): void {
    this.phase = "opening";
    this.isHurried = false;
    this.pulse.start(limit);
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
    socket.addEventListener("error", (event) => ifInUse(() => this.hearFault(reasonOf(event))));
  }

  /** Each is told once until one opens. A close follows; left unheard, it throws in Node. */
  private hearFault(why: string): void {
    if (this.phase !== "opening" || !why || why === this.fault) return;
    this.fault = why;
    this.observer.takeError(new ConnectError(why));
  }

  private opened(): void {
    this.phase = "open";
    this.fault = "";
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
      this.failed("broken message", error);
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
    if (isNews(message) || this.phase === "live") this.pulse.hear();
    if (message?.kind === "heartbeat") this.pulse.beat();
    else if (message && "channel" in message) this.channels.take(message);
    else if (message && message.kind !== "other") this.talk.take(message);
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

  private failed(why: string, error: unknown): void {
    this.retryLater(why);
    this.observer.takeError(error);
  }

  private closed({ code, reason }: SocketClose): void {
    if (code === TOO_LARGE) this.talk.takeTooLarge();
    if (code === NO_TOKEN && this.talk.isRenewable) this.comeWithAnother(reason);
    else if (isFinal(code)) this.end(new RefusedError(code, reason));
    else this.retryLater("closed", code === TOO_FAST);
  }

  /** That a token ends is no error; that one is not taken is. */
  private comeWithAnother(reason: string): void {
    if (this.phase === "live") this.retryLater("closed");
    else this.failed("closed", new RequestError(reason, "the relay refused the token"));
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
    this.phase = this.isIdle ? "idle" : "opening";
    try {
      if (this.phase === "opening") this.open();
    } catch (error) {
      this.failed("not opened", error);
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
      if (this.socket) this.retryLater("silent");
      else this.failed("not opened", new Error("no token in time"));
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
