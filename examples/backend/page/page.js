// Shows the two states of the relay and sends what is clicked to the backend. Elements stay and only their
// texts change, so that a click that is under way and the keyboard's focus outlast every change.

import { ask, post } from "./backend.js";
import { connect } from "./syncrelay.js"; // the build of clients/js

const SILENCE = { title: "Silence", artist: "nothing has been played yet" };
const HINT = "Open this page a second time: both stay in step.";
const STATUS = {
  connecting: "connecting…",
  live: "live",
  doubtful: "doubtful: no word from the relay",
  resuming: "resuming…",
  offline: "offline, trying again",
};

const element = (id) => document.getElementById(id);
const candidates = [...element("comparison").children];
const port = document.querySelector("meta[name=relay-port]").content;
const scheme = location.protocol === "https:" ? "wss" : "ws";
const relay = connect(`${scheme}://${location.hostname}:${port}/ws/sync`);
let tracks = null; // the catalogue
let pressed = null; // the pair that was shown when the press began
let last = null; // the last verdict

function pair() {
  return relay.get("comparison")?.pair ?? tracks;
}

function show() {
  element("status").dataset.status = relay.status;
  write(element("status"), STATUS[relay.status]);
  write(element("position"), relay.position?.seq ?? "–");
  if (tracks && relay.position) showState();
}

function showState() {
  describe(element("radio"), relay.get("radio")?.track ?? SILENCE);
  candidates.forEach((button, side) => describe(button, pair()[side]));
  write(element("verdict"), isOf(last) ? `${last.winner.title} won the last one.` : HINT);
  for (const button of document.querySelectorAll("button")) button.disabled = false;
}

function describe(card, { title, artist }) {
  write(card.querySelector("strong"), title);
  write(card.querySelector("span"), artist);
}

/** Leaves alone what is right already, which a screen reader would read out again. */
function write(place, text) {
  if (place.textContent !== `${text}`) place.textContent = text;
}

/** Whether the state still is what a verdict made it; it is not after a relay began anew. */
function isOf(verdict) {
  return verdict?.pair.every(({ id }, side) => id === pair()[side].id);
}

/** What is judged is what was seen when the press began; a key's press takes no time. */
function judge(side, { detail }) {
  const seen = (detail > 0 && pressed) || pair();
  post("/comparison/verdict", { winner: seen[side].id, loser: seen[1 - side].id });
}

element("comparison").addEventListener("pointerdown", () => {
  pressed = pair();
});
candidates.forEach((button, side) => button.addEventListener("click", (click) => judge(side, click)));
element("next").addEventListener("click", () => {
  const current = relay.get("radio")?.track.id ?? -1;
  post("/radio/start", { track: (current + 1) % tracks.length });
});
relay.onChange(show);
relay.onStatus(show);
relay.on("comparison:advanced", (verdict) => {
  last = verdict;
  show();
});
relay.on("radio:started", show);
tracks = await ask("/tracks");
show();
