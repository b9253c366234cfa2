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
import type { SendOptions } from "./outbox.js";
import type { Position, Skipped } from "./position.js";
import { type MessageOptions, Speech } from "./speech.js";
import type { Status } from "./status.js";

/**
 * A client of the relay: its channels, and the default one's state and events as its own. The public face is the
 * interface `Client`, which adds the application's types; here every value is Json.
 */
export class SyncClient implements Observer {
  private readonly channels: Channels;
  private readonly main: ChannelHandle;
  private readonly speech: Speech;
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
    this.speech = new Speech(settings, environment, report);
    const { identity } = this.speech;
    this.channels = new Channels(this.clock, environment.schedule, report, identity);
    this.main = this.channels.handle(DEFAULT);
    if (settings.defaultChannel) this.main.follow();
    const { channels, speech } = this;
    this.connection = new Connection(url, settings, environment, channels, speech, this);
    speech.attach(channels, () => this.connection.need());
  }

  start(): void {
    this.connection.start();
  }

  get state(): JsonObject {
    return this.main.state;
  }

  get members(): JsonObject {
    return this.main.members;
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

  onMembers(listener: (members: JsonObject) => void): Unsubscribe {
    return this.main.onMembers(listener);
  }

  onStatus(listener: (status: Status) => void): Unsubscribe {
    return this.statusListeners.add(ALL, listener);
  }

  onSkipped(listener: (skipped: Skipped) => void): Unsubscribe {
    return this.main.onSkipped(listener);
  }

  identify({ id, info }: { readonly id: string; readonly info?: object }): Promise<void> {
    return this.speech.identity.take(id, info);
  }

  send(type: string, data: unknown = null, options: MessageOptions = {}): Promise<void> {
    return this.speech.send(type, data, options);
  }

  publish(
    channel: string,
    type: string,
    data: unknown = null,
    options: SendOptions = {},
  ): Promise<void> {
    return this.speech.publish(channel, type, data, options);
  }

  serverNow(): number {
    return this.clock.read() ?? this.environment.date();
  }

  close(): void {
    this.connection.end(null);
    this.speech.end("this client has been closed");
    this.statusListeners.removeAll();
    this.channels.removeListeners();
  }

  takeStatus(status: Status): void {
    this.statusListeners.tell(ALL, status);
    this.channels.takeStatus(status);
  }

  takeError(error: unknown): void {
    if (error instanceof RefusedError) {
      this.refusal = error;
      this.speech.end(error.message);
    }
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
