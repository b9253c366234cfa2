import { dehydrate, hydrate, QueryClient, QueryObserver, skipToken } from "@tanstack/react-query";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { type Client, connect } from "../../src/index.js";
import { syncQueries } from "../../src/tanstack_query.js";
import {
  asked,
  openSockets,
  relaySays,
  setUpSockets,
  sockets,
  tearDownSockets,
  URL_OF_RELAY,
} from "../fakes/page_sockets.js";
import { dropped, event, inChannel, resume, snapshot } from "../fakes/relay_message.js";

interface State {
  radio: { track: number };
}
interface Events {
  "tracks:changed": null;
  "track:renamed": { id: number };
}

const A = "room:a";
const RADIO = ["radio"];
let relay: Client<State, Events>;
let queryClient: QueryClient;

beforeEach(() => {
  setUpSockets();
  relay = connect<State, Events>(URL_OF_RELAY);
  queryClient = new QueryClient();
  queryClient.mount();
});

afterEach(() => {
  relay.close();
  queryClient.clear();
  queryClient.unmount();
  tearDownSockets();
});

/** Lets promises and timers of now do what they do. */
const settle = () => vi.advanceTimersByTimeAsync(0);

const plan = {
  state: { radio: RADIO },
  events: {
    "tracks:changed": ["tracks"],
    "track:renamed": ({ id }: { id: number }) => (id > 0 ? ["track", id] : null),
  },
} as const;

/** Somebody who looks at a query, and how often it has been fetched. */
function look(queryKey: readonly unknown[]) {
  const fetched = vi.fn(async () => "fetched");
  const observer = new QueryObserver(queryClient, { queryKey, queryFn: fetched, staleTime: 3e5 });
  return { fetched, end: observer.subscribe(() => {}) };
}

test("values of the state are in the cache, and follow it", async () => {
  const stop = syncQueries(relay, queryClient, plan);
  expect(queryClient.getQueryData(RADIO)).toBeUndefined();
  relaySays(snapshot(41, { radio: { track: 7 } }));
  expect(queryClient.getQueryData(RADIO)).toEqual({ track: 7 });
  relaySays(event(42, "sync:merge", { radio: { track: 8 } }));
  expect(queryClient.getQueryData(RADIO)).toEqual({ track: 8 });
  relaySays(event(43, "sync:delete", ["radio"]));
  expect(queryClient.getQueryData(RADIO)).toBeNull();
  stop();
  stop();
  relaySays(event(44, "sync:set", { radio: { track: 9 } }));
  expect(queryClient.getQueryData(RADIO)).toBeNull();
});

test("a key that the relay does not have is null, whatever the cache had", () => {
  queryClient.setQueryData(RADIO, { track: 1 });
  syncQueries(relay, queryClient, plan);
  expect(queryClient.getQueryData(RADIO)).toEqual({ track: 1 });
  relaySays(snapshot(41));
  expect(queryClient.getQueryData(RADIO)).toBeNull();
});

test("where the client is live already the values are there at once", () => {
  relaySays(snapshot(41, { radio: { track: 7 } }));
  syncQueries(relay, queryClient, plan);
  expect(queryClient.getQueryData(RADIO)).toEqual({ track: 7 });
});

test("what is being fetched does not come after what is newer", async () => {
  relaySays(snapshot(41, { radio: { track: 7 } }));
  syncQueries(relay, queryClient, plan);
  let answer = (_: unknown) => {};
  const queryFn = () => new Promise((resolve) => (answer = resolve));
  const observer = new QueryObserver(queryClient, { queryKey: RADIO, queryFn, staleTime: 0 });
  const end = observer.subscribe(() => {});
  await settle();
  expect(observer.getCurrentResult().isFetching).toBe(true);
  relaySays(event(42, "sync:set", { radio: { track: 8 } }));
  answer({ track: 7 });
  await settle();
  expect(observer.getCurrentResult()).toMatchObject({ data: { track: 8 }, isFetching: false });
  end();
});

test("a query that the cache had thrown away, or that is hydrated, is filled again", async () => {
  relaySays(snapshot(41, { radio: { track: 7 } }));
  syncQueries(relay, queryClient, plan);
  queryClient.removeQueries({ queryKey: RADIO });
  const observer = new QueryObserver(queryClient, { queryKey: RADIO, queryFn: skipToken });
  const end = observer.subscribe(() => {});
  await settle();
  expect(observer.getCurrentResult().data).toEqual({ track: 7 });
  end();
  queryClient.removeQueries({ queryKey: RADIO });
  const other = new QueryClient();
  other.setQueryData(RADIO, { track: 1 });
  hydrate(queryClient, dehydrate(other));
  other.clear();
  expect(queryClient.getQueryData(RADIO)).toEqual({ track: 7 });
});

