// The overview: the last 15 minutes, and what is held against its bounds.

import { boundsOf, clusterOf, spoken, storageOf } from "./bounds.js";
import { chart } from "./chart.js";
import { element, made, writePairs } from "./elements.js";
import { bytes, count, roughly, span } from "./numbers.js";
import { Poll } from "./poll.js";
import { CHARTS } from "./series.js";

const EVERY = 2000; // ms, as the samples

export function overview(door, tell) {
  const charts = CHARTS.map(chart);
  element("charts").append(...charts.map(({ place }) => place));

  async function ask(signal) {
    const [history, answer] = await Promise.all([door.ask({ op: "history" }, signal), door.ask({ op: "stats" }, signal)]);
    const { history: inner = history } = history;
    for (const each of charts) each.show(inner);
    showTiles(inner, answer);
    showBounds(answer);
    showParts(answer);
  }

  const poll = new Poll(EVERY, ask, tell);
  return { enter: () => poll.start(), leave: () => poll.stop() };
}

function showTiles({ samples = [], step = 2 }, { seq, stats, started }) {
  const last = samples.at(-1) ?? {};
  writePairs(element("tiles"), [
    ["clients", count(stats.clients)],
    ["events a second", count(last.events / step)],
    ["bytes a second", bytes(last.bytes / step)],
    ["fan-out p99", span(last.delay_p99)],
    ["slow clients", count(stats.slow_clients), stats.slow_clients > 0],
    ["commands refused", count(stats.commands_rejected)],
    ["position", count(seq)],
    ["running for", roughly(started === undefined ? Number.NaN : Math.max(0, Date.now() / 1000 - started))],
  ]);
}

const WRITERS = { bytes, count };

function showBounds(answer) {
  const bounds = boundsOf(answer);
  const place = element("bounds");
  while (place.children.length > bounds.length) place.lastChild.remove();
  while (place.children.length < bounds.length) place.append(emptyBound());
  bounds.forEach(({ title, unit, used, bound, mayBeFull }, index) => {
    const [name, value, meter] = place.children[index].children;
    const write = WRITERS[unit];
    name.textContent = title;
    value.textContent = `${write(used)} of ${write(bound)}`;
    meter.setAttribute("aria-label", title);
    Object.assign(meter, { min: 0, max: bound, optimum: 0, low: mayBeFull ? bound : 0.75 * bound, high: mayBeFull ? bound : 0.9 * bound, value: used });
    meter.title = `${(100 * used / bound).toFixed(1)} %`;
  });
}

function emptyBound() {
  const place = made("div", "bound");
  place.append(made("span"), made("span"), made("meter"));
  return place;
}

function showParts({ stats, storage, cluster }) {
  writePairs(element("inbox"), [
    ["waiting", count(stats.inbox_messages)],
    ["held by it", bytes(stats.inbox_bytes)],
    ["in workers' hands", count(stats.inbox_leased)],
    ["received", count(stats.inbox_received)],
    ["done", count(stats.inbox_done)],
    ["handed out again", count(stats.inbox_redelivered), stats.inbox_redelivered > 0],
  ]);
  writePairs(element("storage"), storageOf(storage));
  writePairs(element("cluster"), clusterOf(stats.cluster ?? cluster, valueOf));
}

/** By what its name says that it is. */
function valueOf(name, value) {
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (Array.isArray(value)) return value.length ? value.map(String).join(", ") : "none";
  if (typeof value === "object" && value !== null) return Object.entries(value).map(([part, each]) => `${spoken(part)} ${valueOf(part, each)}`).join(", ");
  if (typeof value !== "number") return String(value);
  if (/bytes|size/.test(name)) return bytes(value);
  return /seconds|age|delay|lag|latency|last/.test(name) ? span(value) : count(value);
}
