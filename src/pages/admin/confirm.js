// The question before a client is disconnected, and what came of it.

import { element, write } from "./elements.js";

const REASON = "disconnected by an operator";

/** Resolves to whether it was said so. */
function isSure(text) {
  const dialog = element("confirm");
  write("confirm-text", text);
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((done) => dialog.addEventListener("close", () => done(dialog.returnValue === "yes"), { once: true }));
}

/** Asks, and disconnects. Resolves to whether it did. */
export async function disconnect(door, { id, identity }) {
  const name = identity ? `${identity} (client ${id})` : `client ${id}`;
  if (!await isSure(`The connection of ${name} is closed with code 4000. It may come again at once.`)) return false;
  const { closed } = await door.ask({ op: "disconnect", connection: Number(id), reason: REASON });
  write("said", closed ? `${name} is disconnected` : `${name} had gone already`);
  return true;
}
