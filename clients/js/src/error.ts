/** What the relay sent is not what the contract says. The client starts over with a fresh snapshot. */
export class ProtocolError extends Error {
  override readonly name = "ProtocolError";
}

/**
 * The relay closed the connection for good: with 1008 (policy), 4403 (this page may not connect; the reason names
 * the relay's option that would let it; or its token allows nothing that it asked for), or another of 4400 to 4499, but for 4429, as
 * a backend's `disconnect` may say, and for 4401 where the option `token` is a function.
 * It would refuse this client again, so nothing retries.
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

/**
 * An attempt to connect did not come about, in the platform's own words: nobody listens, the certificate is not believed, an
 * answer that is no WebSocket's. Browsers tell scripts nothing of it. It is told once until another one comes, or a
 * connection; the client tries on.
 */
export class ConnectError extends Error {
  override readonly name = "ConnectError";
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

/** What was asked of the relay (`identify`, `send`, `publish`, a token) has not been done, or nobody knows whether it has. */
export class RequestError extends Error {
  override readonly name = "RequestError";

  /**
   * `code` is the relay's (`no_backend`, `inbox_full`, `forbidden`, `identity_not_allowed`, `invalid_id`, `invalid_info`,
   * `id_is_fixed`, `token_invalid`, `token_expired`, …), or this client's: `outbox_full`, `message_too_large`, `invalid_type`, `lone_surrogate`,
   * `identity_changed`, `timeout`, `closed`. After the last three it may have been done all the same. `reason` says it in words.
   */
  constructor(
    readonly code: string,
    readonly reason: string,
  ) {
    super(`${reason || "no reason given"} (${code})`);
  }
}
