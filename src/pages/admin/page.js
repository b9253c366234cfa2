// The admin page: which view is seen, how the relay is, and the token that it may ask for.

import { channel } from "./channel.js";
import { channels } from "./channels.js";
import { clients } from "./clients.js";
import { Door } from "./door.js";
import { element, tell as say, write } from "./elements.js";
import { overview } from "./overview.js";
import { refused } from "./refused.js";
import { parseRoute } from "./route.js";
import { story } from "./story.js";

const door = new Door(document.baseURI, askForToken);
const views = Object.fromEntries(
  Object.entries({ overview, clients, client: story, channels, channel, refused }).map(([name, build]) => [name, build(door, tell)]));
const PARENTS = { client: "clients", channel: "channels" };
let current = null;

/** How a question went; null: well. */
function tell(error) {
  if (error?.name === "AbortError") return;
  element("status").dataset.status = error ? "offline" : "live";
  write("status", error ? "no answer" : "live");
  say("problem", error ? `${error.message}${error.status === 0 ? ". Trying again…" : ""}` : null);
}

function askForToken(isWrong) {
  const dialog = element("token-dialog");
  say("token-problem", isWrong ? "The relay does not take this one." : null);
  dialog.showModal();
  return new Promise((done) => {
    element("token-form").addEventListener("submit", () => {
      done(element("token").value.trim());
      element("token").value = "";
    }, { once: true });
    dialog.oncancel = (event) => event.preventDefault(); // there is nothing to see without it
  });
}

/** The keyboard's place goes along when what had it is seen no more. */
function show(view) {
  const before = document.activeElement?.closest("[data-view]");
  for (const section of document.querySelectorAll("[data-view]")) section.hidden = section.dataset.view !== view;
  if (!before || before.dataset.view === view) return;
  const now = document.querySelector(`[data-view="${view}"]`);
  now.tabIndex = -1;
  now.focus({ preventScroll: true });
}

function go() {
  const { view, what } = parseRoute(location.hash, views);
  current?.leave();
  current = views[view];
  show(view);
  for (const link of element("views").children) {
    const isHere = link.hash === `#${PARENTS[view] ?? view}`;
    if (isHere) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  document.title = `syncrelay: ${view}${what ? ` ${what}` : ""}`;
  current.enter(what);
}

addEventListener("hashchange", go);
go();
door.request("health", {}).then(({ version }) => write("version", version ?? ""), () => {});
