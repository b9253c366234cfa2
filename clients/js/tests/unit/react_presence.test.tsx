// @vitest-environment happy-dom

import { act, memo, type ReactNode, StrictMode } from "react";
import { renderToString } from "react-dom/server";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Present } from "../../src/members.js";
import { createSync, SyncProvider, usePresence, useSyncState } from "../../src/react.js";
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
import { event, inChannel, member, snapshot } from "../fakes/relay_message.js";

beforeEach(setUp);

afterEach(tearDown);

const A = "room:a";
const B = "room:b";
const url = URL_OF_RELAY;
const lists: (readonly Present[])[] = [];
const rows: string[] = [];

const Row = memo(function Row({ person }: { person: Present }): ReactNode {
  rows.push(person.id);
  return <li>{String(person.info.name)}</li>;
});

function People({ channel }: { channel: string }): ReactNode {
  const people = usePresence({ channel });
  lists.push(people);
  return people.map((person) => <Row key={person.id} person={person} />);
}

function withRelay(children: ReactNode): ReactNode {
  return <SyncProvider url={url}>{children}</SyncProvider>;
}

const ann = member({ name: "Ann" }, 2);
const bob = member({ name: "Bob" }, 1);

function inRoom(name: string, members: object): object {
  return inChannel(name, snapshot(7, { topic: 1 }, { members } as object));
}

/** A page that shows who is in room A: Ann. */
function showPeople(wrap = (node: ReactNode) => node): void {
  render(wrap(withRelay(<People channel={A} />)));
  relaySends(snapshot(41), inRoom(A, { ann }));
  lists.length = 0;
  rows.length = 0;
}

test("it shows who is there, in the order of arrival", () => {
  showPeople();
  expect(page.innerHTML).toBe("<li>Ann</li>");
  relaySends(inChannel(A, event(8, "sync:joined", { id: "bob", ...bob })));
  expect(page.innerHTML).toBe("<li>Bob</li><li>Ann</li>");
  relaySends(inChannel(A, event(9, "sync:left", { id: "ann" })));
  expect(page.innerHTML).toBe("<li>Bob</li>");
});

test.each([true, false])("it renders again only when that changes (strict: %s)", (isStrict) => {
  showPeople((node) => (isStrict ? <StrictMode>{node}</StrictMode> : node));
  relaySends(event(42, "sync:set", { radio: 1 }));
  relaySends(inChannel(A, event(8, "sync:set", { topic: 2 })));
  relaySends(inChannel(A, event(9, "sync:changed", { id: "ann", ...ann })));
  relaySends(inChannel(A, snapshot(20, { topic: 3 }, { members: { ann }, skipped: 11 } as object)));
  expect(lists).toEqual([]);
  relaySends(inChannel(A, event(21, "sync:joined", { id: "bob", ...bob })));
  expect(new Set(lists).size).toBe(1);
  expect(new Set(rows)).toEqual(new Set(["bob"]));
});

test("StrictMode's double effects ask once, and the list stays the same one", () => {
  showPeople((node) => <StrictMode>{node}</StrictMode>);
  const said = (openSockets()[0]?.said ?? []) as { type: string }[];
  expect(said.map(({ type }) => type)).toEqual(["sync:subscribe"]);
  render(<StrictMode>{withRelay(<People channel={A} />)}</StrictMode>);
  render(<StrictMode>{withRelay(<People channel={A} />)}</StrictMode>);
  expect(new Set(lists).size).toBe(1);
});

test("who is in one room is never shown under the name of another", () => {
  showPeople();
  render(withRelay(<People channel={B} />));
  expect(page.innerHTML).toBe("");
  relaySends(inRoom(B, { bob }));
  expect(page.innerHTML).toBe("<li>Bob</li>");
});

test("an outage keeps who was there", () => {
  showPeople();
  act(() => openSockets()[0]?.end());
  sockets[0]?.close();
  expect(page.innerHTML).toBe("<li>Ann</li>");
});

test("without a channel it is the default one, with a url or a provider", () => {
  function Both(): ReactNode {
    const names = [...usePresence(url), ...usePresence({ url })].map(({ id }) => id);
    return `${names.join(" ")} ${useSyncState("radio", url)}`;
  }
  render(<Both />);
  relaySends(snapshot(41, { radio: 1 }, { members: { ann } } as object));
  expect(page.textContent).toBe("ann ann 1");
});

test("hooks with types are the same hooks", () => {
  interface Rooms {
    [room: `room:${string}`]: { state: { topic: number } };
  }
  const typed = createSync<object, object, Rooms, { name: string }>();
  function Typed(): ReactNode {
    const { client } = typed.useSync();
    const names = typed.usePresence({ channel: A }).map(({ info }) => info.name.toUpperCase());
    const rename = () => client?.identify({ id: "me", info: { name: "Me" } }).catch(() => {});
    return (
      <button type="button" onClick={rename}>
        {names}
      </button>
    );
  }
  render(withRelay(<Typed />));
  relaySends(snapshot(41), inRoom(A, { ann }));
  expect(page.textContent).toBe("ANN");
  act(() => page.querySelector("button")?.click());
  expect(openSockets()[0]?.said.at(-1)).toMatchObject({ type: "sync:hello", id: "me" });
});

test("on a server nobody is there, and nothing is followed", () => {
  expect(renderToString(withRelay(<People channel={A} />))).toBe("");
  expect(sockets).toEqual([]);
});
