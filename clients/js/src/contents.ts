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
  readonly attendances: Listeners<[members: JsonObject]>;
  readonly statuses: Listeners<[status: ChannelStatus]>;
  readonly skips: Listeners<[skipped: Skipped]>;
  readonly drops: Listeners<[dropped: Dropped]>;
  private readonly replica = new Replica();
  private readonly attendance = new Replica();

  constructor(
    private readonly clock: ServerClock,
    report: (error: unknown) => void,
  ) {
    this.events = new Listeners(report);
    this.keys = new Listeners(report);
    this.changes = new Listeners(report);
    this.attendances = new Listeners(report);
    this.statuses = new Listeners(report);
    this.skips = new Listeners(report);
    this.drops = new Listeners(report);
  }

  get state(): JsonObject {
    return this.replica.state;
  }

  /** Who is there, by id: an object with `info` and `since`, the same one until something in it changes. */
  get members(): JsonObject {
    return this.attendance.state;
  }

  get(key: string): Json | undefined {
    return this.replica.get(key);
  }

  takeSnapshot({ state, members, ts }: Snapshot): void {
    this.clock.greet(ts);
    this.renew(state, members);
  }

  takeResume({ ts }: Resume): void {
    this.clock.greet(ts);
  }

  takeEvent({ event, change, attendance }: LogEvent): void {
    if (!this.session.wasMissed(event.seq)) this.clock.observeEvent(event.ts);
    if (change) this.tellChanges(this.replica.fold(change));
    if (attendance) this.tellMembers(this.attendance.fold(attendance));
    this.events.tell(event.type, event.data, event);
  }

  takeSkipped(skipped: Skipped): void {
    this.skips.tell(ALL, skipped);
  }

  /** The channel has been dropped: nothing of it is left. */
  takeDrop(dropped: Dropped): void {
    this.session.forget();
    this.renew({}, {});
    this.drops.tell(ALL, dropped);
  }

  /** Back to where nothing is known. Tells nobody. */
  forget(): void {
    this.session.forget();
    this.replica.replace({});
    this.attendance.replace({});
  }

  removeListeners(): void {
    this.events.removeAll();
    this.keys.removeAll();
    this.changes.removeAll();
    this.attendances.removeAll();
    this.statuses.removeAll();
    this.skips.removeAll();
    this.drops.removeAll();
  }

  /** Both are there before either is told. */
  private renew(state: JsonObject, members: JsonObject): void {
    const keys = this.replica.replace(state);
    const ids = this.attendance.replace(members);
    this.tellChanges(keys);
    this.tellMembers(ids);
  }

  private tellMembers(ids: readonly string[]): void {
    if (ids.length > 0) this.attendances.tell(ALL, this.members);
  }

  private tellChanges(keys: readonly string[]): void {
    for (const key of new Set(keys)) this.keys.tell(key, this.replica.get(key));
    if (keys.length > 0) this.changes.tell(ALL, this.state);
  }
}
