// The first page of a relay: a client of it like any other, which shows what it hears.

import { connect } from "./syncrelay.js";
import { eventList } from "./page/event_list.js";
import { jsonTree } from "./page/json_tree.js";
import { browserSnippet, curlSnippet, pythonSnippet, shellSnippet, socketUrl } from "./page/snippets.js";
import { tapped, Told } from "./page/tap.js";
import { copy, element, showMembers, showStatus, spanOf, tell, write } from "./page/view.js";

const HEALTH_EVERY = 5000; // ms, while the page is seen
const NO_TOKEN = 4401;
const TOKEN = "syncrelay-token"; // in the session's storage

const tree = jsonTree(element("state"));
const told = new Told();
const list = eventList(element("events"), { onAdd: showCount });
const url = socketUrl(document.baseURI);
let relay = null;
let channel = null; // what is followed, and
let ends = []; // how to end that
let count = 0; // events since the page began to follow it

/** A channel's name out of the URL's fragment; the default one's is empty. */
function wanted() {
  try {
    return decodeURIComponent(location.hash.slice(1));
  } catch {
    return location.hash.slice(1);
  }
}

function hear(message) {
  if (!told.isNew(message) || (message.channel ?? "") !== channel?.name) return;
  count += 1;
  list.add(message);
}

function showCount() {
  write("count", count === 0 ? "" : count.toLocaleString());
  element("no-events").hidden = count > 0;
}

function showState() {
  if (!channel.position) return;
  const { state } = channel;
  const isEmpty = Object.keys(state).length === 0;
  tree.show(state);
  tell("no-state", isEmpty ? "Nothing is set in this channel yet." : null);
  write("position", channel.position.seq.toLocaleString());
}

function show() {
  const refused = relay.error;
  showStatus(refused ? "refused" : relay.status);
  const asksForToken = refused?.code === NO_TOKEN;
  element("token-form").hidden = !asksForToken;
  tell("problem", refused && !asksForToken ? `The relay refused this page: ${refused.reason || refused.message}` : null);
  tell("channel-problem", channel.error ? `This channel is refused: ${channel.error.reason || channel.error.code}` : null);
  showState();
}

function follow(name) {
  for (const end of ends) end();
  tree.clear();
  list.clear();
  count = 0;
  channel = relay.channel(name);
  element("channel").value = name;
  tell("no-state", "Waiting for the first snapshot…");
  showCount();
  showMembers({});
  write("position", "–");
  ends = [
    channel.onChange(showState),
    channel.onStatus(show),
    channel.onMembers(showMembers),
    channel.onSkipped(showState),
    channel.onDropped(() => {
      tree.clear();
      showState();
    }),
  ];
  show();
}

function connected() {
  const options = { defaultChannel: false, WebSocket: tapped(hear), onError: () => channel && show() };
  const token = sessionStorage.getItem(TOKEN);
  try {
    return connect(url, token ? { ...options, token } : options);
  } catch { // it is none, by its form
    sessionStorage.removeItem(TOKEN);
    return connect(url, options);
  }
}

function begin() {
  relay?.close();
  relay = connected();
  relay.onStatus((status) => {
    show();
    if (status === "live") showHealth();
  });
  ends = [];
  follow(wanted());
}

async function showHealth() {
  if (document.hidden) return;
  const health = await fetch("health").then((answer) => answer.json(), () => null);
  if (!health) return;
  write("clients", health.clients.toLocaleString());
  write("uptime", spanOf(health.uptime));
  if (channel?.position) write("position", channel.position.seq.toLocaleString());
}

async function showSnippets() {
  const about = await fetch("page.json").then((answer) => answer.json(), () => ({}));
  const curl = curlSnippet(about, location.hostname);
  write("version", about.version ?? "");
  write("address", url);
  write("shell", shellSnippet(about));
  write("python", pythonSnippet(about));
  write("browser", browserSnippet(document.baseURI));
  write("curl", curl ?? "");
  element("curl-part").hidden = curl === null;
}

element("channel-form").addEventListener("submit", (submission) => {
  submission.preventDefault();
  location.hash = encodeURIComponent(element("channel").value.trim());
});
element("token-form").addEventListener("submit", (submission) => {
  submission.preventDefault();
  sessionStorage.setItem(TOKEN, element("token").value.trim());
  element("token").value = "";
  begin();
});
element("pause").addEventListener("click", ({ currentTarget: button }) => {
  const isPaused = button.getAttribute("aria-pressed") !== "true";
  button.setAttribute("aria-pressed", String(isPaused));
  button.textContent = isPaused ? "Go on" : "Pause";
  list.pause(isPaused);
});
for (const button of document.querySelectorAll("[data-copy]")) {
  button.addEventListener("click", () => copy(button.dataset.copy, button));
}
addEventListener("hashchange", () => wanted() !== channel.name && follow(wanted()));
document.addEventListener("visibilitychange", showHealth);

showSnippets();
begin();
showHealth();
setInterval(showHealth, HEALTH_EVERY);
