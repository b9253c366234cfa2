// Builds dist: esm and cjs with types by tsc, and the core as one file that a page can load as it is.

import { execFileSync } from "node:child_process";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "rolldown";

process.chdir(fileURLToPath(new URL("..", import.meta.url)));

function compile(project) {
  execFileSync(process.execPath, ["node_modules/typescript/bin/tsc", "-p", project], {
    stdio: "inherit",
  });
}

async function bundle(file, minify) {
  const output = { file, minify, format: "esm", comments: { jsdoc: !minify } };
  await build({ input: "dist/esm/index.js", logLevel: "warn", output });
  const content = `${readFileSync(file, "utf8").trimEnd()}\n`;
  writeFileSync(file, content);
  process.stdout.write(`${file}: ${content.length} bytes, ${gzipSync(content).length} gzipped\n`);
}

/** Bundlers want "use client" first; the compiler writes "use strict" before it. */
function clientFirst(file) {
  const directives = '"use strict";\n"use client";\n';
  const content = readFileSync(file, "utf8");
  if (!content.startsWith(directives)) throw new Error(`${file} does not begin with ${directives}`);
  writeFileSync(file, `"use client";\n"use strict";\n${content.slice(directives.length)}`);
}

rmSync("dist", { recursive: true, force: true });
compile("tsconfig.esm.json");
compile("tsconfig.cjs.json");
writeFileSync("dist/cjs/package.json", '{ "type": "commonjs" }\n');
clientFirst("dist/cjs/react.js");
await bundle("dist/syncrelay.js", false);
await bundle("dist/syncrelay.min.js", true);
