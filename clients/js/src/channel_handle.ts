import type { Channels } from "./channels.js";
import { ALL, type Contents } from "./contents.js";
import type { ChannelRefusedError } from "./error.js";
import type { Json, JsonObject } from "./json.js";
import type { Unsubscribe } from "./listeners.js";
import type { SyncEvent } from "./message.js";
import type { Dropped, Position, Skipped } from "./position.js";
import type { ChannelStatus } from "./status.js";
import type { Subscription } from "./subscription.js";

const NOTHING: JsonObject = Object.freeze({});

/**
 * A channel by its name, whether it is followed or not: whoever listens follows it. Keeps nothing itself, so that
 * two of one name are the same. The public face is the interface `Channel`; here every value is Json.
 */
export class ChannelHandle {
  constructor(
    readonly name: string,
    private readonly channels: Channels,
  ) {}

  get state(): JsonObject {
    return this.subscription?.contents.state ?? NOTHING;
  }

  get members(): JsonObject {
    return this.subscription?.contents.members ?? NOTHING;
  }

  get status(): ChannelStatus {
    return this.channels.statusOf(this.name);
  }

  get position(): Position | null {
    return this.subscription?.contents.session.position ?? null;
  }

  get error(): ChannelRefusedError | null {
    return this.subscription?.error ?? null;
  }

  get(key: string): Json | undefined {
    return this.subscription?.contents.get(key);
  }

  on(type: string, listener: (data: Json, event: SyncEvent) => void): Unsubscribe {
    return this.listen(({ events }) => events.add(type, listener));
  }

  onState(key: string, listener: (value: Json | undefined) => void): Unsubscribe {
    return this.listen(({ keys }) => keys.add(key, listener));
  }

  onChange(listener: (state: JsonObject) => void): Unsubscribe {
    return this.listen(({ changes }) => changes.add(ALL, listener));
  }

  onMembers(listener: (members: JsonObject) => void): Unsubscribe {
    return this.listen(({ attendances }) => attendances.add(ALL, listener));
  }

  onStatus(listener: (status: ChannelStatus) => void): Unsubscribe {
    return this.listen(({ statuses }) => statuses.add(ALL, listener));
  }

  onSkipped(listener: (skipped: Skipped) => void): Unsubscribe {
    return this.listen(({ skips }) => skips.add(ALL, listener));
  }

  onDropped(listener: (dropped: Dropped) => void): Unsubscribe {
    return this.listen(({ drops }) => drops.add(ALL, listener));
  }

  follow(): Unsubscribe {
    return this.listen(() => () => {});
  }

  retry(): void {
    this.channels.retry(this.name);
  }

  private get subscription(): Subscription | undefined {
    return this.channels.find(this.name);
  }

  /** Follows the channel for as long as a listener is there. */
  private listen(add: (contents: Contents) => Unsubscribe): Unsubscribe {
    const subscription = this.channels.use(this);
    const remove = add(subscription.contents);
    let isOn = true;
    return () => {
      if (!isOn) return;
      isOn = false;
      remove();
      this.channels.release(subscription);
    };
  }
}
