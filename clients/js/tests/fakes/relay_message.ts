/** Messages as a relay writes them. */

export const EPOCH = "9f2c61d0a7b34e55";
export const TS = 1_763_838_000;

interface Details {
  readonly epoch?: string;
  readonly ts?: number;
  readonly skipped?: number;
}

/** A message of a named channel: the name stands behind the type. */
export function inChannel(channel: string, message: object): object {
  const { type, ...more } = message as { type: string };
  return { type, channel, ...more };
}

export function unsubscribed(channel: string, more: object = {}): object {
  return { type: "sync:unsubscribed", channel, ...more };
}

export function dropped(channel: string, more: object = {}): object {
  return unsubscribed(channel, { reason: "dropped", ...more });
}

export function refused(channel: string, code = "forbidden", message = "not for you"): object {
  return { type: "sync:refused", channel, code, message };
}

export function snapshot(seq: number, data: object = {}, details: Details = {}): object {
  return { type: "sync:full", data, ts: TS, seq, epoch: EPOCH, ...details };
}

export function resume(seq: number, to: number, details: Details = {}): object {
  return {
    type: "sync:resume",
    data: { from: seq + 1, to },
    ts: TS,
    seq,
    epoch: EPOCH,
    ...details,
  };
}

export function event(seq: number, type = "tick", data: unknown = null, more: object = {}): object {
  return { type, data, ts: TS, seq, ...more };
}

/** Events with the positions from `first` to `last`. */
export function events(first: number, last: number): object[] {
  return Array.from({ length: last - first + 1 }, (_, index) => event(first + index));
}

export const ping = { type: "ping" };

export function ack(ref: unknown): object {
  return { type: "sync:ack", ref };
}

export function refusal(ref: unknown, code: string, message = "because"): object {
  return { type: "sync:error", ref, code, message };
}

/** A member as snapshots show it. */
export function member(info: object = {}, since: number = TS): object {
  return { info, since };
}
