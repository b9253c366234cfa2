import { createHmac } from "node:crypto";

/** What tokens are signed with, and what a relay's `--token-key` holds. */
export const SECRET = "an0ther-secret-of-32-bytes-or-more";

/** An hour from now. */
const soon = () => Math.floor(Date.now() / 1000) + 3_600;

/** A token as an application's backend makes it (HS256). */
export function jwt(claims: object = {}, secret = SECRET): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const signed = `${part({ alg: "HS256", typ: "JWT" })}.${part({ exp: soon(), ...claims })}`;
  return `${signed}.${createHmac("sha256", secret).update(signed).digest("base64url")}`;
}
