// A connection to /ws/sync that stays: it reconnects for ever and goes on from its last position.

const SHORTEST = 500; // ms before the first attempt to reconnect, at most
const LONGEST = 20_000;
const HEARTBEAT = 5; // s between the relay's {"type":"ping"}
const SILENCE = 2.5 * HEARTBEAT * 1000; // ms without a message until the connection counts as dead

// handlers: full(data) for a snapshot, event(message) for each event,
// status("live" | "resuming" | "offline"), position({ epoch, seq }).
export function connect(address, handlers) {
  let position = null;
  let attempts = 0;
  let socket = null;
  let retry = null;
  let watchdog = null;

  function open() {
    clearTimeout(retry);
    const url = new URL(address);
    url.searchParams.set("heartbeat", HEARTBEAT);
    if (position) {
      url.searchParams.set("epoch", position.epoch);
      url.searchParams.set("seq", position.seq);
      handlers.status("resuming");
    }
    const opened = new WebSocket(url);
    socket = opened;
    opened.onmessage = ({ data }) => socket === opened && receive(JSON.parse(data));
    opened.onclose = () => socket === opened && reconnect();
    listen();
  }

  // Full jitter, so that a thousand clients of a restarted relay do not come back in one moment.
  function reconnect() {
    drop();
    handlers.status("offline");
    const limit = Math.min(LONGEST, SHORTEST * 2 ** attempts);
    attempts += 1;
    retry = setTimeout(open, Math.random() * limit);
  }

  function drop() {
    clearTimeout(watchdog);
    clearTimeout(retry);
    const dropped = socket;
    socket = null;
    dropped?.close();
  }

  function listen() {
    clearTimeout(watchdog);
    watchdog = setTimeout(reconnect, SILENCE);
  }

  function receive(message) {
    listen();
    if (message.type === "ping") return;
    if (message.type === "sync:full" || message.type === "sync:resume") {
      attempts = 0;
      position = { epoch: message.epoch, seq: message.type === "sync:full" ? message.seq : position.seq };
      if (message.type === "sync:full") handlers.full(message.data);
      handlers.status("live");
    } else if (message.seq === position.seq + 1) {
      position.seq = message.seq;
      handlers.event(message);
    } else {
      reconnect(); // a gap: never seen, and not to be shown as truth
      return;
    }
    handlers.position(position);
  }

  addEventListener("online", () => socket === null && open());
  open();
}
