// What happened to one client, in the relay's own sentences.

import { disconnect } from "./confirm.js";
import { element, made, tell as say, write, writePairs } from "./elements.js";
import { bytes, count, moment, span } from "./numbers.js";
import { Poll } from "./poll.js";

const EVERY = 3000; // ms
const NO_MORE = 24 * 3600 * 1000; // ms: what is unknown stays so, and each question counts as refused

function lineOf({ ts, what, text }) {
  const line = made("li");
  line.dataset.what = what;
  const time = made("time", "", moment(ts));
  time.dateTime = new Date(ts * 1000).toISOString();
  line.append(time, made("span", "", text));
  return line;
}

/** How it stands, of one that is connected. */
export function nowOf(now) {
  if (!now) return [];
  return [
    ["follows channels", count(now.channels)],
    ["events behind", count(now.lag)],
    ["sent", bytes(now.bytes)],
    ["last sign of life", `${span(now.last_pong)} ago`],
  ];
}

export function story(door, tell) {
  let client = "";
  let shown = ""; // what is on the page: who reads it is not disturbed while nothing changes

  function show({ live: isNewestHere, story: lines, dropped, earlier = [], now: standing }) {
    const live = isNewestHere || earlier.some((connection) => connection.live);
    writePairs(element("story-now"), nowOf(standing));
    element("story-now").hidden = !standing;
    const now = JSON.stringify([live, lines, dropped]);
    if (now === shown) return;
    shown = now;
    write("story-title", `Client ${client}${live ? "" : " (gone)"}`);
    element("story-end").hidden = !live;
    element("story").replaceChildren(...lines.map(lineOf));
    say("no-story", dropped ? `${dropped} lines out of the middle are not kept.` : null);
  }

  async function ask(signal) {
    try {
      show(await door.ask({ op: "explain", client }, signal));
    } catch (error) {
      if (error.code !== "unknown_client") throw error;
      poll.every = NO_MORE;
      element("story-end").hidden = true;
      element("story-now").hidden = true;
      say("no-story", "Nothing is known of this client: it never was here, or has been gone for long.");
    }
  }

  const poll = new Poll(EVERY, ask, tell);
  element("story-end").addEventListener("click", () => disconnect(door, { id: client }).then(() => poll.now(), tell));
  return {
    enter(id) {
      client = id;
      shown = "";
      poll.every = EVERY;
      write("story-title", `Client ${client}`);
      element("story").replaceChildren();
      element("story-end").hidden = true;
      element("story-now").hidden = true;
      say("no-story", "Asking…");
      poll.start();
    },
    leave: () => poll.stop(),
  };
}
