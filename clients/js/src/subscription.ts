import type { ChannelHandle } from "./channel_handle.js";
import type { Contents } from "./contents.js";
import { ChannelRefusedError, ProtocolError } from "./error.js";
import type { ChannelMessage, Refused, Unsubscribed } from "./message.js";
import type { ChannelStatus, Status } from "./status.js";

/**
 * A channel that somebody follows here, and how the relay stands to that. It may be asked for, left and asked
 * for again faster than answers come; the relay answers in order, so what comes before the last farewell is
 * answered belongs to an earlier time and counts for nothing. No I/O: `ask` and `leave` give the words.
 */
export class Subscription {
  /** How many follow it here. */
  users = 0;
  /** What its listeners were told last. */
  shown: ChannelStatus = "idle";
  /** How many farewells, of whichever channels, had been sent when it was asked for last. */
  farewellsBefore = 0;
  private refusal: ChannelRefusedError | null = null;
  private asked = false;
  private farewells = 0; // sync:unsubscribe that have not been answered on this connection

  constructor(
    readonly handle: ChannelHandle,
    readonly contents: Contents,
  ) {}

  get name(): string {
    return this.handle.name;
  }

  /** Whether it is an identity's own: where a token names that, the relay tells of it whether asked or not. */
  get isPersonal(): boolean {
    return this.name.startsWith("@");
  }

  get error(): ChannelRefusedError | null {
    return this.refusal;
  }

  /** Whether it was refused because the client followed too many. */
  get wantedPlace(): boolean {
    return this.refusal?.code === "too_many_subscriptions";
  }

  get isWanted(): boolean {
    return this.users > 0 && this.refusal === null;
  }

  /** Whether the relay has been asked for it on this connection, and has neither refused nor ended it. */
  get isAsked(): boolean {
    return this.asked;
  }

  /** Whether nobody needs to remember it. */
  get isOver(): boolean {
    return this.users === 0 && !this.asked && this.farewells === 0;
  }

  /** Whether nothing of it is on its way that was there when it was asked for. */
  get isSettled(): boolean {
    return !this.asked || this.contents.session.isCaughtUp;
  }

  statusOn(connection: Status): ChannelStatus {
    const { position, isCaughtUp } = this.contents.session;
    if (this.refusal) return "refused";
    if (this.users === 0 && !this.asked && !position) return "idle";
    if (connection === "offline") return "offline";
    if (this.asked && isCaughtUp) return connection === "doubtful" ? "doubtful" : "live";
    return position ? "resuming" : "connecting";
  }

  /** What asks for it in an address, where it stands. */
  get argument(): string {
    const { name } = this;
    const { resumeFrom } = this.contents.session;
    return resumeFrom ? `${name},${encodeURIComponent(resumeFrom.epoch)},${resumeFrom.seq}` : name;
  }

  /** The words that ask for it where it stands. */
  ask(): string {
    this.begin();
    const { resumeFrom } = this.contents.session;
    return JSON.stringify({ type: "sync:subscribe", ...this.address, ...resumeFrom });
  }

  /** It is asked for, in whatever words. */
  begin(): void {
    this.asked = true;
    this.contents.session.begin();
  }

  /** The words that end it. What was known is forgotten, since nobody is there to tell what happens from now on. */
  leave(): string {
    this.asked = false;
    this.farewells += 1;
    this.contents.forget();
    return JSON.stringify({ type: "sync:unsubscribe", ...this.address });
  }

  /** The connection is gone, and with it all that was asked and not answered. */
  lose(): void {
    this.asked = false;
    this.farewells = 0;
    this.contents.session.begin();
  }

  refuse(refusal: ChannelRefusedError): void {
    this.refusal = refusal;
    this.asked = false;
    this.contents.session.begin();
  }

  /** It may be asked for again. */
  pardon(): void {
    this.refusal = null;
    this.asked = false;
  }

  /** Throws ProtocolError for a message that cannot be true. */
  take(message: ChannelMessage): void {
    if (message.kind === "unsubscribed") this.takeEnd(message);
    else if (this.farewells > 0 || !this.asked) return;
    else if (message.kind === "refused") this.takeRefusal(message);
    else this.contents.session.take(message);
  }

  private takeEnd({ reason, skipped }: Unsubscribed): void {
    if (this.farewells > 0) this.farewells -= reason === null ? 1 : 0;
    else if (this.asked) this.endUnasked(reason, skipped);
  }

  /** The relay ended it of its own accord, and says why. */
  private endUnasked(reason: string | null, skipped: number): void {
    if (reason === null) throw new ProtocolError(`an end of "${this.name}" that nobody asked for`);
    this.asked = false;
    this.contents.takeDrop({ skipped });
  }

  /** One that comes to a channel that is followed is none of it, unless a newer token does not allow it. */
  private takeRefusal({ code, message }: Refused): void {
    if (this.contents.session.isCaughtUp && code !== "forbidden") return;
    this.refuse(new ChannelRefusedError(this.name, code, message));
  }

  /** The default channel goes without a name. */
  private get address(): { channel?: string } {
    return this.name === "" ? {} : { channel: this.name };
  }
}
