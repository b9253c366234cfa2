// The newest commands that were refused.

import { titleOf } from "./channels.js";
import { element, writePairs } from "./elements.js";
import { bytes, moment } from "./numbers.js";
import { Poll } from "./poll.js";
import { Table } from "./table.js";

const EVERY = 3000; // ms
const MOST = 200;

const SOURCES = { push: "pushed", control: "control socket", http: "HTTP" };

/** Where in what was sent: which command of a batch, which line, and how many bytes into it. */
export function placeOf({ index, line, offset }) {
  const named = [["command", index], ["line", line], ["offset", offset]];
  return named.filter(([, value]) => value !== undefined).map(([name, value]) => `${name} ${value}`).join(", ");
}

const COLUMNS = [
  { name: "ts", title: "When", value: ({ ts }) => ts, text: ({ ts }) => moment(ts) },
  { name: "reason", title: "Reason", value: ({ reason }) => reason, text: ({ reason }) => reason },
  { name: "detail", title: "What is wrong", text: ({ detail }) => detail ?? "" },
  { name: "op", title: "Command", value: ({ op }) => op, text: ({ op }) => op ?? "", isWide: true },
  { name: "channel", title: "Channel", value: ({ channel }) => channel, text: ({ channel }) => (channel === undefined ? "" : titleOf(channel)), isWide: true },
  { name: "place", title: "Place", text: placeOf, isWide: true },
  { name: "source", title: "Source", value: ({ source }) => source, text: ({ source, endpoint }) => [SOURCES[source] ?? source, endpoint].filter(Boolean).join(" "), isWide: true },
  { name: "bytes", title: "Size", value: ({ bytes: size }) => size, text: ({ bytes: size }) => bytes(size), isNumber: true, isWide: true },
];

/** All of it, since a row has room for its beginning only. */
function open(row) {
  const pairs = COLUMNS.map(({ title, text }) => [title, text(row)]);
  writePairs(element("refusal-parts"), pairs.filter(([, text]) => text !== ""));
  element("refusal").showModal();
}

export function refused(door, tell) {
  const table = new Table(element("refused-table"), {
    label: "Refused commands",
    columns: COLUMNS,
    keyOf: ({ key }) => key,
    sortBy: "ts",
    sign: -1,
    empty: "No command has been refused.",
    open,
    opensByClick: true,
  });
  const poll = new Poll(EVERY, async (signal) => {
    const answer = await door.ask({ op: "refused", max: MOST }, signal);
    const counts = new Map(); // of several in one moment
    table.show((answer.refused ?? answer).map((each) => {
      const number = counts.get(each.ts) ?? 0;
      counts.set(each.ts, number + 1);
      return { ...each, key: `${each.ts} ${number}` };
    }));
  }, tell);
  return { enter: () => poll.start(), leave: () => poll.stop() };
}
