/** What README.md shows compiles, and its numbers are true. */

import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { Consumer, ROOT } from "./consumer.js";

interface Snippet {
  readonly language: string;
  readonly code: string;
}

// The one package that is shown and not installed.
const REACT_NATIVE = `declare module "react-native" {
  export const AppState: {
    addEventListener(type: "change", listener: (state: string) => void): { remove(): void };
  };
}
`;

function snippetsOf(file: string): readonly Snippet[] {
  const text = readFileSync(file, "utf8");
  return [...text.matchAll(/^```(\w+)\n(.*?)^```$/gms)].map(([, language = "", code = ""]) =>
    language === "html" ? { language: "ts", code: scriptOf(code) } : { language, code },
  );
}

function scriptOf(page: string): string {
  const script = /<script type="module">(.*)<\/script>/s.exec(page)?.[1] ?? "";
  return script.replace("./syncrelay.js", "syncrelay");
}

const snippets = snippetsOf(`${ROOT}/README.md`).filter(({ language }) => language !== "sh");

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

test.each(["README.md", "../../README.md"])("the size that %s gives is true", (file) => {
  const size = gzipSync(readFileSync(`${ROOT}/dist/syncrelay.min.js`)).length;
  const [, told] = /\b(\d+\.\d) KB\b/.exec(readFileSync(`${ROOT}/${file}`, "utf8")) ?? [];
  expect(size).toBeLessThanOrEqual(Number(told) * 1000);
  expect(size).toBeGreaterThan(Number(told) * 1000 - 100);
});

test("README.md names the file that npm packs", () => {
  const { name, version } = JSON.parse(readFileSync(`${ROOT}/package.json`, "utf8"));
  expect(readFileSync(`${ROOT}/README.md`, "utf8")).toContain(`/${name}-${version}.tgz`);
});
