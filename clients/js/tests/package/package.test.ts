/** The package as it is built: what users import, by whatever means. `npm test` builds it first. */

import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { Consumer, ROOT } from "./consumer.js";
import { FRONT_ENDS, FRONT_ENDS_BY_NAME } from "./front_end_samples.js";
import {
  CHANNELS,
  MISUSE,
  PRESENCE,
  SPEECH,
  TOKENS,
  TYPED_HOOKS,
  TYPED_HOOKS_OF_CHANNELS,
  UNTYPED_HOOKS,
  USE,
} from "./samples.js";

const CORE = "ChannelRefusedError ConnectError ProtocolError RefusedError RequestError connect";
const HOOKS = "SyncProvider createSync usePresence useSync useSyncEvent useSyncState";

const COMPOSABLES = "createSync provideSync useSync useSyncEvent useSyncMembers useSyncState";
const STORES = "createSync sync syncEvent syncMembers syncState";

const names = (module: string) => `console.log(Object.keys(${module}).sort().join(" "));\n`;

test.each([
  ["syncrelay", CORE],
  ["syncrelay/react", HOOKS],
  ["syncrelay/svelte", STORES],
  ["syncrelay/tanstack-query", "syncQueries"],
  ["syncrelay/vue", COMPOSABLES],
])("%s can be imported and required", (name, exported) => {
  const consumer = new Consumer(`modules-${name.replace("/", "-")}`)
    .write("esm.mjs", `import * as all from "${name}";\n${names("all")}`)
    .write("cjs.cjs", `const all = require("${name}");\n${names("all")}`);
  expect(consumer.outputOf("esm.mjs")).toBe(`${exported}\n`);
  expect(consumer.outputOf("cjs.cjs")).toBe(`${exported}\n`);
});

test.each([
  ["Node", { module: "nodenext" }],
  ["a bundler", { module: "esnext", moduleResolution: "bundler" }],
])("types are found by %s without those of a browser", (name, options) => {
  const consumer = new Consumer(`types-${name.replace(" ", "-")}`)
    .write("use.mts", USE)
    .write("misuse.ts", MISUSE)
    .write("hooks.mts", TYPED_HOOKS)
    .write("channels.mts", CHANNELS)
    .write("speech.mts", SPEECH)
    .write("presence.mts", PRESENCE)
    .write("tokens.mts", TOKENS)
    .write("channel_hooks.mts", TYPED_HOOKS_OF_CHANNELS)
    .write("untyped_hooks.mts", UNTYPED_HOOKS);
  if (name === "Node") consumer.write("use.cts", USE);
  expect(consumer.complaints({ ...options, lib: ["ES2022"] })).toBe("");
});

test.each([
  ["Node", { module: "nodenext" }],
  ["a bundler", { module: "esnext", moduleResolution: "bundler" }],
])("types for Vue, Svelte and TanStack Query are found by %s", (name, options) => {
  const consumer = new Consumer(`front-ends-${name.replace(" ", "-")}`)
    .write("use.mts", FRONT_ENDS)
    .write("names.mts", FRONT_ENDS_BY_NAME);
  const page = { lib: ["ES2022", "DOM"], skipLibCheck: true };
  expect(consumer.complaints({ ...options, ...page })).toBe("");
});

test("types are found by TypeScript 5 where modules are looked up as by Node 10", () => {
  const consumer = new Consumer("types-node10")
    .link()
    .write("use.ts", USE)
    .write("misuse.ts", MISUSE)
    .write("hooks.ts", TYPED_HOOKS)
    .write("channels.ts", CHANNELS)
    .write("speech.ts", SPEECH)
    .write("presence.ts", PRESENCE)
    .write("tokens.ts", TOKENS)
    .write("channel_hooks.ts", TYPED_HOOKS_OF_CHANNELS)
    .write("front_ends.ts", FRONT_ENDS_BY_NAME)
    .write("untyped_hooks.ts", UNTYPED_HOOKS);
  expect(consumer.complaintsOfOldLookUp()).toBe("");
});

test("the WebSocket classes of browsers and of ws fit", () => {
  const consumer = new Consumer("types-websocket").write(
    "use.mts",
    `
import { connect, type SocketConstructor } from "syncrelay";
import { WebSocket as NodeWebSocket } from "ws";
connect("ws://h/ws/sync", { WebSocket });
export const classes: SocketConstructor[] = [WebSocket, NodeWebSocket];
`,
  );
  const options = {
    module: "nodenext",
    lib: ["ES2022", "DOM"],
    types: ["node"],
    skipLibCheck: true,
  };
  expect(consumer.complaints(options)).toBe("");
});

test.each(["syncrelay.js", "syncrelay.min.js"])("%s is one file with everything", (file) => {
  expect(readFileSync(`${ROOT}/dist/${file}`, "utf8")).not.toMatch(
    /\b(import|require)\b\s*[({"'*]/,
  );
  const consumer = new Consumer(`bundle-${file}`).write(
    "page.mjs",
    `import * as all from "../../../dist/${file}";\n${names("all")}`,
  );
  expect(consumer.outputOf("page.mjs")).toBe(`${CORE}\n`);
});

test.each(["esm", "cjs"])("the React entry in %s begins as a client module", (kind) => {
  const [first] = readFileSync(`${ROOT}/dist/${kind}/react.js`, "utf8").split("\n");
  expect(first).toBe('"use client";');
});

test("it has no dependencies", () => {
  const description = JSON.parse(readFileSync(`${ROOT}/package.json`, "utf8"));
  expect(description.dependencies).toBeUndefined();
});

test("what is for Svelte and for TanStack Query imports neither", () => {
  for (const file of ["svelte", "tanstack_query"]) {
    const text = readFileSync(`${ROOT}/dist/esm/${file}.js`, "utf8");
    expect([...text.matchAll(/from "([^."][^"]*)"/g)].map(([, name]) => name)).toEqual([]);
  }
});

test("the lock file names no registry", () => {
  const { packages } = JSON.parse(readFileSync(`${ROOT}/package-lock.json`, "utf8"));
  const entries = Object.values<{ resolved?: string }>(packages);
  expect(entries.length).toBeGreaterThan(10);
  expect(entries.filter(({ resolved }) => resolved)).toEqual([]);
});
