// Who is listening: the members that the relay keeps of the room, the same for every page.

import * as me from "./me.js";
import { element, write, writeList } from "./view.js";

/** Whether this browser is one of them: what it says counts from then on. */
export function isHere(room) {
  return me.id in room.members;
}

export function nameOf(room, id) {
  return room.members[id]?.info.name;
}

export function showPeople(room) {
  const people = Object.entries(room.members).sort(([, left], [, right]) => left.since - right.since);
  writeList(element("people"), people, ([id]) => id, (item, [id, { info }]) => {
    write(item, id === me.id ? `${info.name} (you)` : info.name);
  });
  write(element("count"), people.length);
}
