import { readFileSync } from "node:fs";

/** The wire examples that all of the project's languages read. Fails where a file has none. */
export function vectorsOf<Vector>(name: string): readonly Vector[] {
  const url = new URL(`../../../tests/vectors/${name}.json`, import.meta.url);
  const file: { readonly vectors: readonly Vector[] } = JSON.parse(readFileSync(url, "utf8"));
  if (file.vectors.length === 0) throw new Error(`${url.pathname} has no vectors`);
  return file.vectors;
}
