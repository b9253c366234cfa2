// The chat. What is said here is shown at once, with what is known of it, until it comes back from the backend.

import { heardOf } from "./backend.js";
import * as me from "./me.js";
import { isHere } from "./people.js";
import { element, write, writeList } from "./view.js";

const WAITING = "not sent yet";
const TAKEN = "sent, the backend has still to answer";

let mine = []; // { id, from, name, text, fate }: not in the chat yet

export function startChat(relay, room) {
  const show = () => showChat(room);
  element("chat-form").addEventListener("submit", (submission) => {
    submission.preventDefault();
    const input = element("line");
    if (input.value.trim() === "") return;
    say(relay, room, input.value.trim());
    input.value = "";
  });
  relay.channel(`@${me.id}`).on("chat:refused", ({ id, reason }) => {
    refuse(mine.find((line) => line.id === id), reason);
    show();
  });
  room.on("chat:said", heardOf);
  room.onState("chat", show);
}

async function say(relay, room, text) {
  const line = { id: me.unique(), from: me.id, name: me.name(), text, fate: WAITING };
  mine = [...mine.filter(({ fate }) => !isRefused(fate)), line];
  showChat(room);
  element("chat").scrollTop = element("chat").scrollHeight;
  try {
    await relay.send("chat:say", { id: line.id, name: line.name, text }, { channel: room.name });
    if (line.fate === WAITING) line.fate = TAKEN;
  } catch ({ code, reason }) {
    refuse(line, `${code}: ${reason}`);
  }
  showChat(room);
}

function refuse(line, reason) {
  if (line) line.fate = `refused: ${reason}`;
}

function isRefused(fate) {
  return fate.startsWith("refused");
}

function keyOf({ from, id }) {
  return `${from} ${id}`;
}

export function showChat(room) {
  element("say").disabled = !isHere(room);
  const said = room.get("chat") ?? [];
  mine = mine.filter((line) => !said.some((other) => keyOf(other) === keyOf(line)));
  const list = element("chat");
  const isAtEnd = list.scrollHeight - list.clientHeight - list.scrollTop < 2;
  writeList(list, [...said, ...mine], keyOf, (item, { name, text, fate = "" }) => {
    if (item.childElementCount === 0) item.append(...["strong", "span", "em"].map((tag) => document.createElement(tag)));
    [name, text, fate].forEach((words, place) => write(item.children[place], words));
    item.className = isRefused(fate) ? "refused" : fate && "pending";
  });
  if (isAtEnd) list.scrollTop = list.scrollHeight;
}
