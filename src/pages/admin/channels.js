// The table of channels.

import { element, write } from "./elements.js";
import { bytes, count, many } from "./numbers.js";
import { Poll } from "./poll.js";
import { Table } from "./table.js";

const EVERY = 3000; // ms
const PAGE = 1000; // channels in one answer

export const titleOf = (name) => (name === "" ? "(default)" : name);
export const linkTo = (name) => `#channel/${encodeURIComponent(name)}`;

const COLUMNS = [
  { name: "name", title: "Channel", value: ({ name }) => titleOf(name), text: ({ name }) => titleOf(name), link: ({ name }) => linkTo(name) },
  { name: "subscribers", title: "Followers", value: ({ subscribers }) => subscribers, text: ({ subscribers }) => count(subscribers), isNumber: true },
  { name: "seq", title: "Position", value: ({ seq }) => seq, text: ({ seq }) => count(seq), isNumber: true },
  { name: "keys", title: "Keys", value: ({ keys }) => keys, text: ({ keys }) => count(keys), isNumber: true, isWide: true },
  { name: "bytes", title: "State", value: ({ bytes: size }) => size, text: ({ bytes: size }) => bytes(size), isNumber: true, isWide: true },
];

export function channels(door, tell) {
  let pages = 1;
  const table = new Table(element("channel-table"), {
    label: "Channels",
    columns: COLUMNS,
    keyOf: ({ name }) => name,
    sortBy: "name",
    empty: "No channel of such a name.",
    open: ({ name }) => { location.hash = linkTo(name).slice(1); },
  });

  async function ask(signal) {
    const prefix = element("channel-prefix").value.trim();
    const found = [];
    let more = true;
    for (let page = 0; page < pages && more; page += 1) {
      const after = found.at(-1)?.name;
      const answer = await door.ask({ op: "channels", prefix, limit: PAGE, ...(after === undefined ? {} : { after }) }, signal);
      found.push(...answer.channels);
      more = answer.more === true;
    }
    table.show(found);
    element("channel-more").hidden = !more;
    write("channel-count", `${many(found.length, "channel")}${more ? " and more" : ""}`);
  }

  const poll = new Poll(EVERY, ask, tell);
  element("channel-prefix").addEventListener("input", () => {
    pages = 1;
    poll.now();
  });
  element("channel-form").addEventListener("submit", (submission) => submission.preventDefault());
  element("channel-more").addEventListener("click", () => {
    pages += 1;
    poll.now();
  });
  return { enter: () => poll.start(), leave: () => poll.stop() };
}
