// The page of all: shows the two states of the default channel and sends what is clicked to the backend.

import { ask, heardOf, post } from "./backend.js";
import { connect } from "./syncrelay.js"; // the build of clients/js
import { describe, element, relayUrl, showStatus, tellIfUnseen, write } from "./view.js";

const SILENCE = { title: "Silence", artist: "nothing has been played yet" };
const HINT = "Open this page a second time: both stay in step.";

const candidates = [...element("comparison").children];
const relay = connect(relayUrl());
let tracks = null; // the catalogue
let pressed = null; // the pair that was shown when the pointer went down
let keyed = null; // and when the key did that is still held

function pair() {
  return relay.get("comparison")?.pair ?? tracks;
}

function show() {
  showStatus(relay);
  if (tracks && relay.position) showState();
}

function showState() {
  describe(element("radio"), relay.get("radio")?.track ?? SILENCE);
  candidates.forEach((button, side) => describe(button, pair()[side]));
  const judged = relay.get("comparison");
  write(element("verdict"), judged ? `${judged.pair[0].title} won the last one.` : HINT);
  element("invite").href = `/rooms/${pair().map(({ id }) => id).sort((a, b) => a - b).join("-")}`;
  for (const button of document.querySelectorAll("button")) button.disabled = false;
}

/** What is judged is what was seen when the press began: a pointer's, or a key's (Space clicks when it is released). */
function judge(side, { detail }) {
  const seen = (detail > 0 ? pressed : keyed) ?? pair();
  send("/comparison/verdict", { winner: seen[side].id, loser: seen[1 - side].id });
}

async function send(path, body) {
  if (await post(path, body)) tellIfUnseen(relay);
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
