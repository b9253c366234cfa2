import { spawnSync } from "node:child_process";
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

export const ROOT = fileURLToPath(new URL("../..", import.meta.url));

const COMPILER = `${ROOT}/node_modules/typescript/bin/tsc`;
const OLD_COMPILER = `${ROOT}/node_modules/typescript5/bin/tsc`;

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

  /** Puts the package where it is looked up by those that know no exports; its neighbours are found from there. */
  link(): this {
    mkdirSync(`${this.folder}/node_modules`);
    symlinkSync(ROOT, `${this.folder}/node_modules/syncrelay`);
    return this;
  }

  /** What the compiler complains about, by strict rules that look into the package's types, too. */
  complaints(options: object, compiler = COMPILER): string {
    const strict = { strict: true, noEmit: true, jsx: "react-jsx", types: [] };
    const config = { compilerOptions: { ...strict, ...options }, include: ["."] };
    this.write("tsconfig.json", JSON.stringify(config));
    return this.run(compiler, "-p", this.folder);
  }

  /** What TypeScript 5 complains about when it looks modules up as Node 10 did, which later ones cannot. */
  complaintsOfOldLookUp(): string {
    const options = { module: "commonjs", moduleResolution: "node10", target: "es2022" };
    return this.complaints({ ...options, lib: ["ES2022"], esModuleInterop: true }, OLD_COMPILER);
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
