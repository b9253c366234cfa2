import { attemptAddress } from "./address.js";
import { Backoff } from "./backoff.js";
import type { Environment } from "./environment.js";
import { RefusedError } from "./error.js";
import { readMessage } from "./message.js";
import type { Settings } from "./options.js";
import type { Session } from "./session.js";
import type { Socket, SocketClose } from "./socket.js";

/**
 * `connecting`: nothing to show yet. `live`: the state is the relay's. `resuming`: the last known state
 * is there, and an attempt to come back is under way. `offline`: waiting for the next attempt, or ended.
 */
export type Status = "connecting" | "live" | "resuming" | "offline";

/** Hears how the connection is. An error is a ProtocolError or, at the end, a RefusedError. */
export interface Observer {
  takeStatus(status: Status): void;
  takeError(error: unknown): void;
}

type Phase = "waiting" | "opening" | "open" | "live" | "ended";

const OPEN_LIMIT = 10_000; // ms that opening a socket may take
const SILENT_HEARTBEATS = 2.5; // heartbeats without a sign of life
const MOST_PATIENCE = 16; // times that limit
const HELD_UP = 1_000; // ms by which a timer is late when the page was frozen or busy
const CATCHING_UP = 2_000; // ms for what arrived meanwhile to be heard
const STABLE = 10_000; // ms of being live after which a failure counts as the first
const STALE_ATTEMPT = 1_000; // ms after which a wake begins an attempt anew
const POLICY = 1008; // close code: this client is refused
const ABANDONED = 4000; // our close code for a connection that is of no more use

/**
 * Keeps one connection to the relay for ever: retries, resumes where the session stands, and takes
 * silence for death. There is one socket or none, and one timer: the retry's, or the watch over silence.
 * Each method tells the observer last, who may end the connection in that very call.
 */
export class Connection {
  private phase: Phase = "waiting";
  private shown: Status = "connecting";
  private socket: Socket | null = null;
  private cancelTimer = () => {};
  private stopWaking = () => {};
  private heardAt = 0;
  private watchDue = 0;
  private liveAt = 0;
  // A message that takes long to arrive looks like silence: each silence makes the next attempt wait
  // longer, so that a large snapshot on a thin line gets through in the end.
  private patience = 1;
  private readonly backoff: Backoff;

  constructor(
    private readonly url: string,
    private readonly settings: Settings,
    private readonly environment: Environment,
    private readonly session: Session,
    private readonly observer: Observer,
  ) {
    this.backoff = new Backoff(settings.retryFirst, settings.retryLongest, environment.random);
  }

  get status(): Status {
    return this.shown;
  }

  /** Begins the first attempt. Throws what the WebSocket class throws for an address that is none. */
  start(): void {
    this.open();
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
    const { resumeFrom, position } = this.session;
    const url = attemptAddress(this.url, this.settings.heartbeat, resumeFrom);
    const socket = this.environment.openSocket(url);
    this.session.begin();
    this.socket = socket;
    this.phase = "opening";
    this.heardAt = this.environment.now();
    this.listenTo(socket);
    this.watch();
    this.show(position ? "resuming" : "connecting");
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
    this.heardAt = this.environment.now();
    this.watch();
  }

  private receive(data: unknown): void {
    this.heardAt = this.environment.now();
    if (typeof data !== "string") return;
    try {
      this.session.take(readMessage(data));
    } catch (error) {
      this.startOver(error);
    }
    if (this.phase === "open" && this.session.isCaughtUp) this.becomeLive();
  }

  private becomeLive(): void {
    this.phase = "live";
    this.liveAt = this.environment.now();
    this.patience = 1;
    this.watch();
    this.show("live");
  }

  /** After a message that cannot be true: comes back for a snapshot. */
  private startOver(error: unknown): void {
    this.session.distrust();
    this.retryLater("broken message");
    this.observer.takeError(error);
  }

  private closed({ code, reason }: SocketClose): void {
    if (code === POLICY) this.end(new RefusedError(reason));
    else this.retryLater("closed");
  }

  /** `why` is for the relay's log. */
  private retryLater(why: string): void {
    const wasStable = this.phase === "live" && this.elapsedSince(this.liveAt) >= STABLE;
    if (wasStable) this.backoff.reset();
    this.drop(ABANDONED, why);
    this.phase = "waiting";
    this.cancelTimer = this.environment.schedule(() => this.retry(), this.backoff.next());
    this.show("offline");
  }

  private retry(): void {
    try {
      this.open();
    } catch (error) {
      this.retryLater("not opened");
      this.observer.takeError(error);
    }
  }

  /** There is reason to hope, or to doubt that the socket survived: tries again unless all is well. */
  private wake(): void {
    if (this.phase === "ended" || !this.isOverdue()) return;
    this.backoff.reset();
    this.drop(ABANDONED, "silent");
    this.retry();
  }

  private isOverdue(): boolean {
    if (this.phase === "waiting") return true;
    const limit = this.phase === "opening" ? STALE_ATTEMPT : this.silenceLimit();
    return this.elapsedSince(this.heardAt) >= limit;
  }

  /**
   * Sleeps until silence would be death; whatever is heard in between only moves `heardAt`. To be called
   * again when the limit changes. A timer that runs late proves no silence: messages may be waiting, too.
   */
  private watch(): void {
    this.cancelTimer();
    const rest = this.silenceLimit() - this.elapsedSince(this.heardAt);
    if (rest > 0) this.watchAgainIn(rest);
    else if (this.elapsedSince(this.watchDue) >= HELD_UP) this.watchAgainIn(CATCHING_UP);
    else this.giveUpOnSilence();
  }

  private watchAgainIn(delay: number): void {
    this.watchDue = this.environment.now() + delay;
    this.cancelTimer = this.environment.schedule(() => this.watch(), delay);
  }

  private giveUpOnSilence(): void {
    if (this.phase !== "opening") this.patience = Math.min(MOST_PATIENCE, this.patience * 2);
    this.retryLater("silent");
  }

  private silenceLimit(): number {
    if (this.phase === "opening") return OPEN_LIMIT;
    return SILENT_HEARTBEATS * this.settings.heartbeat * 1000 * this.patience;
  }

  private elapsedSince(time: number): number {
    return this.environment.now() - time;
  }

  private drop(code: number, reason: string): void {
    this.cancelTimer();
    const { socket } = this;
    this.socket = null;
    socket?.close(code, reason);
  }

  private show(status: Status): void {
    if (this.shown === status) return;
    this.shown = status;
    this.observer.takeStatus(status);
  }
}
