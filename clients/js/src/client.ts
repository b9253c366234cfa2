import { ServerClock } from "./clock.js";
import { Connection, type Observer, type Status } from "./connection.js";
import type { Environment } from "./environment.js";
import { RefusedError } from "./error.js";
import type { Json, JsonObject } from "./json.js";
import { Listeners, type Unsubscribe } from "./listeners.js";
import type { LogEvent, Resume, Snapshot, SyncEvent } from "./message.js";
import type { Settings } from "./options.js";
import type { Position, Skipped } from "./position.js";
import { Replica } from "./replica.js";
import { type Follower, Session } from "./session.js";

/** Topic of news that have only one. */
const ALL = "";

/**
 * A client of the relay: the state as it is now, and listeners for what changes. The public face is the
 * interface `Client`, which adds the application's types; here every value is Json.
 */
export class SyncClient implements Follower, Observer {
  private readonly replica = new Replica();
  private readonly session = new Session(this);
  private readonly clock: ServerClock;
  private readonly connection: Connection;
  private readonly eventListeners: Listeners<[data: Json, event: SyncEvent]>;
  private readonly keyListeners: Listeners<[value: Json | undefined]>;
  private readonly changeListeners: Listeners<[state: JsonObject]>;
  private readonly statusListeners: Listeners<[status: Status]>;
  private readonly skippedListeners: Listeners<[skipped: Skipped]>;
  private refusal: RefusedError | null = null;

  constructor(
    url: string,
    settings: Settings,
    private readonly environment: Environment,
  ) {
    const report = (error: unknown) => this.report(error);
    this.eventListeners = new Listeners(report);
    this.keyListeners = new Listeners(report);
    this.changeListeners = new Listeners(report);
    this.statusListeners = new Listeners(report);
    this.skippedListeners = new Listeners(report);
    this.clock = new ServerClock(environment.now);
    this.connection = new Connection(url, settings, environment, this.session, this);
  }

  start(): void {
    this.connection.start();
  }

  get state(): JsonObject {
    return this.replica.state;
  }

  get status(): Status {
    return this.connection.status;
  }

  get position(): Position | null {
    return this.session.position;
  }

  get error(): RefusedError | null {
    return this.refusal;
  }

  get(key: string): Json | undefined {
    return this.replica.get(key);
  }

  on(type: string, listener: (data: Json, event: SyncEvent) => void): Unsubscribe {
    return this.eventListeners.add(type, listener);
  }

  onState(key: string, listener: (value: Json | undefined) => void): Unsubscribe {
    return this.keyListeners.add(key, listener);
  }

  onChange(listener: (state: JsonObject) => void): Unsubscribe {
    return this.changeListeners.add(ALL, listener);
  }

  onStatus(listener: (status: Status) => void): Unsubscribe {
    return this.statusListeners.add(ALL, listener);
  }

  onSkipped(listener: (skipped: Skipped) => void): Unsubscribe {
    return this.skippedListeners.add(ALL, listener);
  }

  serverNow(): number {
    return this.clock.read() ?? this.environment.date();
  }

  close(): void {
    this.connection.end(null);
    this.removeListeners();
  }

  takeSnapshot({ state, ts, skipped }: Snapshot): void {
    if (skipped === null) this.clock.restart(ts);
    else this.clock.observe(ts); // in the middle of a connection, and late
    this.tellChanges(this.replica.replace(state));
  }

  takeResume({ ts }: Resume): void {
    this.clock.restart(ts);
  }

  takeEvent({ event, change }: LogEvent): void {
    if (!this.session.wasMissed(event.seq)) this.clock.observeEvent(event.ts);
    if (change) this.tellChanges(this.replica.fold(change));
    this.eventListeners.tell(event.type, event.data, event);
  }

  takeSkipped(skipped: Skipped): void {
    this.skippedListeners.tell(ALL, skipped);
  }

  takeStatus(status: Status): void {
    this.statusListeners.tell(ALL, status);
  }

  takeError(error: unknown): void {
    if (error instanceof RefusedError) this.refusal = error;
    this.report(error);
  }

  private tellChanges(keys: readonly string[]): void {
    for (const key of new Set(keys)) this.keyListeners.tell(key, this.replica.get(key));
    if (keys.length > 0) this.changeListeners.tell(ALL, this.state);
  }

  private removeListeners(): void {
    this.eventListeners.removeAll();
    this.keyListeners.removeAll();
    this.changeListeners.removeAll();
    this.statusListeners.removeAll();
    this.skippedListeners.removeAll();
  }

  /** A reporter that throws itself has nobody left to tell. */
  private report(error: unknown): void {
    try {
      this.environment.report(error);
    } catch {
      // The client goes on whatever its user's code does.
    }
  }
}
