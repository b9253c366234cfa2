// @vitest-environment happy-dom

import { act, type ReactNode, StrictMode } from "react";
import { renderToString } from "react-dom/server";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { createSync, SyncProvider, useSync, useSyncEvent, useSyncState } from "../../src/react.js";
import { asked } from "../fakes/page_sockets.js";
import {
  openSockets,
  page,
  relaySends,
  render,
  setUp,
  sockets,
  tearDown,
  URL_OF_RELAY,
} from "../fakes/react_page.js";
import { dropped, event, inChannel, refused, resume, snapshot } from "../fakes/relay_message.js";

beforeEach(setUp);

afterEach(tearDown);

const A = "room:a";
const B = "room:b";
const url = URL_OF_RELAY;

function nextTask(): void {
  act(() => void vi.advanceTimersByTime(0));
}

const shown: string[] = [];

/** Shows a room, and writes down each rendering. */
function Room({ channel }: { channel: string }): ReactNode {
  const { status, state, error } = useSync<{ name: string }>({ channel });
  const name = useSyncState<string>("name", { channel });
  const text = `${channel} ${status} ${state.name ?? "-"} ${name ?? "-"} ${error?.message ?? ""}`;
  shown.push(text.trim());
  return <p>{text.trim()}</p>;
}

function withRelay(children: ReactNode): ReactNode {
  return <SyncProvider url={url}>{children}</SyncProvider>;
}

/** A page that shows room A, which is live. */
function showRoomA(): void {
  render(withRelay(<Room channel={A} />));
  relaySends(snapshot(41), inChannel(A, snapshot(7, { name: "Ann" })));
  shown.length = 0;
}

test("hooks follow a channel while they are mounted", () => {
  showRoomA();
  expect(asked()).toEqual([`subscribe ${A}`]);
  expect(page.textContent).toBe("room:a live Ann Ann");
  relaySends(inChannel(A, event(8, "sync:set", { name: "Anna" })));
  expect(page.textContent).toBe("room:a live Anna Anna");
  render(withRelay(null));
  nextTask();
  expect(asked()).toEqual([`unsubscribe ${A}`]);
  expect(sockets).toHaveLength(1);
});

test("the state of one room is never shown under the name of another", () => {
  showRoomA();
  render(withRelay(<Room channel={B} />));
  expect(page.textContent).toBe("room:b connecting - -");
  nextTask();
  relaySends(
    inChannel(A, event(8, "sync:set", { name: "late" })),
    inChannel(B, snapshot(3, { name: "Bob" })),
  );
  expect(page.textContent).toBe("room:b live Bob Bob");
  expect(shown.filter((text) => !/^room:b (connecting - -|live Bob Bob)$/.test(text))).toEqual([]);
  expect(asked()).toEqual([`subscribe ${A}`, `subscribe ${B}`, `unsubscribe ${A}`]);
});

test("there and back within a task keeps the first room", () => {
  showRoomA();
  render(withRelay(<Room channel={B} />));
  shown.length = 0;
  render(withRelay(<Room channel={A} />));
  nextTask();
  expect(new Set(shown)).toEqual(new Set(["room:a live Ann Ann"]));
  expect(asked()).toEqual([`subscribe ${A}`, `subscribe ${B}`, `unsubscribe ${B}`]);
});

test("there and back later begins anew, and shows nothing of before", () => {
  showRoomA();
  render(withRelay(<Room channel={B} />));
  nextTask();
  render(withRelay(<Room channel={A} />));
  expect(page.textContent).toBe("room:a connecting - -");
  relaySends(inChannel(A, event(8, "sync:set", { name: "late" })));
  expect(page.textContent).toBe("room:a connecting - -");
});

test("two rooms side by side are apart", () => {
  render(withRelay([<Room key="a" channel={A} />, <Room key="b" channel={B} />]));
  relaySends(
    snapshot(41),
    inChannel(A, snapshot(7, { name: "Ann" })),
    inChannel(B, snapshot(3, { name: "Bob" })),
  );
  expect(page.innerHTML).toBe("<p>room:a live Ann Ann</p><p>room:b live Bob Bob</p>");
});

test("StrictMode's double effects ask once, and leave nothing behind", () => {
  const rooms = [<Room key="1" channel={A} />, <Room key="2" channel={A} />];
  render(<StrictMode>{withRelay(rooms)}</StrictMode>);
  relaySends(snapshot(41), inChannel(A, snapshot(7, { name: "Ann" })));
  nextTask();
  expect(asked()).toEqual([`subscribe ${A}`]);
  render(<StrictMode>{withRelay([<Room key="1" channel={B} />])}</StrictMode>);
  nextTask();
  expect(asked()).toEqual([`subscribe ${B}`, `unsubscribe ${A}`]);
  render(<StrictMode>{withRelay(null)}</StrictMode>);
  nextTask();
  expect(asked()).toEqual([`unsubscribe ${B}`]);
});

