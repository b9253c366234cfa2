// Run by npm after `npm ci` here, and when another project installs this folder (not for a packed file,
// which holds neither this script nor anything to prepare). A folder is installed as a link: modules behind
// it are looked up here, so that the page would get a second React, this one's, and stay blank. npm leaves the
// link where it is when this script fails, so it is removed here: the link alone, and only if it leads here.

import { lstatSync, realpathSync, unlinkSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const own = realpathSync(fileURLToPath(new URL("..", import.meta.url)));
const project = process.env.npm_config_local_prefix ?? own;

function removeLink(link) {
  const entry = lstatSync(link, { throwIfNoEntry: false });
  if (entry?.isSymbolicLink() && realpathSync(link) === realpathSync(own)) unlinkSync(link);
}

if (realpathSync(project) !== own && process.env.npm_config_install_links !== "true") {
  removeLink(join(project, "node_modules", process.env.npm_package_name));
  process.stderr.write(
    "syncrelay cannot be installed as a link, which would give your pages a second React.\n" +
      `Pack it:          (cd ${own} && npm ci && npm pack)\n` +
      `and install that: npm install ${own}/${process.env.npm_package_name}-${process.env.npm_package_version}.tgz\n`,
  );
  process.exit(1);
}
if (realpathSync(project) !== own) await import("./build.mjs");
