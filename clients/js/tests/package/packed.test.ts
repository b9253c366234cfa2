/** What npm packs, judged by those who judge packages, and loaded as from a CDN. */

import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { publint } from "publint";
import { formatMessage } from "publint/utils";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ROOT } from "./consumer.js";
import { pack } from "./npm.js";

let folder: string;
let tarball: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "syncrelay-packed-"));
  tarball = join(folder, pack("--pack-destination", folder).filename);
  execFileSync("tar", ["-xzf", tarball, "-C", folder]);
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

const description = () => JSON.parse(readFileSync(join(folder, "package/package.json"), "utf8"));

test("publint finds no fault", async () => {
  const packed = new Uint8Array(readFileSync(tarball)).buffer;
  const { messages, pkg } = await publint({ pack: { tarball: packed }, strict: true });
  expect(messages.map((message) => formatMessage(message, pkg ?? {}))).toEqual([]);
});

test("attw finds the types of every entry, whoever looks them up", () => {
  const attw = join(ROOT, "node_modules/@arethetypeswrong/cli/dist/index.js");
  const words = [attw, tarball, "--format", "json"];
  const { status, stdout, stderr } = spawnSync(process.execPath, words, { encoding: "utf8" });
  expect(stderr).toBe("");
  const { analysis } = JSON.parse(stdout);
  expect(analysis.problems).toEqual([]);
  expect(Object.keys(analysis.entrypoints)).toEqual(Object.keys(description().exports));
  expect(status).toBe(0);
});

test("every file that package.json names is packed", () => {
  const named = JSON.stringify(description()).match(/\.\/dist\/[\w./]+/g) ?? [];
  expect(named.length).toBeGreaterThan(20);
  for (const path of named)
    expect(readFileSync(join(folder, "package", path)).length).toBeGreaterThan(0);
});

test("the bundle that CDNs are pointed to is the minified one, and runs by itself", () => {
  const { unpkg, jsdelivr } = description();
  expect([unpkg, jsdelivr]).toEqual(["./dist/syncrelay.min.js", "./dist/syncrelay.min.js"]);
  const page = `
    import { connect } from "./package/${unpkg}";
    class Told {
      addEventListener(type, listener) {
        const snapshot = { type: "sync:full", data: { radio: 7 }, ts: 1, seq: 41, epoch: "e" };
        if (type === "open") setTimeout(listener);
        if (type === "message") setTimeout(() => listener({ data: JSON.stringify(snapshot) }), 1);
      }
      send() {}
      close() {}
    }
    const relay = connect("ws://h/ws/sync", { WebSocket: Told });
    relay.onState("radio", (radio) => { console.log(radio); process.exit(); });`;
  writeFileSync(join(folder, "page.mjs"), page);
  const { stdout, stderr } = spawnSync(process.execPath, [join(folder, "page.mjs")], {
    encoding: "utf8",
  });
  expect(stdout + stderr).toBe("7\n");
});