function Ticks({ channel, told }: { channel: string; told: string[] }): ReactNode {
  useSyncEvent<number>("tick", (data) => told.push(`${channel} ${data}`), { channel });
  return null;
}

test("events are those of the channel of the last render", () => {
  const told: string[] = [];
  render(withRelay(<Ticks channel={A} told={told} />));
  const both = (seq: number) =>
    [A, B].map((name) => inChannel(name, seq > 1 ? event(seq, "tick", seq) : snapshot(1)));
  relaySends(snapshot(41), event(42, "tick", 0), ...both(1), ...both(2));
  render(withRelay(<Ticks channel={B} told={told} />));
  relaySends(...both(1), ...both(3).slice(0, 1), inChannel(B, event(2, "tick", 9)));
  expect(told).toEqual([`${A} 2`, `${B} 9`]);
});

test("a refusal is shown, and does not go round in circles when it is shown by another hook", () => {
  const said = vi.spyOn(console, "error").mockReturnValue();
  function Careful(): ReactNode {
    const { status } = useSync({ channel: A });
    return status === "refused" ? <Room channel={A} /> : "waiting";
  }
  render(withRelay(<Careful />));
  relaySends(snapshot(41), refused(A, "forbidden", "not you"));
  nextTask();
  expect(page.textContent).toContain("room:a refused - - the relay refused the channel");
  expect(asked()).toEqual([`subscribe ${A}`]);
  expect(said).toHaveBeenCalledTimes(1);
  said.mockRestore();
});

test("a dropped room shows nothing until it is made anew", () => {
  showRoomA();
  relaySends(dropped(A));
  expect(page.textContent).toBe("room:a connecting - -");
  relaySends(inChannel(A, snapshot(9, { name: "Eve" })));
  expect(page.textContent).toBe("room:a live Eve Eve");
});

test("a room goes with the connection, and comes back with it", () => {
  showRoomA();
  act(() => openSockets()[0]?.end());
  sockets[0]?.close();
  expect(page.textContent).toBe("room:a offline Ann Ann");
  act(() => void vi.advanceTimersByTime(300));
  expect(openSockets()[0]?.channels).toEqual(["", "room:a,9f2c61d0a7b34e55,7"]);
  relaySends(resume(41, 41), inChannel(A, resume(7, 7)));
  expect(page.textContent).toBe("room:a live Ann Ann");
});

test("a component renders again only for what it shows", () => {
  render(withRelay([<Room key="a" channel={A} />, <Room key="b" channel={B} />]));
  relaySends(snapshot(41), inChannel(A, snapshot(1)), inChannel(B, snapshot(1)));
  shown.length = 0;
  relaySends(event(42, "sync:set", { name: "all" }));
  relaySends(inChannel(A, event(2)));
  expect(shown).toEqual([]);
  relaySends(inChannel(A, event(3, "sync:set", { name: "Ann" })));
  expect(shown).toEqual(["room:a live Ann Ann"]);
});

test("a url in place of a provider, and the default channel by its name", () => {
  function Both(): ReactNode {
    const room = useSyncState("name", { url, channel: A });
    const { status, channel } = useSync({ url, channel: "" });
    return `${room} ${status} ${channel?.name === ""} ${useSyncState("name", { url })}`;
  }
  render(<Both />);
  relaySends(snapshot(41, { name: "all" }), inChannel(A, snapshot(1, { name: "Ann" })));
  expect(page.textContent).toBe("Ann live true all");
});

test("without the default channel the provider connects for the first room", () => {
  const options = { defaultChannel: false };
  const tree = (children: ReactNode) => (
    <SyncProvider url={url} options={options}>
      {children}
    </SyncProvider>
  );
  render(tree(null));
  expect(sockets).toEqual([]);
  render(tree(<Room channel={A} />));
  expect(openSockets()[0]?.channels).toEqual([A]);
  relaySends(inChannel(A, snapshot(1, { name: "Ann" })));
  expect(page.textContent).toBe("room:a live Ann Ann");
});

test("hooks with types are the same hooks", () => {
  interface Rooms {
    [room: `room:${string}`]: { state: { name: string }; events: { tick: number } };
  }
  const typed = createSync<object, object, Rooms>();
  const told: number[] = [];
  function Typed({ id }: { id: string }): ReactNode {
    const channel = `room:${id}` as const;
    typed.useSyncEvent("tick", (data) => told.push(data), { channel });
    const { state } = typed.useSync({ channel });
    return `${state.name?.toUpperCase()} ${typed.useSyncState("name", { channel })?.length}`;
  }
  render(withRelay(<Typed id="a" />));
  relaySends(
    snapshot(41),
    inChannel(A, snapshot(1, { name: "Ann" })),
    inChannel(A, event(2, "tick", 5)),
  );
  expect(page.textContent).toBe("ANN 3");
  expect(told).toEqual([5]);
});

test("on a server nothing is followed", () => {
  expect(renderToString(withRelay(<Room channel={A} />))).toBe("<p>room:a connecting - -</p>");
  expect(sockets).toEqual([]);
});
