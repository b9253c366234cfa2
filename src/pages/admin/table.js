// A table of any number of rows, of which only those exist that are seen. Sorted by its heads; within it the arrow keys go
// from row to row, and what is in a row is reached from there.

import { filtered, range, sorted } from "./rows.js";

const ROW = 36; // pixels until one has been measured
const STEPS = { ArrowDown: 1, ArrowUp: -1, PageDown: 12, PageUp: -12, Home: -Infinity, End: Infinity };

function element(name, className = "", text = "") {
  const made = document.createElement(name);
  made.className = className;
  made.textContent = text;
  return made;
}

/**
 * columns: [{ name, title, value(row), text(row), className, link(row), isWide }]; value sorts, text shows.
 * open(row): what Enter does, and with `opensByClick` a click, too. keyOf(row): what it is known by. buttons: [{ title, label(row), className, act(row) }]. textsOf(row): what a filter looks at.
 */
export class Table {
  rows = [];
  shown = [];
  filter = "";
  current = null; // the key of the row that has the keyboard's place
  made = new Map(); // row elements by key
  height = ROW;

  constructor(place, { label, columns, keyOf, buttons = [], textsOf = () => [], sortBy, sign = 1, open, opensByClick = false, empty }) {
    Object.assign(this, { columns, keyOf, buttons, textsOf, sign, open, opensByClick, empty });
    this.column = columns.find(({ name }) => name === sortBy) ?? columns[0];
    this.build(place, label);
  }

  build(place, label) {
    this.place = element("div", "table");
    this.place.tabIndex = -1; // or Firefox makes a stop of it, since it scrolls
    this.table = element("table");
    this.table.setAttribute("aria-label", label);
    this.body = element("tbody");
    [this.above, this.below] = [spacer(this.width()), spacer(this.width())];
    this.nothing = element("p", "empty", this.empty);
    this.table.append(this.head(), this.body);
    this.place.append(this.table, this.nothing);
    place.replaceChildren(this.place);
    this.place.addEventListener("scroll", () => this.drawSoon(), { passive: true });
    new ResizeObserver(() => this.drawSoon()).observe(this.place);
    this.body.addEventListener("keydown", (press) => this.press(press));
    if (this.opensByClick) this.openByClick();
    this.body.addEventListener("focusin", ({ target }) => this.moveTo(target.closest("tr")?.dataset.key ?? this.current));
  }

  openByClick() {
    this.place.dataset.clicks = "";
    this.body.addEventListener("click", ({ target }) => {
      const made = this.made.get(target.closest("tr")?.dataset.key);
      if (made && getSelection().isCollapsed) this.open(made.row); // who marks text wants to copy it
    });
  }

  width() {
    return this.columns.length + (this.buttons.length > 0 ? 1 : 0);
  }

  head() {
    const row = element("tr");
    this.heads = this.columns.map((column) => {
      const cell = element("th", classes(column));
      cell.scope = "col";
      if (column.value) {
        const button = element("button", "", column.title);
        button.addEventListener("click", () => this.sort(column));
        cell.append(button);
      } else {
        cell.append(element("span", "", column.title));
      }
      row.append(cell);
      return cell;
    });
    if (this.buttons.length > 0) {
      const cell = element("th", "wide");
      cell.append(element("span", "unseen", "Actions"));
      row.append(cell);
    }
    const head = element("thead");
    head.append(row);
    this.tellOrder();
    return head;
  }

  /** By this column; the other way round when it is so already. */
  sort(column) {
    this.sign = this.column === column ? -this.sign : column.isNumber ? -1 : 1;
    this.column = column;
    this.tellOrder();
    this.arrange();
  }

  tellOrder() {
    this.columns.forEach((column, index) => {
      const order = column === this.column ? (this.sign > 0 ? "ascending" : "descending") : "none";
      if (column.value) this.heads[index].setAttribute("aria-sort", order);
    });
  }

  show(rows) {
    this.rows = rows;
    this.arrange();
  }

  find(text) {
    this.filter = text;
    this.place.scrollTop = 0;
    this.arrange();
  }

  arrange() {
    this.shown = sorted(filtered(this.rows, this.filter, this.textsOf), this.column.value ?? (() => 0), this.sign);
    this.table.setAttribute("aria-rowcount", String(this.shown.length + 1));
    this.nothing.hidden = this.shown.length > 0;
    this.draw();
  }

  drawSoon() {
    this.asked ??= requestAnimationFrame(() => this.draw());
  }

