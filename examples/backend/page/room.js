// A room: friends listen to a pair of tracks, judge it, and talk. Its state lies in a channel of its own, which comes over
// the same connection as everybody's radio.

import { ask, heardOf, post } from "./backend.js";
import { showChat, startChat } from "./chat.js";
import * as me from "./me.js";
import { showPeople } from "./people.js";
import { showPlayer, startPlayer } from "./player.js";
import { connect } from "./syncrelay.js"; // the build of clients/js
import { describe, element, relayUrl, showStatus, tellIfUnseen, write } from "./view.js";

const TYPING_AGAIN = 1500; // ms; the relay forgets it after 3 s
const SILENCE = "nothing";
const NOBODY = "Nobody has chosen yet.";
const CLOSED = "This room was closed, and begins anew.";
const EMPTY = { text: "Nothing yet", name: "" };

const path = location.pathname; // /rooms/3-5
const numbers = path.split("/").at(-1).split("-").map(Number);
const candidates = [...element("comparison").children];
const relay = connect(relayUrl());
const room = relay.channel(`room:${numbers.join("-")}`);
let pair = null; // the two tracks
let lastVote = ""; // in words
let isClosed = false;
let toldTyping = 0;

function show() {
  showStatus({ status: room.status, error: relay.error ?? room.error, position: room.position });
  write(element("radio"), relay.get("radio")?.track.title ?? SILENCE);
  if (pair && room.position) showRoom();
}

function showRoom() {
  for (const button of document.querySelectorAll("button")) button.disabled = false;
  showPeople(room);
  showPlayer(relay, room, tracks);
  showChat(room);
  const votes = Object.entries(room.get("votes") ?? {});
  candidates.forEach((button, side) => {
    const { id } = pair[side];
    const friends = votes.filter(([, track]) => track === id).map(([name]) => name);
    describe(button, pair[side]);
    write(button.querySelector("em"), friends.length > 0 ? `${friends.length}: ${friends.join(", ")}` : "no votes");
    button.setAttribute("aria-pressed", friends.includes(me.name()));
  });
  const before = isClosed ? CLOSED : NOBODY;
  write(element("said"), votes.length === 0 ? before : lastVote || `${votes.length} have chosen.`);
  const note = room.get("note") ?? EMPTY;
  write(element("pinned").querySelector("strong"), note.text);
  write(element("pinned").querySelector("span"), note.name);
  const typing = room.get("typing") ?? me.name();
  write(element("typing"), typing === me.name() ? "" : `${typing} is writing…`);
}

/** The pair whose room comes next. */
function next([first, second]) {
  if (second + 1 < tracks.length) return [first, second + 1];
  return first + 2 < tracks.length ? [first + 1, first + 2] : [0, 1];
}

/** By HTTP: once, or it fails. */
async function send(what, body) {
  if (await post(`${path}/${what}`, { name: me.name(), ...body })) tellIfUnseen(room);
}

/** Over the connection: it waits for the relay, and the relay keeps it for the backend. */
function say(type, data) {
  relay.send(type, data, { channel: room.name }).catch(({ code, reason }) => {
    write(element("problem"), `The relay refused this (${code}): ${reason}.`);
  });
}

function tellTyping() {
  if (element("text").value === "" || Date.now() - toldTyping < TYPING_AGAIN) return;
  toldTyping = Date.now();
  send("typing", {});
}

function pin(submission) {
  submission.preventDefault();
  const text = element("text").value.trim();
  if (text === "") return;
  element("text").value = "";
  toldTyping = 0;
  send("note", { text });
}

candidates.forEach((button, side) => button.addEventListener("click", () => send("vote", { track: pair[side].id })));
element("text").addEventListener("input", tellTyping);
element("pin").addEventListener("submit", pin);
element("close").addEventListener("click", () => send("close", {}));

room.onChange(show);
room.onMembers(show);
room.onStatus(show);
room.on("vote:cast", ({ name, track }) => {
  heardOf();
  lastVote = `${name} chose ${track.title}.`;
  isClosed = false;
  show();
});
room.onDropped(() => {
  isClosed = true;
  show();
});
relay.onState("radio", show);
relay.onStatus(show);
const tracks = await ask("/tracks");
pair = numbers.map((number) => tracks[number]);
element("other").href = `/rooms/${next(numbers).join("-")}`;
me.introduce(relay, show);
startPlayer(relay, room, tracks, say);
startChat(relay, room);
