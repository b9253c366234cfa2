import type { SocketConstructor } from "./socket.js";
import { demandToken, type TokenSource } from "./token.js";

/** Calls `wake` whenever it may be worth to try again at once. Returns how to stop that. */
export type WakeSource = (wake: () => void) => () => void;

export interface Options {
  /**
   * Seconds between the signs of life asked of the relay, a whole number from 1 to 300 (4). Where one is
   * missing the connection is doubtful; silence of 2.5 times that is death.
   */
  readonly heartbeat?: number | undefined;
  /** Longest delay before the first retry, in milliseconds (300); grows by half from retry to retry. */
  readonly retryFirst?: number | undefined;
  /** Longest delay before any retry, in milliseconds (20,000). */
  readonly retryLongest?: number | undefined;
  /**
   * Longest time for a snapshot to arrive, in milliseconds (60,000): how long a new connection may be silent.
   * A snapshot is one message, of which nothing is seen until all of it is there.
   */
  readonly snapshotLimit?: number | undefined;
  /**
   * Whether the default channel is followed all the time (true), as the address alone means, or only while somebody
   * listens to it, like any other. Without it nothing is connected to before a channel is followed.
   */
  readonly defaultChannel?: boolean | undefined;
  /**
   * How many messages a second `send` and `publish` say on end (15), after 16 at once; what is more waits. The relay's own
   * bound is its `--client-rate` (20 on end, 40 at once).
   */
  readonly sendRate?: number | undefined;
  /**
   * What lets this client in (a JWT), where the relay asks for one, and who it is there (`sub`). A function is called for each attempt
   * to connect and when the token is about to end; a text has no successor, and the client ends with it.
   */
  readonly token?: TokenSource | undefined;
  /** The class to open connections with, where there is no global one (Node before 22). */
  readonly WebSocket?: SocketConstructor | undefined;
  /** When to try at once; default: the browser comes online, the page becomes visible. */
  readonly wakeOn?: WakeSource | undefined;
  /** Hears what went wrong: a refusal, an attempt that failed (outside of browsers), a broken message, a listener that threw. Default: the console. */
  readonly onError?: ((error: unknown) => void) | undefined;
}

/** The options of a connection with nothing left open. Times in seconds and milliseconds as above. */
export interface Settings {
  readonly heartbeat: number;
  readonly retryFirst: number;
  readonly retryLongest: number;
  readonly snapshotLimit: number;
  readonly defaultChannel: boolean;
  readonly sendRate: number;
  readonly token: TokenSource | undefined;
}

/** Fills in defaults. Throws RangeError, or TypeError for a token, where a value makes no sense. */
export function settingsFrom(options: Options): Settings {
  const settings = {
    heartbeat: options.heartbeat ?? 4,
    retryFirst: options.retryFirst ?? 300,
    retryLongest: options.retryLongest ?? 20_000,
    snapshotLimit: options.snapshotLimit ?? 60_000,
    defaultChannel: options.defaultChannel ?? true,
    sendRate: options.sendRate ?? 15,
    token: options.token,
  };
  const { token } = settings;
  if (token !== undefined && typeof token !== "function") demandToken(token);
  demand("heartbeat", settings.heartbeat, 1, 300);
  demand("retryFirst", settings.retryFirst, 1, settings.retryLongest);
  demand("retryLongest", settings.retryLongest, 1, 86_400_000);
  demand("snapshotLimit", settings.snapshotLimit, 1_000, 86_400_000);
  demand("sendRate", settings.sendRate, 1, 1_000);
  return settings;
}

/** Throws RangeError for what is no whole number in these bounds. */
export function demand(name: string, value: number, least: number, most: number): void {
  if (Number.isInteger(value) && value >= least && value <= most) return;
  throw new RangeError(`${name} must be a whole number from ${least} to ${most}, not ${value}`);
}
