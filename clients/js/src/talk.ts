import type { Answer, Expiring } from "./message.js";

/** What the client says of its own accord over one connection after another: what lets it in, and what waits for an answer. */
export interface Talk {
  /** Names this client in each address. */
  readonly session: string;
  readonly isEmpty: boolean;
  /** Whether another token may be had where the relay does not take one. */
  readonly isRenewable: boolean;
  /**
   * Gives the token for a new connection (undefined: none) to `use`, or what went wrong to `fail`. Where it is renewable it calls
   * one of them later, if at all, and neither after `lose()`; else `use`, in this very call.
   */
  authorize(use: (token?: string) => void, fail: (error: unknown) => void): void;
  /** A connection is open. `greet` says who this is, and what channels to follow. */
  begin(send: (text: string) => void, greet: () => void): void;
  lose(): void;
  take(message: Answer | Expiring): void;
  /** The relay has hung up on a message that was too large. */
  takeTooLarge(): void;
}
