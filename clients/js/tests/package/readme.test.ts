/** What README.md and pages of docs show compiles, and its numbers are true. */

import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { scriptOf, snippetsOf } from "../fakes/snippets.js";
import { Consumer, ROOT } from "./consumer.js";

// The one package that is shown and not installed.
const REACT_NATIVE = `declare module "react-native" {
  export const AppState: {
    addEventListener(type: "change", listener: (state: string) => void): { remove(): void };
  };
}
`;

const own = snippetsOf(`${ROOT}/README.md`).filter(({ language }) => language !== "sh");
// The others there are run without having types (frontends.test.tsx).
const others = snippetsOf(`${ROOT}/../../docs/frontends.md`).filter(
  ({ language }) => language === "tsx",
);
const pages = ["tutorial", "tokens"].flatMap((page) =>
  snippetsOf(`${ROOT}/../../docs/${page}.md`).filter(({ language }) => language === "ts"),
);
const snippets = [...own, ...others, ...pages].map(({ language, code }) =>
  language === "html" ? { language: "ts", code: scriptOf(code) } : { language, code },
);

test.each(snippets.map((snippet, index) => ({ ...snippet, index })))(
  "snippet $index ($language) compiles",
  ({ language, code, index }) => {
    expect(["ts", "tsx"]).toContain(language);
    expect(code).toContain('from "syncrelay');
    const consumer = new Consumer(`readme-${index}`)
      .write(`snippet.${language}`, code)
      .write("react_native.d.ts", REACT_NATIVE);
    const lib = ["ES2022", "DOM"];
    const options = { module: "esnext", moduleResolution: "bundler", lib, types: ["node"] };
    expect(consumer.complaints({ ...options, skipLibCheck: true })).toBe("");
  },
);

test("README.md shows snippets", () => {
  expect(snippets.length).toBeGreaterThan(4);
});

test.each(["README.md", "../../docs/tutorial.md"])("the size that %s gives is true", (file) => {
  const size = gzipSync(readFileSync(`${ROOT}/dist/syncrelay.min.js`)).length;
  const [, told] = /\b(\d+\.\d) KB\b/.exec(readFileSync(`${ROOT}/${file}`, "utf8")) ?? [];
  expect(size).toBeLessThanOrEqual(Number(told) * 1000);
  expect(size).toBeGreaterThan(Number(told) * 1000 - 100);
});

test("README.md names the file that npm packs", () => {
  const { name, version } = JSON.parse(readFileSync(`${ROOT}/package.json`, "utf8"));
  expect(readFileSync(`${ROOT}/README.md`, "utf8")).toContain(`/${name}-${version}.tgz`);
});
