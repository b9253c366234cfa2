import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";

/** The network between a client and a relay, with faults by name. */
export class Link {
  /** How many connections have been made through it. */
  connections = 0;
  private readonly pairs = new Set<readonly [client: Socket, relay: Socket]>();
  private isCut = false;

  private constructor(
    private readonly server: Server,
    private readonly relayPort: number,
  ) {
    server.on("connection", (client) => this.join(client));
  }

  static async to(relayPort: number): Promise<Link> {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    return new Link(server, relayPort);
  }

  get url(): string {
    const { port } = this.server.address() as AddressInfo;
    return `ws://127.0.0.1:${port}/ws/sync`;
  }

  /** Breaks every connection and refuses new ones. */
  cut(): void {
    this.isCut = true;
    this.breakAll();
  }

  mend(): void {
    this.isCut = false;
  }

  /** Passes nothing on any more and tells nobody: the connections that are there look alive. */
  stall(): void {
    for (const [client, relay] of this.pairs) {
      client.pause();
      relay.pause();
    }
  }

  /** Passes on what waits, and all that follows. */
  resume(): void {
    for (const [client, relay] of this.pairs) {
      client.resume();
      relay.resume();
    }
  }

  async close(): Promise<void> {
    this.breakAll();
    this.server.close();
    await once(this.server, "close");
  }

  private join(client: Socket): void {
    if (this.isCut) {
      client.destroy();
      return;
    }
    this.connections += 1;
    const relay = connect(this.relayPort, "127.0.0.1");
    const pair = [client, relay] as const;
    this.pairs.add(pair);
    for (const [from, to] of [pair, [relay, client] as const]) {
      from.on("data", (bytes) => {
        if (to.write(bytes)) return;
        from.pause();
        to.once("drain", () => from.resume());
      });
      from.on("error", () => {});
      from.on("close", () => {
        to.destroy();
        this.pairs.delete(pair);
      });
    }
  }

  private breakAll(): void {
    for (const [client, relay] of this.pairs) {
      client.destroy();
      relay.destroy();
    }
  }
}
