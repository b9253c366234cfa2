// What the URL's fragment says: which view, and of what. Pure.

function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** "#channel/room%3A42" → { view: "channel", what: "room:42" }; what is not known is the overview. */
export function parseRoute(hash, views) {
  const [, view, what = ""] = /^#([a-z]*)(?:\/(.*))?$/s.exec(hash) ?? [];
  return view !== undefined && Object.hasOwn(views, view) ? { view, what: decoded(what) } : { view: "overview", what: "" };
}
