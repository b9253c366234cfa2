// What the first page does to its elements.

const STATUS = {
  connecting: "connecting…",
  live: "live",
  doubtful: "doubtful: no word from the relay",
  resuming: "resuming…",
  offline: "offline, trying again",
  refused: "refused",
};

export const element = (id) => document.getElementById(id);

/** Leaves alone what is right already, which a screen reader would read out again. */
export function write(id, text) {
  const place = element(id);
  if (place.textContent !== `${text}`) place.textContent = text;
}

/** Shows a text, or hides its place when there is none. */
export function tell(id, text) {
  write(id, text ?? "");
  element(id).hidden = !text;
}

export function showStatus(status) {
  element("status").dataset.status = status;
  write("status", STATUS[status] ?? status);
}

/** Seconds, as somebody would say them. */
export function spanOf(seconds) {
  const units = [["d", 86400], ["h", 3600], ["min", 60], ["s", 1]];
  const first = units.findIndex(([, size]) => seconds >= size);
  if (first < 0) return "0 s";
  const [name, size] = units[first];
  const whole = Math.floor(seconds / size);
  const next = units[first + 1];
  const rest = next ? Math.floor((seconds - whole * size) / next[1]) : 0;
  return rest && next[0] !== "s" ? `${whole} ${name} ${rest} ${next[0]}` : `${whole} ${name}`;
}

export function showMembers(members) {
  const ids = Object.entries(members).sort(([, a], [, b]) => a.since - b.since);
  element("people").hidden = ids.length === 0;
  write("people-count", ids.length);
  element("members").replaceChildren(...ids.slice(0, 200).map(([id, { info }]) => {
    const item = document.createElement("li");
    const name = typeof info?.name === "string" ? info.name.slice(0, 64) : "";
    item.textContent = name && name !== id ? `${name} (${id})` : id;
    return item;
  }));
}

/** Copies what an element says; where a page may not, it is marked to be copied by hand. */
export async function copy(id, button) {
  const text = element(id).textContent;
  const done = await navigator.clipboard?.writeText(text).then(() => true, () => false);
  if (!done) getSelection().selectAllChildren(element(id));
  const isCopied = done || document.execCommand("copy");
  const label = button.textContent;
  button.textContent = isCopied ? "Copied" : "Marked";
  write("said", isCopied ? "Copied" : "The text is marked: copy it with the keyboard");
  setTimeout(() => {
    button.textContent = label;
    write("said", "");
  }, 1500);
}
