import { expect, test } from "vitest";
import { playLive } from "../fakes/played_client.js";
import { event, snapshot } from "../fakes/relay_message.js";

function broken(): never {
  throw new Error("a listener's own fault");
}

test("listeners hear their type, with the data and the whole event", () => {
  const { world, client } = playLive();
  const heard: unknown[] = [];
  client.on("radio:started", (data, whole) => heard.push([data, whole.seq, whole.type]));
  world.socket.tell(event(42, "other", 1), event(43, "radio:started", { track: 7 }));
  expect(heard).toEqual([[{ track: 7 }, 43, "radio:started"]]);
});

test("changes of state are events that can be heard, too", () => {
  const { world, client } = playLive();
  const heard: unknown[] = [];
  client.on("sync:set", (data) => heard.push(data));
  world.socket.tell(event(42, "sync:set", { radio: 1 }));
  expect(heard).toEqual([{ radio: 1 }]);
});

test("a key's listener hears its changes and no others", () => {
  const { world, states } = playLive();
  world.socket.tell(
    event(42, "sync:set", { radio: { a: 1 }, other: 1 }),
    event(43, "sync:merge", { radio: { b: 2 } }),
    event(44, "sync:set", { other: 2 }),
    event(45, "sync:merge", { radio: { b: 2 } }),
    event(46, "sync:delete", ["radio"]),
  );
  expect(states).toEqual([
    ["radio", null],
    ["radio", { a: 1 }],
    ["radio", { a: 1, b: 2 }],
    ["radio", undefined],
  ]);
});

test("a broadcast that carries state is heard when the state has it", () => {
  const { world, client } = playLive();
  const seen: unknown[] = [];
  client.on("radio:started", () => seen.push(client.get("radio")));
  world.socket.tell(event(42, "radio:started", 7, { set: { radio: { track: 7 } } }));
  expect(seen).toEqual([{ track: 7 }]);
});

test("a change of several keys is one change of the state", () => {
  const { world, client } = playLive();
  const seen: unknown[] = [];
  client.onChange((state) => seen.push(state));
  world.socket.tell(event(42, "sync:set", { radio: 1, other: 2 }), event(43));
  expect(seen).toEqual([{ radio: 1, other: 2 }]);
});

test("an equal snapshot is no change", () => {
  const { world, client, states } = playLive({}, { radio: { a: [1] } });
  const before = client.state;
  world.socket.tell(snapshot(50, { radio: { a: [1] } }, { skipped: 9 }));
  expect(states).toHaveLength(1);
  expect(client.state).toBe(before);
});

test("a listener that throws disturbs nobody", () => {
  const { world, client, seqs, statuses } = playLive();
  client.on("tick", broken);
  client.onState("radio", broken);
  client.onChange(broken);
  client.onStatus(broken);
  const heard: number[] = [];
  client.on("tick", (_, { seq }) => heard.push(seq));
  world.socket.tell(event(42), event(43, "sync:set", { radio: 1 }), event(44));
  world.socket.end();
  expect(seqs).toEqual([42, 44]);
  expect(heard).toEqual([42, 44]);
  expect(statuses).toEqual(["live", "offline"]);
  expect(world.errors.map(String)).toEqual(Array(5).fill("Error: a listener's own fault"));
});

test("neither does an onError that throws", () => {
  const { world, client, seqs } = playLive();
  world.errors.push = broken;
  client.on("tick", broken);
  world.socket.tell(event(42), event(43));
  expect(seqs).toEqual([42, 43]);
});

test("an ended subscription is not heard, and ending it twice ends no other", () => {
  const { world, client } = playLive();
  const heard: string[] = [];
  const listener = () => heard.push("same");
  const end = client.on("tick", listener);
  client.on("tick", listener);
  world.socket.tell(event(42));
  end();
  end();
  world.socket.tell(event(43));
  expect(heard).toEqual(["same", "same", "same"]);
});

test("a subscription that ends another in the same round is the last to be heard", () => {
  const { world, client } = playLive();
  const heard: string[] = [];
  client.on("tick", () => {
    heard.push("first");
    endSecond();
  });
  const endSecond = client.on("tick", () => heard.push("second"));
  world.socket.tell(event(42));
  expect(heard).toEqual(["first"]);
});

test("one that is added by a listener hears from the next event on", () => {
  const { world, client } = playLive();
  const heard: number[] = [];
  const endFirst = client.on("tick", () => {
    endFirst();
    client.on("tick", (_, { seq }) => heard.push(seq));
  });
  world.socket.tell(event(42), event(43));
  expect(heard).toEqual([43]);
});
