import { Backoff } from "./backoff.js";
import type { Environment } from "./environment.js";
import { RequestError } from "./error.js";
import type { Answer } from "./message.js";
import type { Settings } from "./options.js";
import { demandToken, subjectOf } from "./token.js";

const STABLE = 10_000; // ms after which the end of a token is not that of one that was said just now

/** What the credential needs of the client. */
export interface Holder {
  /** A ref that has not been given before. */
  readonly ref: () => string;
  /** Hears the identity that the token in use names; null: none. Throws RequestError where the client is another. */
  readonly introduce: (id: string | null) => void;
  readonly report: (error: unknown) => void;
}

/**
 * The tokens that let the client in: one for each new connection, and a newer one in time where the relay says that its end
 * is near. Where the source is a function it is asked for each of them, and once at a time; what it gives after
 * `lose()` counts for nothing.
 */
export class Credential {
  private readonly source: Settings["token"];
  private readonly backoff: Backoff;
  private turn = 0;
  private send = (_: string) => {};
  private said: { readonly ref: string; readonly token: string } | null = null; // without an answer yet
  private isRenewing = false;
  private renewedAt = Number.NEGATIVE_INFINITY;
  private cancelTimer = () => {};

  constructor(
    { token, retryFirst, retryLongest }: Settings,
    private readonly environment: Environment,
    private readonly holder: Holder,
  ) {
    this.source = token;
    this.backoff = new Backoff(retryFirst, retryLongest, environment.random);
  }

  /** Whether another token may be had than the last one. */
  get isRenewable(): boolean {
    return typeof this.source === "function";
  }

  /** Gives the token for a new connection to `use`, or what went wrong to `fail`: later, where it is renewable, else in this call. */
  fetch(use: (token?: string) => void, fail: (error: unknown) => void): void {
    this.ask((token) => {
      if (token !== undefined) this.holder.introduce(subjectOf(token));
      use(token);
    }, fail);
  }

  /** A connection is open. */
  begin(send: (text: string) => void): void {
    this.send = send;
  }

  /** The connection, or what was to become one, is gone. */
  lose(): void {
    this.turn += 1;
    this.cancelTimer();
    this.said = null;
    this.isRenewing = false;
  }

  /** The token in use is about to end. One that does so as soon as it is said is not renewed at once. */
  expire(): void {
    if (!this.isRenewable || this.isRenewing) return;
    this.isRenewing = true;
    const isStable = this.environment.now() - this.renewedAt >= STABLE;
    if (isStable) this.backoff.reset();
    this.renewIn(isStable ? 0 : this.backoff.next());
  }

  /** Returns whether it was an answer to the last token. */
  answer(answer: Answer): boolean {
    const { said } = this;
    if (answer.ref !== said?.ref) return false;
    this.said = null;
    if (answer.kind === "taken") this.acknowledge(said.token);
    else this.fail(new RequestError(answer.code, answer.message));
    return true;
  }

  private renew(): void {
    const say = (token?: string) => {
      if (token === undefined) return;
      const ref = this.holder.ref();
      this.said = { ref, token };
      this.send(JSON.stringify({ type: "sync:token", token, ref }));
    };
    this.ask(say, (error) => this.fail(error));
  }

  private renewIn(delay: number): void {
    this.cancelTimer = this.environment.schedule(() => this.renew(), delay);
  }

  /** The relay hangs up when it is too late. */
  private fail(error: unknown): void {
    this.renewIn(this.backoff.next());
    this.holder.report(error);
  }

  private acknowledge(token: string): void {
    this.isRenewing = false;
    this.renewedAt = this.environment.now();
    try {
      this.holder.introduce(subjectOf(token));
    } catch (error) {
      this.holder.report(error); // a relay without keys takes any
    }
  }

  private ask(use: (token?: string) => void, fail: (error: unknown) => void): void {
    const { source } = this;
    if (typeof source === "function") this.call(source, use, fail);
    else use(source);
  }

  /** Not in this very call, since the source may end the client. */
  private call(
    source: () => string | Promise<string>,
    use: (token: string) => void,
    fail: (error: unknown) => void,
  ): void {
    this.turn += 1;
    const { turn } = this;
    const ifDue =
      <Value>(action: (value: Value) => void) =>
      (value: Value) => {
        if (turn === this.turn) action(value);
      };
    Promise.resolve()
      .then(() => (turn === this.turn ? source() : ""))
      .then(demandToken)
      .then(ifDue(use))
      .catch(ifDue(fail));
  }
}
