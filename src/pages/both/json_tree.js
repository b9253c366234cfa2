// Shows a JSON value as a tree that folds. Elements stay while their values change, so that what is open and the keyboard's
// place outlast every change. Whatever a value holds becomes text and nothing else.

const MOST_CHILDREN = 200; // shown of an object or an array before somebody asks for more
const MOST_TEXT = 5000; // characters of one string that are shown

export const isContainer = (value) => typeof value === "object" && value !== null;

/** What a folded value is, in a word: `{3}`, `[12]`. */
export function gistOf(value) {
  if (Array.isArray(value)) return `[${value.length}]`;
  return isContainer(value) ? `{${Object.keys(value).length}}` : leafText(value);
}

/** A value that is no container, as JSON has it; a long string is cut, and says so. */
export function leafText(value) {
  if (value === undefined) return "–";
  if (typeof value !== "string" || value.length <= MOST_TEXT) return JSON.stringify(value);
  return `${JSON.stringify(value.slice(0, MOST_TEXT))} … ${value.length - MOST_TEXT} characters more`;
}

/** The class that gives a leaf its colour. */
export function kindOf(value) {
  if (typeof value === "string") return "string";
  return typeof value === "number" ? "numeric" : "word";
}

function element(name, className, text) {
  const made = document.createElement(name);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
}

/** One member of an object or array: a row, and when it is open those below it. */
class Row {
  constructor(key, isFresh) {
    this.place = element("li");
    this.key = key;
    this.below = null; // Rows, while it is or was open
    if (isFresh) flash(this.place);
  }

  show(value) {
    if (value === this.value && this.place.firstChild) return;
    const isChange = this.place.firstChild !== null;
    this.value = value;
    if (!isContainer(value)) this.showLeaf(value);
    else this.showContainer(value);
    if (isChange) flash(this.place);
  }

  showLeaf(value) {
    this.below = this.details = null;
    this.place.className = "leaf";
    this.place.replaceChildren(element("span", "key", this.key), element("span", `value ${kindOf(value)}`, leafText(value)));
  }

  showContainer(value) {
    if (!this.details) this.build();
    this.gist.textContent = gistOf(value);
    if (this.details.open) this.below.show(value);
  }

  build() {
    this.place.className = "";
    this.details = element("details");
    this.gist = element("span", "gist");
    this.below = new Rows(element("ul"));
    const summary = element("summary");
    summary.append(element("span", "key", this.key), this.gist);
    this.details.append(summary, this.below.list);
    this.details.addEventListener("toggle", () => this.details?.open && this.below.show(this.value, true));
    this.place.replaceChildren(this.details);
  }
}

/** The members of one object or array. */
class Rows {
  constructor(list) {
    this.list = list;
    this.rows = new Map();
    this.most = MOST_CHILDREN;
    this.more = null;
  }

  show(value, isFirst = this.rows.size === 0) {
    const keys = Object.keys(value);
    const shown = new Set(keys.slice(0, this.most));
    for (const [key, row] of this.rows) {
      if (shown.has(key)) continue;
      row.place.remove();
      this.rows.delete(key);
    }
    let place = 0;
    for (const key of shown) this.showRow(key, value[key], place++, isFirst);
    this.offerMore(keys.length - shown.size, value);
  }

  showRow(key, value, place, isFirst) {
    let row = this.rows.get(key);
    if (!row) {
      row = new Row(key, !isFirst);
      this.rows.set(key, row);
    }
    row.show(value);
    if (this.list.children[place] !== row.place) this.list.insertBefore(row.place, this.list.children[place] ?? null);
  }

  offerMore(count, value) {
    this.more?.remove();
    this.more = null;
    if (count <= 0) return;
    this.more = element("li");
    const button = element("button", "", `${count.toLocaleString()} more`);
    button.addEventListener("click", () => {
      this.most += 5 * MOST_CHILDREN;
      this.show(value, true);
    });
    this.more.append(button);
    this.list.append(this.more);
  }
}

function flash(place) {
  place.classList.remove("fresh");
  requestAnimationFrame(() => place.classList.add("fresh"));
}

/** The tree of an object's members in `list`, an empty <ul>. `show(value)` as often as it changes, however often. */
export function jsonTree(list) {
  list.classList.add("tree");
  let rows = new Rows(list);
  let next = null;
  const draw = () => {
    const value = next;
    next = null;
    rows.show(value);
  };
  return {
    show(value) {
      if (next === null) requestAnimationFrame(() => next !== null && draw());
      next = value;
    },
    clear() {
      list.replaceChildren();
      rows = new Rows(list);
      next = null;
    },
  };
}

/** A value that will not change, whatever it is. */
export function stillTree(value) {
  const list = element("ul", "tree");
  const rows = new Rows(list);
  if (isContainer(value)) rows.show(value, true);
  else list.append(element("li", `value ${kindOf(value)}`, leafText(value)));
  return list;
}
