// Numbers as somebody reads them. Pure.

const UNITS = ["B", "KiB", "MiB", "GiB", "TiB"];

export function bytes(value) {
  if (!Number.isFinite(value)) return "–";
  let unit = 0;
  let left = value;
  while (left >= 1024 && unit < UNITS.length - 1) {
    left /= 1024;
    unit += 1;
  }
  return `${unit === 0 || left >= 100 ? Math.round(left) : left.toFixed(1)} ${UNITS[unit]}`;
}

export function count(value) {
  if (!Number.isFinite(value)) return "–";
  return Math.abs(value) < 10 && !Number.isInteger(value) ? value.toFixed(1) : Math.round(value).toLocaleString("en");
}

/** 1 → "1 key", 2 → "2 keys". */
export const many = (value, noun) => `${count(value)} ${noun}${value === 1 ? "" : "s"}`;

/** Seconds: 0.004 → "4 ms", 75 → "1 min 15 s". */
export function span(seconds) {
  if (!Number.isFinite(seconds)) return "–";
  if (seconds < 0.001) return `${Math.round(seconds * 1e6)} µs`;
  if (seconds < 1) return `${seconds < 0.01 ? (seconds * 1000).toFixed(1) : Math.round(seconds * 1000)} ms`;
  if (seconds < 60) return `${seconds < 10 ? seconds.toFixed(1) : Math.round(seconds)} s`;
  const units = [["d", 86400], ["h", 3600], ["min", 60], ["s", 1]];
  const first = units.findIndex(([, size]) => seconds >= size);
  const [name, size] = units[first];
  const [nextName, nextSize] = units[first + 1];
  const rest = Math.floor((seconds % size) / nextSize);
  return `${Math.floor(seconds / size)} ${name}${rest ? ` ${rest} ${nextName}` : ""}`;
}

/** The same for little room: of minutes the seconds are left out, of days the hours. */
export function roughly(seconds) {
  const text = span(seconds);
  return /^\d+ (d|min) /.test(text) ? text.split(" ", 2).join(" ") : text;
}

/** A `ts` in seconds as date and time of this place; today's without the date. */
export function moment(ts, now = Date.now()) {
  if (!Number.isFinite(ts)) return "–";
  const at = new Date(ts * 1000);
  const time = at.toTimeString().slice(0, 8);
  const isToday = at.toDateString() === new Date(now).toDateString();
  const two = (number) => String(number).padStart(2, "0");
  return isToday ? time : `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())} ${time}`;
}
