// Writes docs/reference/typescript.md from the declarations of clients/js and their comments; with --check it compares
// instead, and fails where the page is stale. Needs `npm ci` in clients/js.
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), "../../..");
const CLIENT = join(ROOT, "clients/js");
const PAGE = join(ROOT, "docs/reference/typescript.md");
const ts = createRequire(join(CLIENT, "package.json"))("typescript5");

const ENTRIES = {
  syncrelay: "index.ts",
  "syncrelay/react": "react.ts",
  "syncrelay/vue": "vue.ts",
  "syncrelay/svelte": "svelte.ts",
  "syncrelay/tanstack-query": "tanstack_query.ts",
};

const settings = {
  ...ts.getParsedCommandLineOfConfigFile(join(CLIENT, "tsconfig.json"), {}, { ...ts.sys, onUnRecoverableConfigFileDiagnostic: fail })
    .options,
  declaration: true,
  emitDeclarationOnly: true,
  noEmit: false,
};
const program = ts.createProgram(
  Object.values(ENTRIES).map((name) => join(CLIENT, "src", name)),
  settings,
);
const checker = program.getTypeChecker();

function fail(problem) {
  throw new Error(ts.flattenDiagnosticMessageText(problem.messageText, "\n"));
}

/** The declarations of a source file by their names, as a .d.ts has them: overloads together. */
function declarationsOf(source) {
  let text = "";
  program.emit(source, (_, written) => (text = written), undefined, true);
  const parsed = ts.createSourceFile("x.d.ts", text, ts.ScriptTarget.Latest, true);
  const found = new Map();
  for (const statement of parsed.statements) {
    const names = statement.declarationList?.declarations.map(({ name }) => name.text) ?? [statement.name?.text];
    for (const name of names.filter(Boolean)) found.set(name, [...(found.get(name) ?? []), statement]);
  }
  return found;
}

const cache = new Map();
function declared(symbol) {
  const source = symbol.declarations[0].getSourceFile();
  if (!cache.has(source)) cache.set(source, declarationsOf(source));
  return cache.get(source).get(symbol.name) ?? [];
}

function section(entry, file) {
  const module = checker.getSymbolAtLocation(program.getSourceFile(join(CLIENT, "src", file)));
  const parts = [`## ${entry}`];
  for (const exported of checker.getExportsOfModule(module).sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const alias = exported.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(exported) : exported;
    const statements = declared(alias);
    if (statements.length === 0) throw new Error(`${entry}: no declaration of ${exported.name}`);
    const comment = ts.displayPartsToString(alias.getDocumentationComment(checker));
    parts.push(`### ${exported.name}`);
    if (comment) parts.push(comment.replaceAll(/\s*\n\s*/g, " ").replaceAll(/\{@link (\w+)\}/g, "`$1`"));
    const code = statements.map((statement) => statement.getText().replace(/^export declare /, "").replace(/^export /, ""));
    parts.push(`\`\`\`typescript\n${code.join("\n").replaceAll(/^( {4})+/gm, (indent) => indent.slice(indent.length / 2))}\n\`\`\``);
  }
  return parts;
}

const page = `${[
  "# TypeScript API",
  "Generated from the declarations of `clients/js`; do not edit it, run `scripts/docs --reference`.",
  "With examples: [the browser client](../../clients/js/README.md), [front ends](../frontends.md).",
  ...Object.entries(ENTRIES).flatMap(([entry, file]) => section(entry, file)),
].join("\n\n")}\n`.replaceAll(/[ \t]+$/gm, "");

if (!process.argv.includes("--check")) writeFileSync(PAGE, page);
else if (readFileSync(PAGE, "utf8") !== page) {
  console.error("docs/reference/typescript.md is stale: scripts/docs --reference");
  process.exit(1);
}
