// What all views do to their elements.

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

export function made(name, className = "", text = "") {
  const place = document.createElement(name);
  place.className = className;
  place.textContent = text;
  return place;
}

/** Pairs of a name and a value in a <dl>; the elements stay while only values change. */
export function writePairs(list, pairs) {
  const names = [...list.querySelectorAll("dt")].map((name) => name.textContent);
  if (names.join("\n") !== pairs.map(([name]) => name).join("\n")) {
    list.replaceChildren(...pairs.map(([name]) => {
      const pair = made("div");
      pair.append(made("dt", "", name), made("dd"));
      return pair;
    }));
  }
  pairs.forEach(([, value, isWorry = false], index) => {
    const pair = list.children[index];
    const place = pair.querySelector("dd");
    if (place.textContent !== value) place.textContent = value;
    pair.classList.toggle("worry", isWorry);
  });
}
