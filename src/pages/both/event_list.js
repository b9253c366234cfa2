// Events as they come, newest first: drawn once a frame however many there are, and only the last ones are kept.

import { stillTree } from "./json_tree.js";

const BRIEF = 160; // characters of the data in an event's line

/** The time of day of a `ts` in seconds, with milliseconds. */
export function clockOf(ts) {
  const at = new Date(ts * 1000);
  const two = (number) => String(number).padStart(2, "0");
  return `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}.${String(at.getMilliseconds()).padStart(3, "0")}`;
}

/** One line of what an event has besides its type. */
export function briefOf(data) {
  const text = data === undefined ? "" : JSON.stringify(data);
  return text.length > BRIEF ? `${text.slice(0, BRIEF)}…` : text;
}

function cell(name, className, text) {
  const made = document.createElement(name);
  made.className = className;
  made.textContent = text;
  return made;
}

function lineOf({ event, isOld }) {
  const item = document.createElement("li");
  const details = document.createElement("details");
  const summary = document.createElement("summary");
  summary.append(
    cell("span", "seq", `#${event.seq}`),
    cell("time", "", event.ts ? clockOf(event.ts) : ""),
    cell("span", "type", event.type),
    cell("span", "brief", briefOf(event.data)),
  );
  details.append(summary);
  details.addEventListener("toggle", () => {
    if (details.open && details.children.length === 1) details.append(stillTree(restOf(event)));
  });
  if (!isOld) item.className = "fresh";
  item.append(details);
  return item;
}

/** What is shown of an event that is opened: its data, and whatever else it carries. */
function restOf({ type, seq, ts, channel, ...rest }) {
  return rest;
}

/** `list` is an empty <ol>; `most`: how many are kept. `onAdd()` is called once a frame in which some came. */
export function eventList(list, { most = 200, onAdd = () => {} } = {}) {
  list.classList.add("events");
  let waiting = [];
  let isPaused = false;
  let isAsked = false;

  function draw() {
    isAsked = false;
    if (isPaused || waiting.length === 0) return;
    const lines = waiting.reverse().map(lineOf);
    waiting = [];
    list.prepend(...lines);
    while (list.children.length > most) list.lastChild.remove();
    onAdd();
  }

  function ask() {
    if (isAsked) return;
    isAsked = true;
    requestAnimationFrame(draw);
  }

  return {
    /** `isOld`: it happened before the page looked. */
    add(event, isOld = false) {
      waiting.push({ event, isOld });
      if (waiting.length > 2 * most) waiting = waiting.slice(-most);
      if (!isPaused) ask();
    },
    /** While it is paused the last ones wait to be shown. */
    pause(wanted) {
      isPaused = wanted;
      if (!wanted) ask();
    },
    clear() {
      waiting = [];
      list.replaceChildren();
    },
  };
}
