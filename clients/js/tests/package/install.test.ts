/** The package as npm gives it to another project. */

import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { ROOT } from "./consumer.js";
import { npm, pack } from "./npm.js";

let project: string;

beforeEach(() => {
  project = mkdtempSync(join(tmpdir(), "syncrelay-npm-"));
  writeFileSync(join(project, "package.json"), '{ "name": "project", "private": true }');
});

afterEach(() => rmSync(project, { recursive: true, force: true }));

test("a packed file has the license, the words to it, and no file of the workshop", () => {
  const paths = pack("--dry-run").files.map(({ path }) => path);
  expect(paths).toEqual(expect.arrayContaining(["LICENSE", "README.md", "package.json"]));
  expect(paths).toContain("dist/syncrelay.min.js");
  expect(paths.filter((path) => !/^(dist\/|LICENSE$|README|package.json$)/.test(path))).toEqual([]);
});

test("the license is MIT, and package.json says so", () => {
  const text = readFileSync(`${ROOT}/LICENSE`, "utf8");
  expect(text).toMatch(
    /^MIT License\n\nCopyright \(c\) 2026 The syncrelay authors\n\nPermission is/,
  );
  const description = JSON.parse(readFileSync(`${ROOT}/package.json`, "utf8"));
  expect(description.license).toBe("MIT");
});

test("packing builds first", () => {
  const { scripts } = JSON.parse(readFileSync(`${ROOT}/package.json`, "utf8"));
  expect(scripts.prepack).toMatch(/^npm run build && /);
  expect(npm(ROOT, "config", "get", "ignore-scripts").stdout.trim()).toBe("false");
});

test("a packed file is installed without a React of its own", () => {
  const { filename } = pack("--pack-destination", project);
  const { status } = npm(project, "install", "--offline", "--no-audit", `./${filename}`);
  expect(status).toBe(0);
  expect(existsSync(join(project, "node_modules/syncrelay/dist/esm/react.js"))).toBe(true);
  expect(existsSync(join(project, "node_modules/react"))).toBe(false);
  expect(existsSync(join(project, "node_modules/vue"))).toBe(false);
  expect(existsSync(join(project, "node_modules/syncrelay/node_modules"))).toBe(false);
});

test("installing the folder, which would bring a second React, is refused with a way out", () => {
  const { status, stderr } = npm(project, "install", "--offline", "--no-audit", ROOT);
  expect(status).not.toBe(0);
  expect(stderr).toContain("cannot be installed as a link");
  expect(stderr).toContain("npm ci && npm pack");
  expect(existsSync(join(project, "node_modules/syncrelay"))).toBe(false);
});

test("React and Vue are peers that may be missing", () => {
  const description = JSON.parse(readFileSync(`${ROOT}/package.json`, "utf8"));
  expect(description.peerDependencies).toEqual({ react: ">=18", vue: ">=3.3" });
  const optional = { optional: true };
  expect(description.peerDependenciesMeta).toEqual({ react: optional, vue: optional });
  expect(description.optionalDependencies).toBeUndefined();
});
