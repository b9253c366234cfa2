import { mkdirSync, readFileSync, writeFileSync } from "node:fs";

/** A block of code in a document. */
export interface Snippet {
  readonly language: string;
  readonly code: string;
}

export function snippetsOf(file: string): readonly Snippet[] {
  const text = readFileSync(file, "utf8");
  return [...text.matchAll(/^```(\w+)\n(.*?)^```$/gms)].map(([, language = "", code = ""]) => ({
    language,
    code,
  }));
}

/** The script of a page, which finds the package by its name. */
export function scriptOf(page: string): string {
  const script = /<script type="module">(.*)<\/script>/s.exec(page)?.[1] ?? "";
  return script.replace("./syncrelay.js", "syncrelay");
}

/** Puts code where the tests can import it. Returns the file. */
export function saved(name: string, code: string): string {
  const folder = `${import.meta.dirname}/../../.cache/snippets`;
  mkdirSync(folder, { recursive: true });
  writeFileSync(`${folder}/${name}`, code);
  return `${folder}/${name}`;
}
