import type { Environment } from "./environment.js";
import { RequestError } from "./error.js";
import { isEqual, type JsonObject } from "./json.js";
import type { Answer, Rejected } from "./message.js";
import type { Position } from "./position.js";

const ID = /^[\w.:~/-]{1,64}$/;
const RULE = "an id is 1 to 64 of A-Z a-z 0-9 _ . : ~ - /";
const LARGEST_INFO = 1_024; // bytes
const AGAIN = 2_000; // ms after the relay has said that it was too fast

/** Who the client is. */
interface Claim {
  readonly id: string;
  /** Left out: what the relay knows of other connections, or nothing. */
  readonly info?: JsonObject;
}

interface Waiter {
  readonly claim: Claim;
  readonly resolve: () => void;
  readonly reject: (error: RequestError) => void;
}

/** What the identity needs of the client. */
export interface Herald {
  /** A ref that has not been given before. */
  readonly ref: () => string;
  /** Follows the personal channel, which is done by saying `hello`. */
  readonly follow: (name: string) => void;
  /** Asks for the personal channel again, where it was refused. */
  readonly retry: (name: string) => void;
  /** Says `hello` again on a connection where the personal channel is followed; nothing where there is none. */
  readonly repeat: () => void;
  /** The relay does not know the identity any more, or never did. */
  readonly unfollow: (name: string, error: RequestError) => void;
  /** A refusal that nobody waits for: of what the relay had acknowledged before. */
  readonly report: (error: RequestError) => void;
}

/**
 * Who the client says it is, to one relay after another: told first thing on each connection, with the position in the
 * personal channel, and again when its info changes; or who a token says that it is. One `hello` is on its way at a time; what changes meanwhile
 * follows when that is answered. No I/O.
 */
export class Identity {
  private claim: Claim | null = null; // what the relay is to know
  private known: Claim | null = null; // what a relay has acknowledged last
  private said: { readonly ref: string; readonly claim: Claim } | null = null; // without an answer yet
  private readonly waiters: Waiter[] = [];
  private over: string | null = null; // why nothing is said any more
  private given: string | null = null; // the id that a token names
  private cancelTimer = () => {};

  constructor(
    private readonly schedule: Environment["schedule"],
    private readonly herald: Herald,
  ) {}

  get id(): string | null {
    return this.given ?? this.claim?.id ?? null;
  }

  /** Whether a token says who the client is: it is known from the start of a connection, and says no `hello`. */
  get isGiven(): boolean {
    return this.given !== null;
  }

  /** The name of the personal channel that `hello` follows; null: none. */
  get channel(): string | null {
    return this.claim && `@${this.claim.id}`;
  }

  /** Resolves when the relay has acknowledged it; rejects with RequestError. Again with the same id: new info, where it is given. */
  take(id: string, info?: object): Promise<void> {
    return new Promise((resolve, reject) => {
      const claim = this.claimOf(id, info);
      if (claim === this.known) resolve();
      else this.waiters.push({ claim, resolve, reject });
      const isNew = this.claim === null;
      if (this.claim === claim) return;
      this.claim = claim;
      if (isNew) this.herald.follow(`@${id}`);
      else this.repeat();
    });
  }

  /** The token in use names this id; null: none. Throws RequestError where the client is somebody else already. */
  give(id: string | null): void {
    const known = this.given ?? (id && this.known?.id);
    if (known && known !== id) throw fixed(known);
    if (id === null) return;
    if (this.given === null) this.adopt(id);
    else this.herald.retry(`@${id}`);
  }

  /** The words that say who this is, and where the personal channel stands. */
  hello(position: Position | null): string {
    this.cancelTimer();
    const { claim } = this;
    if (!claim) throw new Error("nobody to say hello for");
    const ref = this.herald.ref();
    this.said = { ref, claim };
    return JSON.stringify({ type: "sync:hello", ...claim, ...position, ref });
  }

  /** Returns whether it was an answer to the last words. */
  answer(answer: Answer): boolean {
    const { said } = this;
    if (answer.ref !== said?.ref) return false;
    this.said = null;
    if (answer.kind === "taken") this.acknowledge(said.claim);
    else if (answer.code === "rate_limited") {
      this.cancelTimer = this.schedule(() => this.repeat(), AGAIN);
    } else this.giveUp(said.claim, answer);
    return true;
  }

  /** The connection is gone. */
  lose(): void {
    this.cancelTimer();
    this.said = null;
  }

  /** Nothing is said any more; `reason` says why. */
  end(reason: string): void {
    this.over ??= reason;
    this.lose();
    for (const { reject } of this.waiters.splice(0)) reject(new RequestError("closed", reason));
  }

  private demandFree(): void {
    if (this.over !== null) throw new RequestError("closed", this.over);
    if (this.given !== null) throw tokenSays(this.given);
  }

  private claimOf(id: string, given?: object): Claim {
    const text = given && JSON.stringify(given);
    this.demandFree();
    if (!ID.test(id)) throw new RequestError("invalid_id", RULE);
    if (text !== undefined && (!text.startsWith("{") || bytesOf(text) > LARGEST_INFO)) {
      throw new RequestError("invalid_info", `info is an object of up to ${LARGEST_INFO} bytes`);
    }
    if (this.claim && this.claim.id !== id) throw fixed(this.claim.id);
    const info: JsonObject | undefined = text === undefined ? this.claim?.info : JSON.parse(text);
    if (this.claim && isEqual(this.claim.info, info)) return this.claim;
    return info ? { id, info } : { id };
  }

  /** From now on the token tells; what was claimed is not told any more. */
  private adopt(id: string): void {
    const { claim } = this;
    this.lose();
    this.given = id;
    this.claim = null;
    this.known = null;
    const error = tokenSays(id);
    for (const { reject } of this.waiters.splice(0)) reject(error);
    if (claim?.id === id) return;
    if (claim) this.herald.unfollow(`@${claim.id}`, error);
    this.herald.follow(`@${id}`);
  }

  private acknowledge(claim: Claim): void {
    this.known = claim;
    for (const { resolve } of this.takeWaiters(claim)) resolve();
    if (this.claim !== claim) this.repeat();
  }

  /** Back to what the relay has known, unless it is that which it does not know any more. */
  private giveUp(claim: Claim, { code, message }: Rejected): void {
    const error = new RequestError(code, message);
    const waiters = this.takeWaiters(claim);
    for (const { reject } of waiters) reject(error);
    if (waiters.length === 0) this.herald.report(error);
    if (this.claim !== claim) this.repeat();
    else if (this.known && this.known !== claim) {
      this.claim = this.known;
      this.repeat();
    } else {
      this.claim = null;
      this.known = null;
      this.herald.unfollow(`@${claim.id}`, error);
    }
  }

  private repeat(): void {
    if (!this.said) this.herald.repeat();
  }

  /** Those who wait for a claim, or for one that it has replaced. */
  private takeWaiters(claim: Claim): Waiter[] {
    const last = this.waiters.map((waiter) => waiter.claim).lastIndexOf(claim);
    return this.waiters.splice(0, last + 1);
  }
}

function fixed(id: string): RequestError {
  return new RequestError("id_is_fixed", `this client is "${id}" already`);
}

function tokenSays(id: string): RequestError {
  return new RequestError("identity_not_allowed", `the token says who this client is: "${id}"`);
}

/** In UTF-8. */
function bytesOf(json: string): number {
  return encodeURIComponent(json).replace(/%../g, "x").length;
}
