/** What the relay sent is not what the contract says. The client starts over with a fresh snapshot. */
export class ProtocolError extends Error {
  override readonly name = "ProtocolError";
}

/**
 * The relay closed the connection with 1008 (policy) or 4403 (this page may not connect; the reason names
 * the relay's option that would let it): it would refuse this client again, so nothing retries.
 */
export class RefusedError extends Error {
  override readonly name = "RefusedError";

  /** `code`: the close code. `reason` is the relay's own words; empty when it gave none. */
  constructor(
    readonly code: number,
    readonly reason: string,
  ) {
    super(`the relay refused this client (close code ${code}): ${reason || "no reason given"}`);
  }
}

/** The relay does not let this client follow a channel. The connection and all other channels go on. */
export class ChannelRefusedError extends Error {
  override readonly name = "ChannelRefusedError";

  /** `code`: `forbidden`, `invalid_channel`, `too_many_subscriptions`, `channels_full`. `reason` is the relay's own words. */
  constructor(
    readonly channel: string,
    readonly code: string,
    readonly reason: string,
  ) {
    super(`the relay refused the channel "${channel}" (${code}): ${reason || "no reason given"}`);
  }
}