test("events have fetched anew what they are about, and nothing else, once for several in a task", async () => {
  relaySays(snapshot(41));
  syncQueries(relay, queryClient, plan);
  await settle();
  const looks = [look(["tracks", "page 1"]), look(["track", 1]), look(["track", 2])];
  await settle();
  const counts = () => looks.map(({ fetched }) => fetched.mock.calls.length);
  expect(counts()).toEqual([1, 1, 1]);
  relaySays(event(42, "tracks:changed"), event(43, "tracks:changed"));
  await settle();
  expect(counts()).toEqual([2, 1, 1]);
  relaySays(event(44, "track:renamed", { id: 2 }), event(45, "track:renamed", { id: 0 }));
  await settle();
  expect(counts()).toEqual([2, 1, 2]);
  for (const { end } of looks) end();
});

test("to call it twice does what once does", async () => {
  const stops = [syncQueries(relay, queryClient, plan), syncQueries(relay, queryClient, plan)];
  relaySays(snapshot(41, { radio: { track: 7 } }));
  await settle();
  const { fetched, end } = look(["tracks"]);
  await settle();
  relaySays(event(42, "tracks:changed"));
  await settle();
  expect(fetched).toHaveBeenCalledTimes(2);
  stops[0]?.();
  relaySays(event(43, "tracks:changed"), event(44, "sync:set", { radio: { track: 8 } }));
  await settle();
  expect(fetched).toHaveBeenCalledTimes(3);
  expect(queryClient.getQueryData(RADIO)).toEqual({ track: 8 });
  stops[1]?.();
  end();
});

test("what was fetched before the relay was heard is fetched anew", async () => {
  const { fetched, end } = look(["tracks"]);
  await settle();
  const stop = syncQueries(relay, queryClient, { events: { "tracks:changed": ["tracks"] } });
  await settle();
  expect(fetched).toHaveBeenCalledTimes(1);
  relaySays(snapshot(41));
  await settle();
  expect(fetched).toHaveBeenCalledTimes(2);
  stop();
  end();
});

test("what a resumed connection brings is enough; what a snapshot leapt over is fetched anew", async () => {
  const events = { "tracks:changed": ["tracks"] } as const;
  syncQueries(relay, queryClient, { events });
  relaySays(snapshot(41));
  const { fetched, end } = look(["tracks"]);
  await settle();
  const calls = fetched.mock.calls.length;
  openSockets()[0]?.end();
  sockets[0]?.close();
  await vi.advanceTimersByTimeAsync(1000);
  relaySays(resume(41, 41));
  await settle();
  expect(fetched).toHaveBeenCalledTimes(calls);
  relaySays(snapshot(60, {}, { skipped: 19 }));
  await settle();
  expect(fetched).toHaveBeenCalledTimes(calls + 1);
  end();
});

test("where a function says what an event is about, everything is fetched anew after a leap", async () => {
  syncQueries(relay, queryClient, plan);
  relaySays(snapshot(41));
  await settle();
  const { fetched, end } = look(["whatever"]);
  await settle();
  relaySays(snapshot(60, {}, { skipped: 19 }));
  await settle();
  expect(fetched).toHaveBeenCalledTimes(2);
  end();
});

test("a channel is followed until it is stopped, and what its drop took along is fetched anew", async () => {
  const events = { said: ["lines"] } as const;
  const room = relay.channel(A);
  const stop = syncQueries(room, queryClient, { state: { name: ["name", A] }, events });
  relaySays(snapshot(41), inChannel(A, snapshot(7, { name: "Ann" })));
  expect(queryClient.getQueryData(["name", A])).toBe("Ann");
  const { fetched, end } = look(["lines"]);
  await settle();
  const calls = fetched.mock.calls.length;
  relaySays(dropped(A, { skipped: 2 }));
  await settle();
  expect(queryClient.getQueryData(["name", A])).toBeNull();
  expect(fetched).toHaveBeenCalledTimes(calls + 1);
  asked();
  stop();
  await settle();
  expect(asked()).toEqual([`unsubscribe ${A}`]);
  end();
});

test("the default channel is followed for it where nobody else does", () => {
  relay.close();
  relay = connect<State, Events>(URL_OF_RELAY, { defaultChannel: false });
  relay.channel(A).follow();
  const stop = syncQueries(relay, queryClient, plan);
  relaySays(inChannel(A, snapshot(1)), snapshot(41));
  expect(queryClient.getQueryData(RADIO)).toBeNull();
  stop();
});
