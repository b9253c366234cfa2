// Which rows a table has, in which order, and which of them are made. Pure.

/** Rows in the order of a column, `sign` 1 or -1; equal ones stay as they are. What is missing comes last. */
export function sorted(rows, valueOf, sign) {
  const missing = (value) => value === undefined || value === null || value === "";
  return rows.map((row) => [valueOf(row), row]).sort(([a], [b]) => {
    if (missing(a) || missing(b)) return missing(a) - missing(b);
    if (a === b) return 0;
    return sign * (typeof a === "string" && typeof b === "string" ? a.localeCompare(b, "en", { numeric: true }) : a < b ? -1 : 1);
  }).map(([, row]) => row);
}

/** Those that have every word of the filter in one of their texts. */
export function filtered(rows, filter, textsOf) {
  const words = filter.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return rows;
  return rows.filter((row) => {
    const text = textsOf(row).join("\n").toLowerCase();
    return words.every((word) => text.includes(word));
  });
}

/** From and to which row to make: what is seen, and some around it. */
export function range({ top, height, rowHeight, count, around = 8 }) {
  const first = Math.max(0, Math.floor(top / rowHeight) - around);
  const last = Math.min(count, Math.ceil((top + height) / rowHeight) + around);
  return [Math.min(first, last), last];
}
