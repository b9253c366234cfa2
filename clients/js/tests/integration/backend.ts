import { Push } from "zeromq";

/** A backend: pushes commands into a relay's socket, also across its restarts. */
export class Backend {
  private readonly socket = new Push({ linger: 0, reconnectInterval: 20, sendHighWaterMark: 0 });

  constructor(endpoint: string) {
    this.socket.connect(endpoint);
  }

  async push(...commands: readonly object[]): Promise<void> {
    for (const command of commands) await this.socket.send(JSON.stringify(command));
  }

  set(key: string, value: unknown): Promise<void> {
    return this.push({ op: "set", key, value });
  }

  merge(key: string, value: unknown): Promise<void> {
    return this.push({ op: "merge", key, value });
  }

  delete(key: string): Promise<void> {
    return this.push({ op: "delete", key });
  }

  broadcast(type: string, data: unknown = null, set?: Record<string, unknown>): Promise<void> {
    const change = set ? { set } : {};
    return this.push({ op: "broadcast", type, data, ...change });
  }

  /** Events of type `tick` whose data count from `first` to `last`. */
  async tick(first: number, last: number, padding = ""): Promise<void> {
    for (let number = first; number <= last; number += 1) {
      await this.broadcast("tick", padding ? { number, padding } : { number });
    }
  }

  close(): void {
    this.socket.close();
  }
}
