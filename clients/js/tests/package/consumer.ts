import { spawnSync } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

export const ROOT = fileURLToPath(new URL("../..", import.meta.url));

const COMPILER = `${ROOT}/node_modules/typescript/bin/tsc`;

/**
 * A project that uses the built package by its name: Node and TypeScript resolve that by the exports of
 * package.json, since the project lies within the package.
 */
export class Consumer {
  private readonly folder: string;

  constructor(name: string) {
    this.folder = `${ROOT}/.cache/consumers/${name}`;
    rmSync(this.folder, { recursive: true, force: true });
    mkdirSync(this.folder, { recursive: true });
  }

  write(file: string, text: string): this {
    writeFileSync(`${this.folder}/${file}`, text);
    return this;
  }

  /** What the compiler complains about, by strict rules that look into the package's types, too. */
  complaints(options: object): string {
    const strict = { strict: true, noEmit: true, jsx: "react-jsx", types: [] };
    const config = { compilerOptions: { ...strict, ...options }, include: ["."] };
    this.write("tsconfig.json", JSON.stringify(config));
    return this.run(COMPILER, "-p", this.folder);
  }

  /** What a file prints, with errors. */
  outputOf(file: string): string {
    return this.run(`${this.folder}/${file}`);
  }

  private run(...words: readonly string[]): string {
    const { stdout, stderr } = spawnSync(process.execPath, words, { encoding: "utf8" });
    return stdout + stderr;
  }
}
