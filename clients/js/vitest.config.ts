import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

const file = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const source = (name: string) => file(`src/${name}`);
const module = (name: string) => file(`node_modules/${name}`);

export default defineConfig({
  resolve: {
    alias: [
      { find: /^syncrelay$/, replacement: source("index.ts") },
      { find: /^syncrelay\/react$/, replacement: source("react.ts") },
      { find: /^syncrelay\/svelte$/, replacement: source("svelte.ts") },
      { find: /^syncrelay\/tanstack-query$/, replacement: source("tanstack_query.ts") },
      { find: /^syncrelay\/vue$/, replacement: source("vue.ts") },
      // As in a browser; by Node's conditions it is the one that renders on servers.
      { find: /^svelte$/, replacement: module("svelte/src/index-client.js") },
    ],
  },
  test: {
    include: ["tests/**/*.test.{ts,tsx}"],
    maxWorkers: 2,
    // For what hangs. Compilers and npm take as long as a busy machine lets them; where time matters, tests say so.
    testTimeout: 180_000,
    hookTimeout: 60_000,
  },
});
