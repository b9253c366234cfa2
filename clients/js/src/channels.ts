import { ChannelHandle } from "./channel_handle.js";
import type { ServerClock } from "./clock.js";
import { ALL, Contents } from "./contents.js";
import type { Environment } from "./environment.js";
import { ChannelRefusedError, ProtocolError } from "./error.js";
import type { ChannelMessage } from "./message.js";
import type { Position } from "./position.js";
import type { ChannelStatus, Status } from "./status.js";
import { Subscription } from "./subscription.js";

/** The default channel's. */
export const DEFAULT = "";

export const NAME = /^[\w.:~@/-]{0,128}$/;
export const RULE = "a name is 1 to 128 of A-Z a-z 0-9 _ . : ~ - @ /";

/** What a connection does for the channels that go over it. */
export interface Wire {
  send(text: string): void;
  /** There is something to follow, after there was nothing. */
  need(): void;
}

/** The channel of the client's identity, which is followed by saying who the client is. */
export interface Personal {
  /** Its name; null: there is none. */
  readonly channel: string | null;
  /** The words, with where the channel stands. */
  hello(position: Position | null): string;
}

/** What a connection asks for in its address. */
export interface Plan {
  /** Where the default channel goes on. */
  readonly position: Position | null;
  /** The argument `channel` for each; none where the default channel is all that is wanted. */
  readonly names: readonly string[];
  readonly subscriptions: readonly Subscription[];
}

/**
 * All channels that are followed here, over one connection: what it asks for when it opens and later, and whose
 * each message is. A channel is followed while it has users, and left only after the current task, so that users
 * that replace each other do not end it. What the relay refuses is not asked for again while users are there, unless
 * it was for want of a place and this client has given one up since. The personal channel is asked for by telling who
 * the client is, first of all, and followed for as long as it is somebody.
 */
export class Channels {
  private readonly subscriptions = new Map<string, Subscription>();
  private readonly expected = new Set<Subscription>(); // asked for when the connection opened, and not there yet
  private wire: Wire = { send() {}, need() {} };
  private status: Status = "connecting";
  private isOpen = false;
  private isAnswered = false;
  private farewells = 0; // that were sent, ever

  constructor(
    private readonly clock: ServerClock,
    private readonly schedule: Environment["schedule"],
    private readonly report: (error: unknown) => void,
    private readonly personal: Personal,
  ) {}

  /** The connection to use from now on. */
  attach(wire: Wire): void {
    this.wire = wire;
  }

  /** The channel of a name; the same object for as long as it is followed. */
  handle(name: string): ChannelHandle {
    return this.find(name)?.handle ?? new ChannelHandle(name, this);
  }

  find(name: string): Subscription | undefined {
    return this.subscriptions.get(name);
  }

  statusOf(name: string): ChannelStatus {
    return this.find(name)?.statusOn(this.status) ?? "idle";
  }

  use(handle: ChannelHandle): Subscription {
    const subscription = this.find(handle.name) ?? this.create(handle);
    subscription.users += 1;
    this.follow(subscription);
    return subscription;
  }

  release(subscription: Subscription): void {
    subscription.users -= 1;
    if (subscription.users === 0) this.schedule(() => this.leave(subscription), 0);
  }

  /** Asks again for what was refused. */
  retry(name: string): void {
    const subscription = this.find(name);
    if (!subscription?.error || !NAME.test(name)) return;
    subscription.pardon();
    this.follow(subscription);
  }

  /** Follows the personal channel of a new identity, whatever became of it before. */
  introduce(name: string): void {
    const handle = this.handle(name);
    this.find(name)?.pardon();
    this.use(handle);
  }

  /** Says again who the client is, where a connection is open. */
  introduceAgain(): void {
    const subscription = this.find(this.personal.channel ?? DEFAULT);
    if (!this.isOpen || !subscription || subscription.name === DEFAULT) return;
    const { isBegun } = subscription.contents.session;
    this.wire.send(isBegun ? this.personal.hello(null) : this.ask(subscription));
  }

  /** The client is not who it said it was. */
  disown(name: string, code: string, reason: string): void {
    const subscription = this.find(name);
    if (!subscription) return;
    subscription.refuse(new ChannelRefusedError(name, code, reason));
    this.expected.delete(subscription);
    this.show(subscription);
    this.release(subscription);
  }

  removeListeners(): void {
    for (const { contents } of this.subscriptions.values()) contents.removeListeners();
  }

  /** Whether there is nothing to connect for. */
  get isEmpty(): boolean {
    return this.wanted.length === 0;
  }

  /** Whether there is something to show while the connection is not live. */
  get hasState(): boolean {
    const main = this.find(DEFAULT);
    const shown = main?.isWanted ? [main] : this.wanted;
    return shown.some(({ contents }) => contents.session.position !== null);
  }

  /** Whether no snapshot is awaited. */
  get isResuming(): boolean {
    return this.wanted.every(({ contents }) => contents.session.resumeFrom !== null);
  }

  /** Whether the connection is live: with the default channel's state, or, without that, with any answer. */
  get isCaughtUp(): boolean {
    const main = this.find(DEFAULT);
    return main?.isWanted ? main.isSettled : this.isAnswered;
  }

  /** Whether all is there that was asked for when the connection opened. */
  get isSettled(): boolean {
    return this.expected.size === 0;
  }

