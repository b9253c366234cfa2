/** Svelte components from their source, in a page whose relay the test plays. */

import { mkdirSync, writeFileSync } from "node:fs";
import type { Component } from "svelte";
import { compile } from "svelte/compiler";

const FOLDER = `${import.meta.dirname}/../../.cache/svelte`;

/** `server` renders to HTML. Modules are imported from where the tests find them. */
export async function component(
  name: string,
  source: string,
  generate: "client" | "server" = "client",
): Promise<Component<Record<string, unknown>>> {
  const { js } = compile(source, { name, generate, dev: false });
  mkdirSync(FOLDER, { recursive: true });
  const file = `${FOLDER}/${name}.${generate}.js`;
  writeFileSync(file, js.code);
  return (await import(/* @vite-ignore */ file)).default;
}
