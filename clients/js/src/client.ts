import type { ChannelHandle } from "./channel_handle.js";
import { Channels, DEFAULT } from "./channels.js";
import { ServerClock } from "./clock.js";
import { Connection, type Observer } from "./connection.js";
import { ALL } from "./contents.js";
import type { Environment } from "./environment.js";
import { RefusedError } from "./error.js";
import type { Json, JsonObject } from "./json.js";
import { Listeners, type Unsubscribe } from "./listeners.js";
import type { SyncEvent } from "./message.js";
import type { Settings } from "./options.js";
import type { Position, Skipped } from "./position.js";
import type { Status } from "./status.js";

/**
 * A client of the relay: its channels, and the default one's state and events as its own. The public face is the
 * interface `Client`, which adds the application's types; here every value is Json.
 */
export class SyncClient implements Observer {
  private readonly channels: Channels;
  private readonly main: ChannelHandle;
  private readonly clock: ServerClock;
  private readonly connection: Connection;
  private readonly statusListeners: Listeners<[status: Status]>;
  private refusal: RefusedError | null = null;

  constructor(
    url: string,
    settings: Settings,
    private readonly environment: Environment,
  ) {
    const report = (error: unknown) => this.report(error);
    this.statusListeners = new Listeners(report);
    this.clock = new ServerClock(environment.now);
    this.channels = new Channels(this.clock, environment.schedule, report);
    this.main = this.channels.handle(DEFAULT);
    if (settings.defaultChannel) this.main.follow();
    this.connection = new Connection(url, settings, environment, this.channels, this);
  }

  start(): void {
    this.connection.start();
  }

  get state(): JsonObject {
    return this.main.state;
  }

  get status(): Status {
    return this.connection.status;
  }

  get position(): Position | null {
    return this.main.position;
  }

  get error(): RefusedError | null {
    return this.refusal;
  }

  channel(name: string): ChannelHandle {
    return this.channels.handle(name);
  }

  get(key: string): Json | undefined {
    return this.main.get(key);
  }

  on(type: string, listener: (data: Json, event: SyncEvent) => void): Unsubscribe {
    return this.main.on(type, listener);
  }

  onState(key: string, listener: (value: Json | undefined) => void): Unsubscribe {
    return this.main.onState(key, listener);
  }

  onChange(listener: (state: JsonObject) => void): Unsubscribe {
    return this.main.onChange(listener);
  }

  onStatus(listener: (status: Status) => void): Unsubscribe {
    return this.statusListeners.add(ALL, listener);
  }

  onSkipped(listener: (skipped: Skipped) => void): Unsubscribe {
    return this.main.onSkipped(listener);
  }

  serverNow(): number {
    return this.clock.read() ?? this.environment.date();
  }

  close(): void {
    this.connection.end(null);
    this.statusListeners.removeAll();
    this.channels.removeListeners();
  }

  takeStatus(status: Status): void {
    this.statusListeners.tell(ALL, status);
    this.channels.takeStatus(status);
  }

  takeError(error: unknown): void {
    if (error instanceof RefusedError) this.refusal = error;
    this.report(error);
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
