import { type Channels, NAME, RULE } from "./channels.js";
import type { Environment } from "./environment.js";
import { RequestError } from "./error.js";
import { Identity } from "./identity.js";
import type { Answer } from "./message.js";
import { Outbox, type SendOptions } from "./outbox.js";

export interface MessageOptions extends SendOptions {
  /** The channel that it is about, as the backend reads it; following it is not needed. */
  readonly channel?: string | undefined;
}

/** What the client says of its own accord: who it is, and messages. Nothing of it is there before it is used. */
export class Speech {
  readonly session: string;
  readonly identity: Identity;
  private readonly outbox: Outbox;
  private channels: Channels | null = null;
  private need = () => {};

  /** `rate` is that of messages, a second. */
  constructor(rate: number, environment: Environment, report: (error: unknown) => void) {
    this.session = environment.token();
    this.identity = new Identity(environment.schedule, {
      ref: () => this.outbox.ref(),
      follow: (name) => this.channels?.introduce(name),
      repeat: () => this.channels?.introduceAgain(),
      unfollow: (name, { code, reason }) => this.channels?.disown(name, code, reason),
      report,
    });
    this.outbox = new Outbox(this.session, rate, environment, {
      author: () => this.identity.id,
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

  send(type: string, data: unknown, { channel = "", ...options }: MessageOptions): Promise<void> {
    if (type === "" || type.startsWith("sync:")) return reject(type);
    if (!NAME.test(channel)) return Promise.reject(new RequestError("invalid_channel", RULE));
    return this.outbox.say({ type, ...named(channel), data }, options);
  }

  publish(channel: string, event: string, data: unknown, options: SendOptions): Promise<void> {
    return this.outbox.say({ type: "sync:publish", ...named(channel), event, data }, options);
  }

  begin(send: (text: string) => void, greet: () => void): void {
    this.outbox.begin(send);
    greet();
    this.outbox.pump();
  }

  lose(): void {
    this.identity.lose();
    this.outbox.lose();
  }

  take(answer: Answer): void {
    if (!this.identity.answer(answer)) this.outbox.take(answer);
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
