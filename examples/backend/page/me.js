// Who this browser is: one identity for all its tabs, and a name that each of them may change.

import { element, write } from "./view.js";

export const id = kept("id", unique);
const guest = kept("guest", () => `Guest ${Math.floor(Math.random() * 900) + 100}`);

export function name() {
  return localStorage.getItem("name") || guest;
}

/** Tells the relay, now and whenever the name changes. `changed` is called then. */
export function introduce(relay, changed) {
  const input = element("name");
  const tell = () => relay.identify({ id, info: { name: name() } }).then(
    () => write(element("unknown"), ""),
    ({ code, reason }) => write(element("unknown"), `The relay does not take names (${code}): ${reason}.`),
  );
  const show = () => {
    input.value = localStorage.getItem("name") ?? "";
    tell();
    changed();
  };
  input.placeholder = guest;
  input.addEventListener("change", () => {
    localStorage.setItem("name", input.value.trim());
    show();
  });
  window.addEventListener("storage", ({ key }) => key === "name" && show()); // another tab did
  show();
}

/** Random letters and digits, which nobody else has. */
export function unique() {
  return [...crypto.getRandomValues(new Uint8Array(10))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** What this browser has stored, or stores now. */
function kept(key, make) {
  if (!localStorage.getItem(key)) localStorage.setItem(key, make());
  return localStorage.getItem(key);
}
