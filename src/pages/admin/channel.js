// One channel: its state as a tree, its members, and its events as they come.

import { titleOf } from "./channels.js";
import { element, made, tell as say, write } from "./elements.js";
import { bytes, count, many } from "./numbers.js";
import { eventList } from "./page/event_list.js";
import { jsonTree } from "./page/json_tree.js";
import { Poll } from "./poll.js";

const EVERY = 3000; // ms
const MOST_STATE = 4 * 1024 * 1024; // bytes of a state that is fetched without being asked for
const MOST_MEMBERS = 500; // shown
const WAIT = 10; // seconds that one question for events waits
const PAUSE = 200; // ms between two questions for events, so that a loud channel is asked five times a second

export function channel(door, tell) {
  const tree = jsonTree(element("channel-state"));
  const list = eventList(element("tail"), { onAdd: () => say("no-tail", null) });
  let name = "";
  let seen = null; // the seq that the state on the page is of

  async function askState(signal) {
    const [facts] = (await door.ask({ op: "channels", prefix: name, limit: 1 }, signal)).channels.filter((each) => each.name === name);
    showFacts(facts);
    if (facts?.bytes > MOST_STATE) {
      tree.clear();
      return say("no-channel-state", `${bytes(facts.bytes)} in ${count(facts.keys)} keys: too large to be shown here. Ask for it by the shell, or key by key.`);
    }
    if (facts && facts.seq === seen) return undefined;
    const { state, seq } = await door.ask({ op: "state", channel: name }, signal);
    seen = seq;
    tree.show(state);
    return say("no-channel-state", Object.keys(state).length === 0 ? "Nothing is set." : null);
  }

  async function ask(signal) {
    await askState(signal);
    showMembers(await door.ask({ op: "members", channel: name }, signal));
  }

  const poll = new Poll(EVERY, ask, tell);
  const tail = new Tail(door, list);
  element("tail-pause").addEventListener("click", ({ currentTarget: button }) => {
    const isPaused = button.getAttribute("aria-pressed") !== "true";
    button.setAttribute("aria-pressed", String(isPaused));
    button.textContent = isPaused ? "Go on" : "Pause";
    list.pause(isPaused);
  });
  return {
    enter(wanted) {
      name = wanted;
      seen = null;
      tree.clear();
      list.clear();
      write("channel-title", titleOf(name));
      write("channel-facts", "");
      say("no-channel-state", "Asking…");
      say("no-tail", "None yet.");
      poll.start();
      tail.start(name);
    },
    leave() {
      poll.stop();
      tail.stop();
    },
  };
}

function showFacts(facts) {
  write("channel-facts", facts
    ? `${many(facts.subscribers, "follower")} · position ${count(facts.seq)} · ${many(facts.keys, "key")}, ${bytes(facts.bytes)}`
    : "not there: nothing is set, nobody follows it");
}

function showMembers({ members, kept }) {
  const ids = Object.entries(members);
  write("member-count", ids.length ? count(ids.length) : "");
  say("no-members", kept === false ? "No members are kept here (--presence)." : ids.length ? null : "Nobody is there.");
  element("channel-members").replaceChildren(...ids.slice(0, MOST_MEMBERS).map(([id, { info }]) => {
    const named = typeof info?.name === "string" && info.name !== id ? `${info.name.slice(0, 64)} (${id})` : id;
    const item = made("li", "", named);
    item.title = JSON.stringify(info);
    return item;
  }));
}

/** Asks for the next events again and again, each question waiting until there are some. */
class Tail {
  run = null; // AbortController of the run that is on

  constructor(door, list) {
    Object.assign(this, { door, list });
    document.addEventListener("visibilitychange", () => this.follow());
  }

  start(name) {
    this.stop();
    this.name = name;
    this.after = undefined;
    this.follow();
  }

  stop() {
    this.run?.abort();
    this.run = null;
    this.name = null;
  }

  async follow() {
    this.run?.abort();
    if (this.name === null || this.name === undefined || document.hidden) return;
    const run = new AbortController();
    this.run = run;
    for (let failures = 0; !run.signal.aborted;) {
      try {
        write("tail-note", await this.take(run.signal));
        failures = 0;
      } catch (error) {
        if (run.signal.aborted) return;
        failures += 1;
        write("tail-note", error.message);
      }
      await new Promise((done) => setTimeout(done, PAUSE * 2 ** Math.min(failures, 7)));
    }
  }

  /** The next ones; returns what is to be said of them. */
  async take(signal) {
    const isFirst = this.after === undefined;
    const position = isFirst ? {} : { after: this.after, wait: WAIT };
    const answer = await this.door.ask({ op: "events", channel: this.name, max: 100, ...position }, signal);
    if (signal.aborted) return "";
    for (const event of answer.events) this.list.add(event, isFirst);
    const last = answer.events.at(-1)?.seq ?? answer.seq;
    if (this.after > last) this.list.clear(); // its numbers have begun anew
    this.after = last;
    return !isFirst && answer.skipped ? `${many(answer.skipped, "event")} left out` : "";
  }
}