  draw() {
    cancelAnimationFrame(this.asked);
    this.asked = null;
    const [first, last] = range({ top: this.place.scrollTop, height: this.place.clientHeight, rowHeight: this.height, count: this.shown.length });
    const wanted = this.shown.slice(first, last);
    const hadFocus = this.body.contains(document.activeElement) ? document.activeElement : null;
    const keys = new Set(wanted.map((row) => String(this.keyOf(row))));
    for (const [key, { place }] of this.made) {
      if (keys.has(key)) continue;
      place.remove();
      this.made.delete(key);
    }
    if (!keys.has(this.current)) this.moveTo(wanted.length ? String(this.keyOf(wanted[0])) : null);
    const places = wanted.map((row, index) => this.row(row, first + index));
    stretch(this.above, first * this.height);
    stretch(this.below, (this.shown.length - last) * this.height);
    arrangeChildren(this.body, [this.above, ...places, this.below]);
    if (hadFocus && document.activeElement !== hadFocus && hadFocus.isConnected) hadFocus.focus({ preventScroll: true });
    this.measure(places[0]);
  }

  measure(place) {
    const height = place?.getBoundingClientRect().height ?? 0;
    if (height > 0 && Math.abs(height - this.height) > 0.5) {
      this.height = height;
      this.drawSoon();
    }
  }

  row(row, index) {
    const key = String(this.keyOf(row));
    let made = this.made.get(key);
    if (!made) {
      made = this.makeRow(key);
      this.made.set(key, made);
    }
    made.row = row;
    made.place.setAttribute("aria-rowindex", String(index + 2));
    this.columns.forEach((column, at) => fillCell(made.cells[at], column, row));
    made.buttons.forEach((button, at) => button.setAttribute("aria-label", this.buttons[at].label(row)));
    this.markRow(made, key === this.current);
    return made.place;
  }

  makeRow(key) {
    const place = element("tr");
    place.dataset.key = key;
    const cells = this.columns.map((column) => place.appendChild(element("td", classes(column))));
    const made = { place, cells, buttons: [], row: null };
    if (this.buttons.length > 0) {
      const cell = place.appendChild(element("td", "buttons wide"));
      made.buttons = this.buttons.map(({ title, className = "", act }) => {
        const button = cell.appendChild(element("button", className, title));
        button.addEventListener("click", () => act(made.row));
        return button;
      });
    }
    return made;
  }

  /** Only one row, and what is in it, is on the way of the Tab key. */
  moveTo(key) {
    if (key === this.current) return;
    const before = this.made.get(this.current);
    this.current = key;
    if (before) this.markRow(before, false);
    const now = this.made.get(key);
    if (now) this.markRow(now, true);
  }

  markRow({ place, buttons }, isCurrent) {
    const order = isCurrent ? 0 : -1;
    for (const each of [place, ...buttons, ...place.querySelectorAll("a")]) each.tabIndex = order;
  }

  press(press) {
    const { key, target } = press;
    if (key === "Enter" && target.tagName === "TR" && this.open) this.open(this.made.get(this.current).row);
    if (!(key in STEPS)) return;
    press.preventDefault();
    const at = this.shown.findIndex((row) => String(this.keyOf(row)) === this.current);
    const next = Math.max(0, Math.min(this.shown.length - 1, at + STEPS[key]));
    this.goTo(next);
  }

  goTo(index) {
    if (!this.shown[index]) return;
    const head = this.table.tHead.getBoundingClientRect().height;
    const top = index * this.height;
    const seen = this.place.clientHeight - head - this.height;
    if (top < this.place.scrollTop) this.place.scrollTop = top;
    else if (top > this.place.scrollTop + seen) this.place.scrollTop = top - seen;
    const key = String(this.keyOf(this.shown[index]));
    this.draw();
    this.moveTo(key);
    this.made.get(key)?.place.focus({ preventScroll: true });
  }
}

function classes({ isNumber, isWide }) {
  return [isNumber ? "end" : "", isWide ? "wide" : ""].join(" ").trim();
}

function fillCell(cell, { text, link, mark }, row) {
  const wanted = text(row);
  const target = link?.(row);
  if (target && !cell.firstElementChild) cell.append(document.createElement("a"));
  const place = target ? cell.firstElementChild : cell;
  if (place.textContent !== wanted) {
    place.textContent = wanted;
    cell.title = wanted;
  }
  if (target && place.getAttribute("href") !== target) place.setAttribute("href", target);
  if (mark) cell.classList.toggle("slow", mark(row));
}

function spacer(columns) {
  const row = element("tr");
  row.setAttribute("aria-hidden", "true");
  row.append(element("td"));
  row.firstChild.colSpan = columns;
  return row;
}

function stretch(row, height) {
  row.firstChild.style.height = `${height}px`;
}

function arrangeChildren(parent, children) {
  children.forEach((child, place) => {
    if (parent.children[place] !== child) parent.insertBefore(child, parent.children[place] ?? null);
  });
}
