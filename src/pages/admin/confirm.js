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

/** Whom `id` means, which is the number of a connection or an identity (one of digits with "@" before it). */
function meant(id) {
  const text = String(id);
  return /^\d+$/.test(text) ? { connection: Number(text) } : { id: text.replace(/^@/, "") };
}

/** Asks, and disconnects a connection, or all of an identity. Resolves to whether it did. */
export async function disconnect(door, { id, identity }) {
  const whom = meant(id);
  const name = whom.id ?? (identity ? `${identity} (client ${id})` : `client ${id}`);
  const question = whom.id === undefined
    ? `The connection of ${name} is closed with code 4000. It may come again at once.`
    : `All connections of ${name} are closed with code 4000. They may come again at once.`;
  if (!await isSure(question)) return false;
  const { closed } = await door.ask({ op: "disconnect", ...whom, reason: REASON });
  write("said", closed ? `${name} is disconnected` : `${name} had gone already`);
  return true;
}
