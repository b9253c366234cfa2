/** Svelte components from their source, in a page whose relay the test plays. */

import type { Component } from "svelte";
import { compile } from "svelte/compiler";
import { saved } from "./snippets.js";

/** `server` renders to HTML. Modules are imported from where the tests find them. */
export async function component(
  name: string,
  source: string,
  generate: "client" | "server" = "client",
): Promise<Component<Record<string, unknown>>> {
  const { js } = compile(source, { name, generate, dev: false });
  return (await import(/* @vite-ignore */ saved(`${name}.${generate}.js`, js.code))).default;
}
