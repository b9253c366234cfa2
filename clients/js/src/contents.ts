import type { ServerClock } from "./clock.js";
import type { Json, JsonObject } from "./json.js";
import { Listeners } from "./listeners.js";
import type { LogEvent, Resume, Snapshot, SyncEvent } from "./message.js";
import type { Dropped, Skipped } from "./position.js";
import { Replica } from "./replica.js";
import { type Follower, Session } from "./session.js";
import type { ChannelStatus } from "./status.js";

/** Topic of news that have only one. */
export const ALL = "";

/** What is known of a channel, and who hears of it: its state, its place in the log, its listeners. No I/O. */
export class Contents implements Follower {
  readonly session: Session = new Session(this);
  readonly events: Listeners<[data: Json, event: SyncEvent]>;
  readonly keys: Listeners<[value: Json | undefined]>;
  readonly changes: Listeners<[state: JsonObject]>;
  readonly statuses: Listeners<[status: ChannelStatus]>;
  readonly skips: Listeners<[skipped: Skipped]>;
  readonly drops: Listeners<[dropped: Dropped]>;
  private readonly replica = new Replica();

  constructor(
    private readonly clock: ServerClock,
    report: (error: unknown) => void,
  ) {
    this.events = new Listeners(report);
    this.keys = new Listeners(report);
    this.changes = new Listeners(report);
    this.statuses = new Listeners(report);
    this.skips = new Listeners(report);
    this.drops = new Listeners(report);
  }

  get state(): JsonObject {
    return this.replica.state;
  }

  get(key: string): Json | undefined {
    return this.replica.get(key);
  }

  takeSnapshot({ state, ts }: Snapshot): void {
    this.clock.greet(ts);
    this.tellChanges(this.replica.replace(state));
  }

  takeResume({ ts }: Resume): void {
    this.clock.greet(ts);
  }

  takeEvent({ event, change }: LogEvent): void {
    if (!this.session.wasMissed(event.seq)) this.clock.observeEvent(event.ts);
    if (change) this.tellChanges(this.replica.fold(change));
    this.events.tell(event.type, event.data, event);
  }

  takeSkipped(skipped: Skipped): void {
    this.skips.tell(ALL, skipped);
  }

  /** The channel has been dropped: nothing of it is left. */
  takeDrop(dropped: Dropped): void {
    this.tellChanges(this.forget());
    this.drops.tell(ALL, dropped);
  }

  /** Back to where nothing is known. Returns the keys that are gone. */
  forget(): readonly string[] {
    this.session.forget();
    return this.replica.replace({});
  }

  removeListeners(): void {
    this.events.removeAll();
    this.keys.removeAll();
    this.changes.removeAll();
    this.statuses.removeAll();
    this.skips.removeAll();
    this.drops.removeAll();
  }

  private tellChanges(keys: readonly string[]): void {
    for (const key of new Set(keys)) this.keys.tell(key, this.replica.get(key));
    if (keys.length > 0) this.changes.tell(ALL, this.state);
  }
}
