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
  test: { include: ["tests/**/*.test.{ts,tsx}"], maxWorkers: 2, testTimeout: 30_000 },
});
