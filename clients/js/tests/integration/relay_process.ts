import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { until } from "./until.js";

interface Ready {
  readonly port: number;
  readonly commands: readonly string[];
  readonly control: readonly string[];
}

const BUILT = fileURLToPath(new URL("../../../../build/syncrelay", import.meta.url));
const BINARY = process.env.SYNCRELAY_BINARY || BUILT;

/** A directory for sockets; what runs in it may be restarted. */
export class RuntimeDirectory {
  readonly path = mkdtempSync(join(tmpdir(), "syncrelay-js-"));

  remove(): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}

/** The real relay on a free port, or on the one that its predecessor had. */
export class RelayProcess {
  private constructor(
    private readonly child: ChildProcess,
    private readonly ready: Ready,
  ) {}

  static async start(
    directory: RuntimeDirectory,
    { port = 0, flags = [] }: { port?: number; flags?: readonly string[] } = {},
  ): Promise<RelayProcess> {
    const fixed = ["--host", "127.0.0.1", "--port", `${port}`, "--runtime-dir", directory.path];
    const child = spawn(BINARY, [...fixed, ...flags], { stdio: ["ignore", "pipe", "pipe"] });
    let log = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      log += text;
    });
    const failed = once(child, "error").then(([error]) => Promise.reject(error));
    const exited = once(child, "exit").then(([code]) =>
      Promise.reject(new Error(`${BINARY} exited with ${code} before it was ready:\n${log}`)),
    );
    exited.catch(() => {}); // of interest only before the ready line
    const line = once(createInterface({ input: child.stdout }), "line");
    const [text] = await Promise.race([line, failed, exited]);
    return new RelayProcess(child, JSON.parse(text));
  }

  get port(): number {
    return this.ready.port;
  }

  /** Where commands are pushed to. */
  get commands(): string {
    return this.ready.commands[0] ?? "";
  }

  /** Where commands and queries are answered. */
  get control(): string {
    return this.ready.control[0] ?? "";
  }

  get url(): string {
    return `ws://127.0.0.1:${this.port}/ws/sync`;
  }

  /** It stands still, and its connections with it. A signal takes its time: without waiting it still answers. */
  async freeze(): Promise<void> {
    this.child.kill("SIGSTOP");
    await until("the relay stands still", () =>
      this.threadStates().every((state) => state === "T"),
    );
  }

  thaw(): void {
    this.child.kill("SIGCONT");
  }

  /** kill -9. */
  kill(): Promise<void> {
    return this.end("SIGKILL");
  }

  stop(): Promise<void> {
    return this.end("SIGTERM");
  }

  private async end(signal: NodeJS.Signals): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const exited = once(this.child, "exit");
    this.child.kill(signal);
    this.thaw();
    await exited;
  }

  private threadStates(): string[] {
    const tasks = `/proc/${this.child.pid}/task`;
    return readdirSync(tasks).map((task) => {
      const stat = readFileSync(`${tasks}/${task}/stat`, "utf8");
      return stat.charAt(stat.lastIndexOf(")") + 2);
    });
  }
}
