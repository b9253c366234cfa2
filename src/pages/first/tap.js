// The events of every type. The client tells of those that somebody has named; this hears what its socket hears.

/** Whether a message is an event: it is numbered, and no snapshot and no resume. */
export function isEvent({ type, seq }) {
  return typeof type === "string" && Number.isInteger(seq) && type !== "sync:full" && type !== "sync:resume";
}

/** A class of WebSockets that tells `hear(message)` every message that is an object. */
export function tapped(hear, Base = WebSocket) {
  return class extends Base {
    constructor(...address) {
      super(...address);
      this.addEventListener("message", ({ data }) => {
        const message = parsed(data);
        if (message) hear(message);
      });
    }
  };
}

function parsed(text) {
  try {
    const value = JSON.parse(text);
    return typeof value === "object" ? value : null;
  } catch {
    return null; // the client says so
  }
}

/** Of a channel's messages, those that are events and have not been told: after an outage some may come again. */
export class Told {
  last = new Map(); // position by channel

  isNew(message) {
    const channel = message.channel ?? "";
    if (message.type === "sync:full") this.last.set(channel, message.seq);
    if (!isEvent(message) || message.seq <= (this.last.get(channel) ?? -1)) return false;
    this.last.set(channel, message.seq);
    return true;
  }
}
