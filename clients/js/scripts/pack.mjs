// Takes `prepare` out of package.json while npm packs (`begin`), and puts it back (`end`): it is for this
// folder alone, and npm would warn whoever installs the packed file of a script that it does not even hold.

import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const file = fileURLToPath(new URL("../package.json", import.meta.url));
const [from, to] =
  process.argv[2] === "begin" ? ['"prepare":', '"//prepare":'] : ['"//prepare":', '"prepare":'];
writeFileSync(file, readFileSync(file, "utf8").replace(from, to));
