import { Dealer } from "zeromq";

interface Answer {
  readonly ok: boolean;
  readonly error?: { readonly code: string; readonly message: string };
  readonly state?: Readonly<Record<string, unknown>>;
  readonly events?: readonly Handed[];
  readonly closed?: number;
}

/** What a client has said, as the relay hands it out. */
export interface Handed {
  readonly n: number;
  readonly id?: string;
  readonly channel: string;
  readonly attempt: number;
  readonly data: { readonly type: string; readonly data: unknown; readonly ref?: string };
}

const PATIENCE = 300; // ms until a request is sent again

/** The control socket's other end: asks until it is answered, also across restarts of the relay. */
export class Control {
  private readonly socket: Dealer;
  private requests = 0;

  constructor(endpoint: string) {
    const retry = { reconnectInterval: 20, receiveTimeout: PATIENCE };
    this.socket = new Dealer({ linger: 0, ...retry });
    this.socket.connect(endpoint);
  }

  /** Sends a command until the relay says yes; its id makes it take effect once. */
  async confirm(command: object): Promise<void> {
    await this.ask({ ...command, id: `command-${this.requests}` });
  }

  async state(): Promise<Readonly<Record<string, unknown>>> {
    return (await this.ask({ op: "state" })).state ?? {};
  }

  /** What the clients have said and nobody has been given; it is done with that. */
  async receive(): Promise<readonly Handed[]> {
    const { events = [] } = await this.ask({ op: "receive", max: 1_000, wait: 0, lease: 600 });
    if (events.length > 0) await this.ask({ op: "done", n: events.map(({ n }) => n) });
    return events;
  }

  /** Closes the connections of an identity. Returns how many. */
  async disconnect(id: string, code: number, reason: string): Promise<number> {
    return (await this.ask({ op: "disconnect", id, code, reason })).closed ?? 0;
  }

  close(): void {
    this.socket.close();
  }

  private async ask(request: object, tries = 50): Promise<Answer> {
    const number = `${this.requests}`;
    this.requests += 1;
    for (let attempt = 0; attempt < tries; attempt += 1) {
      await this.socket.send([number, JSON.stringify(request)]);
      const answer = await this.answerTo(number);
      if (answer?.ok) return answer;
      if (answer) throw new Error(`${JSON.stringify(request)}: ${JSON.stringify(answer.error)}`);
    }
    throw new Error(`${tries} times no answer to ${JSON.stringify(request)}`);
  }

  /** Null when none came in time. Answers to earlier requests, which were sent twice, are passed over. */
  private async answerTo(number: string): Promise<Answer | null> {
    for (;;) {
      const frames = await this.socket.receive().catch(whenTimedOut);
      if (!frames) return null;
      if (String(frames[0]) === number) return JSON.parse(String(frames.at(-1)));
    }
  }
}

function whenTimedOut(error: NodeJS.ErrnoException): null {
  if (error.code === "EAGAIN") return null;
  throw error;
}
