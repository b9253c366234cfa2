// Shows the two states of the relay and sends what is clicked to the backend.

import { connect } from "./syncrelay.js"; // the build of clients/js

const element = (id) => document.getElementById(id);
const port = document.querySelector("meta[name=relay-port]").content;
const scheme = location.protocol === "https:" ? "wss" : "ws";
const tracks = await (await fetch("/tracks")).json();
const relay = connect(`${scheme}://${location.hostname}:${port}/ws/sync`);

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
  const [left, right] = relay.get("comparison")?.pair ?? tracks;
  element("comparison").replaceChildren(candidate(left, right), candidate(right, left));
  const silence = { title: "Silence", artist: "nothing has been played yet" };
  element("radio").replaceChildren(...described(relay.get("radio")?.track ?? silence));
}

async function post(path, body) {
  const headers = { "Content-Type": "application/json" };
  const answer = await fetch(path, { method: "POST", headers, body: JSON.stringify(body) });
  if (!answer.ok) element("verdict").textContent = `The backend said ${answer.status}.`;
}

element("next").onclick = () => {
  const current = relay.get("radio")?.track.id ?? -1;
  post("/radio/start", { track: (current + 1) % tracks.length });
};

function showPosition() {
  element("position").textContent = relay.position?.seq ?? "–";
}

relay.onChange(show);
relay.onStatus((status) => {
  element("status").dataset.status = status;
  element("status").textContent = status;
  showPosition();
});
relay.on("comparison:advanced", ({ winner }) => {
  element("verdict").textContent = `${winner.title} won the last one.`;
});
for (const type of ["comparison:advanced", "radio:started"]) relay.on(type, showPosition);
show();
