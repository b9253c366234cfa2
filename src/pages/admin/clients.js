// The table of clients.

import { disconnect } from "./confirm.js";
import { element, write } from "./elements.js";
import { bytes, count, many, moment, span } from "./numbers.js";
import { Poll } from "./poll.js";
import { Table } from "./table.js";

const EVERY = 3000; // ms
const LAG = 100; // events, from which on a client is called slow

export const isSlow = ({ lag, stalled }) => stalled > 0 || lag >= LAG;
const seenOf = (client) => client.seen ?? client.last_pong;
const sinceOf = (client) => client.connected ?? client.since;
const channelsOf = ({ channels }) => (Array.isArray(channels) ? channels.length : channels);

const COLUMNS = [
  { name: "id", title: "Client", value: ({ id }) => id, text: ({ id }) => `${id}`, link: ({ id }) => `#client/${id}` },
  { name: "identity", title: "Identity", value: ({ identity }) => identity, text: ({ identity }) => identity ?? "" },
  { name: "address", title: "Address", value: ({ address }) => address, text: ({ address }) => address, isWide: true },
  { name: "channels", title: "Channels", value: channelsOf, text: (client) => count(channelsOf(client)), isNumber: true, isWide: true },
  { name: "lag", title: "Lag", value: ({ lag }) => lag, text: ({ lag }) => count(lag), isNumber: true, mark: isSlow },
  { name: "bytes", title: "Sent", value: ({ bytes: sent }) => sent, text: ({ bytes: sent }) => bytes(sent), isNumber: true, isWide: true },
  { name: "seen", title: "Last sign", value: seenOf, text: (client) => span(seenOf(client)), isNumber: true, isWide: true },
  { name: "since", title: "Connected", value: sinceOf, text: (client) => moment(sinceOf(client)), isNumber: true, isWide: true },
];

const textsOf = (client) => [`${client.id}`, client.identity ?? "", client.address, isSlow(client) ? "slow" : ""];

export function clients(door, tell) {
  const table = new Table(element("client-table"), {
    label: "Clients",
    columns: COLUMNS,
    keyOf: ({ id }) => id,
    textsOf,
    sortBy: "id",
    empty: "No client, or none that fits the filter.",
    open: ({ id }) => { location.hash = `client/${id}`; },
    buttons: [{
      title: "Explain",
      label: ({ id, identity }) => `Explain ${identity ?? `client ${id}`}`,
      act: ({ id }) => { location.hash = `client/${id}`; },
    }, {
      title: "Disconnect",
      label: ({ id, identity }) => `Disconnect ${identity ?? `client ${id}`}`,
      className: "danger",
      act: (client) => disconnect(door, client).then((isDone) => isDone && poll.now(), tell),
    }],
  });

  function showCount() {
    const [all, some] = [table.rows.length, table.shown.length];
    write("client-count", some === all ? many(all, "client") : `${count(some)} of ${many(all, "client")}`);
  }

  async function ask(signal) {
    const answer = await door.ask({ op: "clients" }, signal);
    table.show(answer.clients);
    showCount();
    write("client-age", `as of ${moment(Date.now() / 1000)}`);
  }

  // By the number of clients: an answer of 10,000 is two megabytes.
  const poll = new Poll(EVERY, async (signal) => {
    await ask(signal);
    poll.every = EVERY + table.rows.length;
  }, tell);
  element("client-filter").addEventListener("input", ({ target }) => {
    table.find(target.value);
    showCount();
  });
  return { enter: () => poll.start(), leave: () => poll.stop() };
}
