import { writeFileSync } from "node:fs";
import type { Options } from "../../src/index.js";
import { SECRET } from "../fakes/jwt.js";
import { Backend } from "./backend.js";
import { Control } from "./control.js";
import { Link } from "./link.js";
import { RelayProcess, RuntimeDirectory } from "./relay_process.js";
import { until } from "./until.js";
import { Witness } from "./witness.js";

/** What one test starts, in one runtime directory; `tearDown` ends it all in reverse. */
export class Setup {
  private readonly directory = new RuntimeDirectory();
  private readonly endings: (() => Promise<void> | void)[] = [() => this.directory.remove()];

  /** Flag and place of a relay's storage, which outlives it. */
  get storage(): string[] {
    return ["--data", `${this.directory.path}/data`];
  }

  /** Flag and place of the key that verifies the tokens of `jwt`. */
  get tokens(): string[] {
    const file = `${this.directory.path}/key`;
    writeFileSync(file, SECRET);
    return ["--token-key", file];
  }

  async relay(flags: readonly string[] = [], port = 0): Promise<RelayProcess> {
    const relay = await RelayProcess.start(this.directory, { port, flags });
    this.endings.push(() => relay.stop());
    return relay;
  }

  backend({ commands }: RelayProcess): Backend {
    const backend = new Backend(commands);
    this.endings.push(() => backend.close());
    return backend;
  }

  control({ control }: RelayProcess): Control {
    const socket = new Control(control);
    this.endings.push(() => socket.close());
    return socket;
  }

  async link({ port }: RelayProcess): Promise<Link> {
    const link = await Link.to(port);
    this.endings.push(() => link.close());
    return link;
  }

  /** A client, wherever it stands. */
  witness(url: string, options: Options = {}): Witness {
    const witness = new Witness(url, options);
    this.endings.push(() => witness.client.close());
    return witness;
  }

  async liveWitness(url: string, options: Options = {}): Promise<Witness> {
    const witness = this.witness(url, options);
    await until("the client is live", () => witness.isLive);
    return witness;
  }

  async tearDown(): Promise<void> {
    for (const end of this.endings.reverse()) await end();
  }
}
