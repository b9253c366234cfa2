// What both pages do to show what the relay keeps. Elements stay and only their texts change, so that a click that
// is under way and the keyboard's focus outlast every change.

const STATUS = {
  connecting: "connecting…",
  live: "live",
  doubtful: "doubtful: no word from the relay",
  resuming: "resuming…",
  offline: "offline, trying again",
};

export const element = (id) => document.getElementById(id);

/** Where the relay is: at the host that this page is from. */
export function relayUrl() {
  const port = document.querySelector("meta[name=relay-port]").content;
  const scheme = location.protocol === "https:" ? "wss" : "ws";
  return `${scheme}://${location.hostname}:${port}/ws/sync`;
}

/** Leaves alone what is right already, which a screen reader would read out again. */
export function write(place, text) {
  if (place.textContent !== `${text}`) place.textContent = text;
}

/**
 * One child for each item, which `fill(child, item)` writes into: never as HTML, since people make up these texts. A child
 * stays as long as its item does, so that a screen reader reads out only what is new.
 */
export function writeList(list, items, keyOf, fill) {
  const before = new Map([...list.children].map((child) => [child.dataset.key, child]));
  const children = items.map((item) => {
    const child = before.get(keyOf(item)) ?? document.createElement("li");
    child.dataset.key = keyOf(item);
    fill(child, item);
    return child;
  });
  for (const child of before.values()) if (!children.includes(child)) child.remove();
  children.forEach((child, place) => list.children[place] !== child && list.insertBefore(child, list.children[place] ?? null));
}

export function describe(card, { title, artist }) {
  write(card.querySelector("strong"), title);
  write(card.querySelector("span"), artist);
}

export function showStatus({ status, error, position }) {
  element("status").dataset.status = status;
  write(element("status"), error ? `stopped: ${error.reason || error.message}` : STATUS[status]);
  if (status === "live") write(element("note"), "");
  write(element("position"), position?.seq ?? "–");
}

/** After something was sent: says so where the page cannot show its effect now. */
export function tellIfUnseen({ status, error }) {
  if (status === "live") return;
  write(element("note"), error
    ? "Sent, but this page has stopped and will not show it. Please load it again."
    : "Sent. It takes effect when the relay can be reached, and shows here then.");
}