  /**
   * What the next connection can ask for in `room` letters of its address; the rest is asked for when it is open. An address
   * that names no channel asks for the default one, like it or not: it is left then.
   */
  plan(room: number): Plan {
    const { wanted } = this;
    const named = wanted.filter(({ name }) => name !== DEFAULT && name !== this.personal.channel);
    named.sort((left, right) => Number(right.isPersonal) - Number(left.isPersonal));
    const isMain = named.length === 0 || wanted.some(({ name }) => name === DEFAULT);
    const main = isMain ? [this.find(DEFAULT) ?? this.create(this.handle(DEFAULT))] : [];
    const names = main.length > 0 && named.length > 0 ? [DEFAULT] : [];
    const subscriptions = [...main];
    let left = room;
    for (const subscription of named) {
      const name = subscription.argument;
      left -= name.length + "&channel=".length;
      if (left < 0 && names.length > 0) break;
      names.push(name);
      subscriptions.push(subscription);
    }
    return { position: main[0]?.contents.session.resumeFrom ?? null, names, subscriptions };
  }

  /** A new connection, which asks for what is planned. Tells nobody. */
  begin({ subscriptions }: Plan): void {
    this.isAnswered = false;
    this.clock.begin();
    for (const subscription of subscriptions) {
      subscription.farewellsBefore = this.farewells;
      subscription.begin();
    }
  }

  /** The connection is open: what has changed since its address was written is told. */
  open(): void {
    this.isOpen = true;
    const personal = this.personal.channel && this.find(this.personal.channel);
    if (personal) this.follow(personal);
    for (const subscription of [...this.subscriptions.values()]) {
      if (subscription.users === 0) this.leave(subscription);
      else this.follow(subscription);
      if (subscription.isAsked) this.expected.add(subscription);
    }
  }

  /** The connection is gone. */
  lose(): void {
    this.isOpen = false;
    this.expected.clear();
    for (const subscription of [...this.subscriptions.values()]) {
      subscription.lose();
      this.forgetIfOver(subscription);
    }
  }

  /** What came cannot be true, and nobody knows whose it was. */
  distrust(): void {
    for (const { contents } of this.subscriptions.values()) contents.session.distrust();
  }

  /** Throws ProtocolError for a message that cannot be true. */
  take(message: ChannelMessage): void {
    this.isAnswered = true;
    const subscription = this.find(message.channel);
    if (subscription) this.pass(message, subscription);
    else if (message.channel === DEFAULT && message.kind === "snapshot") {
      throw new ProtocolError("a snapshot of the default channel: the relay knows no channels");
    }
  }

  /** What the connection shows, when that changes or an attempt begins. */
  takeStatus(status: Status): void {
    this.status = status;
    for (const subscription of [...this.subscriptions.values()]) this.show(subscription);
  }

  private pass(message: ChannelMessage, subscription: Subscription): void {
    const { error, name } = subscription;
    if (message.kind === "refused" && name === this.personal.channel) return; // of a wish before it was so
    subscription.take(message);
    if (subscription.isSettled) this.expected.delete(subscription);
    if (subscription.wantedPlace && this.farewells > subscription.farewellsBefore)
      subscription.pardon();
    if (subscription.error && subscription.error !== error) this.report(subscription.error);
    this.follow(subscription);
    this.forgetIfOver(subscription);
  }

  private create(handle: ChannelHandle): Subscription {
    const subscription = new Subscription(handle, new Contents(this.clock, this.report));
    this.subscriptions.set(handle.name, subscription);
    if (!NAME.test(handle.name)) this.refuseName(subscription);
    return subscription;
  }

  /** The relay would, and could not say which name it means where that is long. Told later, as it would be. */
  private refuseName(subscription: Subscription): void {
    const error = new ChannelRefusedError(subscription.name, "invalid_channel", RULE);
    subscription.refuse(error);
    this.schedule(() => {
      subscription.contents.statuses.tell(ALL, "refused");
      this.report(error);
    }, 0);
  }

  /** Asks for a channel that is wanted, where that is still to do. */
  private follow(subscription: Subscription): void {
    if (this.isOpen && subscription.isWanted && !subscription.isAsked) {
      subscription.farewellsBefore = this.farewells;
      this.wire.send(this.ask(subscription));
    }
    this.show(subscription);
    if (subscription.isWanted) this.wire.need();
  }

  private ask(subscription: Subscription): string {
    if (subscription.name !== this.personal.channel) return subscription.ask();
    subscription.begin();
    return this.personal.hello(subscription.contents.session.resumeFrom);
  }

  /** Ends a channel, unless somebody has come to follow it meanwhile; one that an address asks for when that is open. */
  private leave(subscription: Subscription): void {
    const { users, isAsked } = subscription;
    if (users > 0 || (isAsked && !this.isOpen)) return;
    if (isAsked) this.wire.send(subscription.leave());
    this.farewells += isAsked ? 1 : 0;
    this.expected.delete(subscription);
    this.forgetIfOver(subscription);
  }

  private forgetIfOver(subscription: Subscription): void {
    const { name, isOver } = subscription;
    if (isOver && this.find(name) === subscription) this.subscriptions.delete(name);
  }

  private show(subscription: Subscription): void {
    const status = subscription.statusOn(this.status);
    if (subscription.shown === status) return;
    subscription.shown = status;
    subscription.contents.statuses.tell(ALL, status);
  }

  private get wanted(): Subscription[] {
    return [...this.subscriptions.values()].filter(({ isWanted }) => isWanted);
  }
}
