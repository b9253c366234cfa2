import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

const source = (file: string) => fileURLToPath(new URL(`src/${file}`, import.meta.url));

export default defineConfig({
  resolve: {
    alias: [
      { find: /^syncrelay$/, replacement: source("index.ts") },
      { find: /^syncrelay\/react$/, replacement: source("react.ts") },
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
