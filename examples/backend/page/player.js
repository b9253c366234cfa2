// The player: one browser plays, each page shows where it is and is its remote control. (There is no sound in this example.)

import * as me from "./me.js";
import { isHere, nameOf } from "./people.js";
import { element, write } from "./view.js";

const OFTEN = 100; // ms between two looks at the clock
const SILENT = "Press play: it plays in this browser, and all can steer it.";
const LOST = "The browser that played is gone. Press play to go on in this one.";

let lostAt = 0; // when the relay told that the browser that played has stayed away; the state does not say it at once

/** `say` sends what is pressed; `tracks` is the catalogue. */
export function startPlayer(relay, room, tracks, say) {
  const press = (what) => say(`player:${what}`);
  element("toggle").addEventListener("click", () => press(isPlaying(room.get("player")) ? "pause" : "play"));
  element("another").addEventListener("click", () => press("other"));
  element("take").addEventListener("click", () => press("take"));
  room.on("player:lost", (_, { ts }) => {
    lostAt = ts;
    say("player:stopped", { at: ts }); // the backend, which may be down, stores it for those who come later
  });
  setInterval(() => room.position && showPlayer(relay, room, tracks), OFTEN);
}

export function showPlayer(relay, room, tracks) {
  const player = room.get("player");
  const device = room.get("device");
  write(element("track"), player ? tracks[player.track].title : "Nothing plays yet");
  write(element("time"), player ? inMinutes(positionOf(player, relay.serverNow() / 1000)) : "0:00");
  write(element("device"), describe(room, player, device));
  write(element("toggle"), isPlaying(player) ? "Pause" : "Play");
  element("take").hidden = !device || device.id === me.id;
  for (const button of element("player").querySelectorAll("button")) button.disabled = !isHere(room);
  element("another").disabled ||= !player;
}

function describe(room, player, device) {
  if (device?.id === me.id) return "In this browser";
  if (device) return `In ${nameOf(room, device.id) ?? "another"}’s browser`;
  if (isPlaying(player)) return ""; // which browser plays is told next
  return player ? LOST : SILENT;
}

function isPlaying(player) {
  return player?.playing === true && !player.lost;
}

/** In seconds; `now` is the relay's time, so that all pages show the same. */
function positionOf({ playing, position, since, lost }, now) {
  return playing ? position + Math.max(0, (lost ? lostAt : now) - since) : position;
}

function inMinutes(seconds) {
  return `${Math.floor(seconds / 60)}:${`${Math.floor(seconds) % 60}`.padStart(2, "0")}`;
}
