/** What README.md shows compiles. */

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

test.each(snippetsOf(`${ROOT}/README.md`).map((snippet, index) => ({ ...snippet, index })))(
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
  expect(snippetsOf(`${ROOT}/README.md`).length).toBeGreaterThan(4);
});

test("the number that README.md gives for the size is true", () => {
  const size = gzipSync(readFileSync(`${ROOT}/dist/syncrelay.min.js`)).length;
  expect(size).toBeLessThanOrEqual(4_200);
});
