// Shows the two states of the relay and sends what is clicked to the backend.

import { connect } from "./sync.js";

const element = (id) => document.getElementById(id);
const port = document.querySelector("meta[name=relay-port]").content;
const scheme = location.protocol === "https:" ? "wss" : "ws";
const tracks = await (await fetch("/tracks")).json();
let state = { comparison: null, radio: null };

function described(track) {
  const title = document.createElement("strong");
  const artist = document.createElement("span");
  title.textContent = track.title;
  artist.textContent = track.artist;
  return [title, artist];
}

function candidate(track, other) {
  const button = document.createElement("button");
  button.className = "card";
  button.dataset.track = track.id;
  button.append(...described(track));
  button.onclick = () => post("/comparison/verdict", { winner: track.id, loser: other.id });
  return button;
}

function show() {
  const [left, right] = state.comparison?.pair ?? tracks;
  element("comparison").replaceChildren(candidate(left, right), candidate(right, left));
  const silence = { title: "Silence", artist: "nothing has been played yet" };
  element("radio").replaceChildren(...described(state.radio?.track ?? silence));
}

async function post(path, body) {
  const headers = { "Content-Type": "application/json" };
  const answer = await fetch(path, { method: "POST", headers, body: JSON.stringify(body) });
  if (!answer.ok) element("verdict").textContent = `The backend said ${answer.status}.`;
}

element("next").onclick = () => {
  const current = state.radio?.track.id ?? -1;
  post("/radio/start", { track: (current + 1) % tracks.length });
};

connect(`${scheme}://${location.hostname}:${port}/ws/sync`, {
  full(data) {
    state = data;
    show();
  },
  event({ type, data }) {
    if (type === "comparison:advanced") {
      state.comparison = { pair: data.pair, prefetched: data.prefetched };
      element("verdict").textContent = `${data.winner.title} won the last one.`;
    }
    if (type === "radio:started") state.radio = data;
    show();
  },
  status(word) {
    element("status").dataset.status = word;
    element("status").textContent = word;
  },
  position({ seq }) {
    element("position").textContent = seq;
  },
});
show();
