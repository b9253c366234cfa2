/** A token (JWT), or where a new one comes from. */
export type TokenSource = string | (() => string | Promise<string>);

const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/** Throws TypeError for what cannot be said to a relay. What it is stays secret. */
export function demandToken(token: unknown): string {
  if (typeof token === "string" && /^[\w.-]+$/.test(token)) return token;
  const isJson = typeof token === "string" && token.startsWith('"');
  const advice = isJson ? ", without quotes: answer.json() takes them off" : "";
  throw new TypeError(`a token (JWT) is a text of A-Z a-z 0-9 _ . -${advice}`);
}

/** What a connection is opened with: a browser can give a token nowhere else. None without a token. */
export function subprotocols(token: string | undefined): string[] | undefined {
  return token === undefined ? token : ["syncrelay", `token.${token}`];
}

/** The identity that a token names (`sub`), unverified: the relay does that. Null: none. */
export function subjectOf(token: string): string | null {
  try {
    const { sub } = JSON.parse(decoded(token.split(".")[1] ?? ""));
    return (typeof sub === "string" && sub) || null;
  } catch {
    return null; // no JWT, as the relay is about to say
  }
}

/** Base64url, byte by byte: ids are ASCII. Not by `atob`, which older React Natives do not have. */
function decoded(base64: string): string {
  let held = 0;
  let bits = 0;
  let text = "";
  for (const letter of base64) {
    held = (held << 6) | LETTERS.indexOf(letter);
    bits += 6;
    if (bits < 8) continue;
    bits -= 8;
    text += String.fromCharCode((held >> bits) & 255);
  }
  return text;
}
