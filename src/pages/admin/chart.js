// A small line chart in SVG. What it shows is said in its caption, too: nobody has to see the lines.

import { bytes, count, span } from "./numbers.js";
import { axisEnd, path, points } from "./series.js";

const SVG = "http://www.w3.org/2000/svg";
const SIZE = { width: 600, height: 100 };
const SECONDS = 900;
const UNITS = { count, span, rate: (value) => `${count(value)}/s`, byteRate: (value) => `${bytes(value)}/s` };
const COLOURS = ["a", "b"];

function svg(name, attributes) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}

function html(name, className, text = "") {
  const made = document.createElement(name);
  made.className = className;
  made.textContent = text;
  return made;
}

/** `{ place, show(history) }` for one of CHARTS. */
export function chart({ title, unit, lines }) {
  const write = UNITS[unit];
  const place = html("figure", "card chart");
  const caption = document.createElement("figcaption");
  const picture = svg("svg", { viewBox: `0 0 ${SIZE.width} ${SIZE.height}`, preserveAspectRatio: "none", "aria-hidden": "true" });
  for (const y of [0, 0.5, 1]) picture.append(svg("line", { class: "grid", x1: 0, x2: SIZE.width, y1: y * SIZE.height, y2: y * SIZE.height }));
  const parts = lines.map(([label], index) => {
    const group = svg("g", { class: COLOURS[index] });
    const part = { label, key: html("span", `key ${COLOURS[index]}`), area: svg("path", { class: "area" }), line: svg("path", { class: "line" }) };
    group.append(part.area, part.line);
    picture.append(group);
    return part;
  });
  const top = html("span", "");
  const axis = html("div", "axis");
  axis.append(html("span", "", "15 min ago"), top, html("span", "", "now"));
  caption.append(html("span", "", title), ...parts.map(({ key }) => key));
  place.append(caption, picture, axis);

  return {
    place,
    show(history) {
      const all = lines.map(([, valueOf]) => points(history, valueOf));
      const values = all.flat().map(([, value]) => value).filter((value) => value !== null);
      const end = axisEnd(Math.max(0, ...values), unit);
      top.textContent = `top ${write(end)}`;
      parts.forEach(({ label, key, area, line }, index) => {
        const drawn = path(all[index], { ...SIZE, seconds: SECONDS, end });
        const first = drawn.match(/^M([\d.-]+)/)?.[1] ?? 0;
        line.setAttribute("d", drawn);
        area.setAttribute("d", index === 0 && drawn && !drawn.slice(1).includes("M") ? `${drawn}L${SIZE.width} ${SIZE.height}L${first} ${SIZE.height}Z` : "");
        key.textContent = `${label} ${write(all[index].at(-1)?.[1] ?? Number.NaN)}`.trim();
      });
    },
  };
}
