// The player: one browser plays, each page shows where it is and is its remote control. (There is no sound in this example.)

import * as me from "./me.js";
import { isHere, nameOf } from "./people.js";
import { element, write } from "./view.js";

const OFTEN = 100; // ms between two looks at the clock
const SILENT = "Press play: it plays in this browser, and all can steer it.";
const LOST = "The browser that played is gone. Press play to go on in this one.";

/** `say` sends what is pressed; `tracks` is the catalogue. */
export function startPlayer(relay, room, tracks, say) {
  const press = (what) => say(`player:${what}`);
  element("toggle").addEventListener("click", () => press(isPlaying(room.get("player")) ? "pause" : "play"));
  element("another").addEventListener("click", () => press("other"));
  element("take").addEventListener("click", () => press("take"));
  // The relay's own word, when the browser that played has stayed away. It has a time, which the state has not.
  room.on("player:lost", (_, { ts }) => say("player:stopped", { at: ts }));
  setInterval(() => room.position && showPlayer(relay, room, tracks), OFTEN);
}

export function showPlayer(relay, room, tracks) {
  const player = room.get("player");
  const device = room.get("device");
  const isMine = device?.id === me.id;
  write(element("track"), player ? tracks[player.track].title : "Nothing plays yet");
  write(element("time"), player ? inMinutes(positionOf(player, relay.serverNow() / 1000)) : "0:00");
  write(element("device"), device ? describe(room, device, isMine) : player ? LOST : SILENT);
  write(element("toggle"), isPlaying(player) ? "Pause" : "Play");
  element("take").hidden = !device || isMine;
  for (const button of element("player").querySelectorAll("button")) button.disabled = !isHere(room);
}

function describe(room, device, isMine) {
  return `In ${isMine ? "this" : `${nameOf(room, device.id) ?? "another"}’s`} browser`;
}

function isPlaying(player) {
  return player?.playing === true && !player.lost;
}

/** In seconds; `now` is the relay's time, so that all pages show the same. */
function positionOf(player, now) {
  return isPlaying(player) ? player.position + Math.max(0, now - player.since) : player.position;
}

function inMinutes(seconds) {
  return `${Math.floor(seconds / 60)}:${`${Math.floor(seconds) % 60}`.padStart(2, "0")}`;
}
