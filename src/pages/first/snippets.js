// The lines that the page offers to be copied. Pure.

/** For a POSIX shell. */
export const quoted = (text) => (/^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`);

/** Where a client connects, seen from a page at `href`. */
export function socketUrl(href) {
  const url = new URL("ws/sync", href);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  return url.href;
}

export function shellSnippet({ control }) {
  return `syncrelay set greeting '"hello"'${control ? ` --control ${quoted(control)}` : ""}`;
}

/** null where there is no admin listener, or it is none of our business. */
export function curlSnippet({ admin_host, admin_port, admin_tls }, hostname) {
  if (!admin_port) return null;
  const isAny = admin_host === "0.0.0.0" || admin_host === "::";
  const host = isAny ? hostname : admin_host.includes(":") ? `[${admin_host}]` : admin_host;
  const isHere = /^(localhost|127\.|\[::1\])/.test(host);
  const token = isHere && !isAny ? "" : ` -H "Authorization: Bearer $(cat ADMIN_TOKEN)"`;
  return `curl${token} ${admin_tls ? "https" : "http"}://${host}:${admin_port}/commands -d '{"op":"set","key":"greeting","value":"hello"}'`;
}

export function pythonSnippet({ commands }) {
  return `from syncrelay import Relay

with Relay(${commands ? JSON.stringify(commands) : ""}) as relay:
    relay.set("greeting", "hello from Python")
    relay.broadcast("chat:said", {"text": "Ahoy"})`;
}

export function browserSnippet(href) {
  return `<script type="module">
  import { connect } from "${new URL("syncrelay.js", href).href}";

  const relay = connect("${socketUrl(href)}");
  relay.onChange((state) => console.log(state));
  relay.on("chat:said", (data) => console.log(data));
</script>`;
}
