// Shows the two states of the relay and sends what is clicked to the backend. Elements stay and only their
// texts change, so that a click that is under way and the keyboard's focus outlast every change.

import { ask, heardOf, post } from "./backend.js";
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
let pressed = null; // the pair that was shown when the pointer went down
let keyed = null; // and when the key did that is still held

function pair() {
  return relay.get("comparison")?.pair ?? tracks;
}

function show() {
  element("status").dataset.status = relay.status;
  write(element("status"), relay.error ? `stopped: ${relay.error.reason || relay.error.message}` : STATUS[relay.status]);
  if (relay.status === "live") write(element("note"), "");
  write(element("position"), relay.position?.seq ?? "–");
  if (tracks && relay.position) showState();
}

function showState() {
  describe(element("radio"), relay.get("radio")?.track ?? SILENCE);
  candidates.forEach((button, side) => describe(button, pair()[side]));
  const judged = relay.get("comparison");
  write(element("verdict"), judged ? `${judged.pair[0].title} won the last one.` : HINT);
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

/** What is judged is what was seen when the press began: a pointer's, or a key's (Space clicks when it is released). */
function judge(side, { detail }) {
  const seen = (detail > 0 ? pressed : keyed) ?? pair();
  send("/comparison/verdict", { winner: seen[side].id, loser: seen[1 - side].id });
}

/** Sends what was clicked, and says so where the page cannot show its effect now. */
async function send(path, body) {
  if (!(await post(path, body)) || relay.status === "live") return;
  write(element("note"), relay.error
    ? "Sent, but this page has stopped and will not show it. Please load it again."
    : "Sent. It takes effect when the relay can be reached, and shows here then.");
}

element("comparison").addEventListener("pointerdown", () => {
  pressed = pair();
});
document.addEventListener("keydown", (press) => {
  if (!press.repeat) keyed = pair();
  else if (press.key === "Enter" && press.target.matches("button")) press.preventDefault(); // held, it clicks on and on
});
document.addEventListener("keyup", () => setTimeout(() => {
  keyed = null; // after the click that Space makes now
}));
candidates.forEach((button, side) => button.addEventListener("click", (click) => judge(side, click)));
element("next").addEventListener("click", () => {
  const current = relay.get("radio")?.track.id ?? -1;
  send("/radio/start", { track: (current + 1) % tracks.length });
});
relay.onChange(show);
relay.onStatus(show);
for (const type of ["comparison:advanced", "radio:started"]) {
  relay.on(type, () => {
    heardOf();
    show();
  });
}
tracks = await ask("/tracks");
show();
