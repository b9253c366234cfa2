import { type Channels, NAME, RULE } from "./channels.js";
import { Credential } from "./credential.js";
import type { Environment } from "./environment.js";
import { RequestError } from "./error.js";
import { Identity } from "./identity.js";
import type { Answer, Expiring } from "./message.js";
import type { Settings } from "./options.js";
import { Outbox, type SendOptions } from "./outbox.js";

export interface MessageOptions extends SendOptions {
  /** The channel that it is about, as the backend reads it; following it is not needed. */
  readonly channel?: string | undefined;
}

/** What the client says of its own accord: who it is, what lets it in, and messages. Nothing of it is there before it is used. */
export class Speech {
  readonly session: string;
  readonly identity: Identity;
  private readonly credential: Credential;
  private readonly outbox: Outbox;
  private channels: Channels | null = null;
  private need = () => {};

  constructor(settings: Settings, environment: Environment, report: (error: unknown) => void) {
    this.session = environment.token();
    this.identity = new Identity(environment.schedule, {
      ref: () => this.outbox.ref(),
      follow: (name) => this.channels?.introduce(name),
      retry: (name) => this.channels?.retry(name),
      repeat: () => this.channels?.introduceAgain(),
      unfollow: (name, { code, reason }) => this.channels?.disown(name, code, reason),
      report,
    });
    this.credential = new Credential(settings, environment, {
      ref: () => this.outbox.ref(),
      introduce: (id) => this.identity.give(id),
      report,
    });
    this.outbox = new Outbox(this.session, settings.sendRate, environment, {
      author: () => this.identity.id,
      isGiven: () => this.identity.isGiven,
      need: () => this.need(),
    });
  }

  /** Where the personal channel is, and how to ask for a connection. */
  attach(channels: Channels, need: () => void): void {
    this.channels = channels;
    this.need = need;
  }

  /** Whether there is nothing to connect for; the personal channel is for itself. */
  get isEmpty(): boolean {
    return this.outbox.isEmpty;
  }

  get isRenewable(): boolean {
    return this.credential.isRenewable;
  }

  authorize(use: (token?: string) => void, fail: (error: unknown) => void): void {
    this.credential.fetch(use, fail);
  }

  send(type: string, data: unknown, { channel = "", ...options }: MessageOptions): Promise<void> {
    if (type === "" || type.startsWith("sync:")) return reject(type);
    if (!NAME.test(channel)) return Promise.reject(new RequestError("invalid_channel", RULE));
    return this.outbox.say({ type, ...named(channel), data }, options);
  }

  publish(channel: string, event: string, data: unknown, options: SendOptions): Promise<void> {
    return this.outbox.say({ type: "sync:publish", ...named(channel), event, data }, options);
  }

  begin(send: (text: string) => void, greet: () => void): void {
    this.credential.begin(send);
    this.outbox.begin(send);
    greet();
    this.outbox.pump();
  }

  lose(): void {
    this.credential.lose();
    this.identity.lose();
    this.outbox.lose();
  }

  take(message: Answer | Expiring): void {
    if (message.kind === "expiring") this.credential.expire();
    else if (!this.identity.answer(message) && !this.credential.answer(message)) {
      this.outbox.take(message);
    }
  }

  takeTooLarge(): void {
    this.outbox.takeTooLarge();
  }

  end(reason: string): void {
    this.identity.end(reason);
    this.outbox.end(reason);
  }
}

/** The default channel goes without a name. */
function named(channel = ""): { channel?: string } {
  return channel === "" ? {} : { channel };
}

function reject(type: string): Promise<void> {
  const reason = `a message's type is not empty, and does not begin with "sync:": "${type}"`;
  return Promise.reject(new RequestError("invalid_type", reason));
}
