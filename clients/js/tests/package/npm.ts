import { spawnSync } from "node:child_process";
import { ROOT } from "./consumer.js";

/** Runs npm as from a shell: without what the npm that runs these tests has set. */
export function npm(folder: string, ...words: readonly string[]) {
  const clean = Object.entries(process.env).filter(([name]) => !/^(npm_|INIT_CWD)/i.test(name));
  const env = { ...Object.fromEntries(clean), NO_UPDATE_NOTIFIER: "1" };
  return spawnSync("npm", words, { cwd: folder, env, encoding: "utf8" });
}

export interface Packed {
  readonly filename: string;
  readonly files: readonly { readonly path: string }[];
}

/** Packs what is built. */
export function pack(...words: readonly string[]): Packed {
  const { stdout, stderr } = npm(ROOT, "pack", "--json", "--ignore-scripts", ...words);
  const packed = Object.values<Packed>(JSON.parse(stdout))[0];
  if (packed) return packed;
  throw new Error(stderr);
}
