const POLICY = 1008; // the relay's policy,
const FINAL = [4400, 4499] as const; // and the first and the last of those that are final, but for TOO_FAST

/** The relay hung up on a message over its bound. */
export const TOO_LARGE = 1009;

/** The relay asks for a token, or for another one. */
export const NO_TOKEN = 4401;

/** The relay hung up on a client that had said too much. */
export const TOO_FAST = 4429;

/** Ours, for a connection that is of no more use. */
export const ABANDONED = 4000;

/** Whether the relay would refuse this client again, as long as it comes with the same token. */
export function isFinal(code: number): boolean {
  const [first, last] = FINAL;
  return code === POLICY || (code >= first && code <= last && code !== TOO_FAST);
}
