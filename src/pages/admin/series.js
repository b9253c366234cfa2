// What the charts draw, out of the samples that {"op":"history"} gives. Pure.

/** Per second: a sample's counters are differences within its step. */
const rate = (name) => (sample, step) => (Number.isFinite(sample[name]) ? sample[name] / step : null);
const level = (name) => (sample) => (Number.isFinite(sample[name]) ? sample[name] : null);

/** Each chart: its title, the unit of its numbers, and its lines: [label, value of a sample]. */
export const CHARTS = [
  { title: "Clients", unit: "count", lines: [["", level("clients")]] },
  { title: "Events", unit: "rate", lines: [["", rate("events")]] },
  { title: "Bytes to clients", unit: "byteRate", lines: [["", rate("bytes")]] },
  { title: "Fan-out", unit: "span", lines: [["p50", level("delay_p50")], ["p99", level("delay_p99")]] },
  { title: "Commands", unit: "rate", lines: [["taken", rate("commands")], ["refused", rate("refused")]] },
  { title: "Slow clients", unit: "count", lines: [["now", level("slow")], ["closed", level("stalled")]] },
];

/** The points of one line: [seconds before now, value or null]. */
export function points(history, valueOf) {
  const { samples = [], step = 2 } = history;
  const end = samples.at(-1)?.ts ?? 0;
  return samples.map((sample) => [sample.ts - end, valueOf(sample, step)]);
}

/** The end of the axis: 1, 2 or 5 times a power of ten (or of two, for bytes), not below the greatest value. */
export function axisEnd(greatest, unit) {
  if (!(greatest > 0)) return unit === "span" ? 0.001 : unit === "byteRate" ? 1024 : 1;
  if (unit === "byteRate") return 2 ** Math.ceil(Math.log2(greatest));
  const power = 10 ** Math.floor(Math.log10(greatest));
  const end = [1, 2, 5, 10].find((factor) => factor * power >= greatest * 0.9999) * power;
  return unit === "count" ? Math.max(end, 1) : end;
}

/** SVG's path of a line within `width` × `height`; a value that is missing breaks it. */
export function path(line, { width, height, seconds, end }) {
  let text = "";
  let isDrawing = false;
  for (const [at, value] of line) {
    if (value === null || at < -seconds) {
      isDrawing = false;
      continue;
    }
    const x = width * (1 + at / seconds);
    const y = height * (1 - Math.min(value / end, 1));
    text += `${isDrawing ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}${isDrawing ? "" : "h0"}`; // one that is alone is a dot
    isDrawing = true;
  }
  return text;
}
