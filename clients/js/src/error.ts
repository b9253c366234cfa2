/** What the relay sent is not what the contract says. The client starts over with a fresh snapshot. */
export class ProtocolError extends Error {
  override readonly name = "ProtocolError";
}

/** The relay closed the connection with 1008: it would refuse this client again, so nothing retries. */
export class RefusedError extends Error {
  override readonly name = "RefusedError";
  readonly code = 1008;

  /** `reason` is the relay's own words; empty when it gave none. */
  constructor(readonly reason: string) {
    super(`the relay refused this client (close code 1008): ${reason || "no reason given"}`);
  }
}
