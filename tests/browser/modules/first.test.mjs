// The parts of the first page that need no browser.

import assert from "node:assert/strict";
import { test } from "node:test";
import { briefOf, clockOf } from "../../../src/pages/both/event_list.js";
import { gistOf, kindOf, leafText } from "../../../src/pages/both/json_tree.js";
import { browserSnippet, curlSnippet, pythonSnippet, quoted, shellSnippet, socketUrl } from "../../../src/pages/first/snippets.js";
import { isEvent, tapped, Told } from "../../../src/pages/first/tap.js";
import { spanOf } from "../../../src/pages/first/view.js";

test("snippets name the host that the page is from, and what lies behind a proxy's path", () => {
  assert.equal(socketUrl("http://localhost:8642/"), "ws://localhost:8642/ws/sync");
  assert.equal(socketUrl("https://relay.example/live/index.html"), "wss://relay.example/live/ws/sync");
  assert.match(browserSnippet("https://relay.example/live/"), /from "https:\/\/relay\.example\/live\/syncrelay\.js"/);
});

test("the command line is as short as it can be", () => {
  assert.equal(shellSnippet({}), `syncrelay set greeting '"hello"'`);
  assert.equal(shellSnippet({ control: "ipc:///a dir/control.sock" }), `syncrelay set greeting '"hello"' --control 'ipc:///a dir/control.sock'`);
  assert.equal(quoted("it's"), `'it'\\''s'`);
  assert.match(pythonSnippet({}), /with Relay\(\) as relay/);
  assert.match(pythonSnippet({ commands: 'ipc:///x"y' }), /with Relay\("ipc:\/\/\/x\\"y"\) as relay/);
});

test("curl is offered where there is an admin listener, with a token where one is asked for", () => {
  assert.equal(curlSnippet({}, "localhost"), null);
  const here = curlSnippet({ admin_host: "127.0.0.1", admin_port: 8643, admin_tls: false }, "localhost");
  assert.equal(here, `curl http://127.0.0.1:8643/commands -d '{"op":"set","key":"greeting","value":"hello"}'`);
  assert.match(curlSnippet({ admin_host: "::1", admin_port: 1, admin_tls: true }, "x"), /^curl https:\/\/\[::1\]:1\//);
  assert.match(curlSnippet({ admin_host: "0.0.0.0", admin_port: 1 }, "relay.example"), /Bearer .* http:\/\/relay\.example:1\//);
});

test("an event is told once, and snapshots and answers are none", () => {
  assert.ok(isEvent({ type: "radio:started", seq: 7 }));
  for (const message of [{ type: "sync:full", seq: 7 }, { type: "sync:resume", seq: 7 }, { type: "ping" }, { seq: 1 }, { type: "a", seq: "1" }])
    assert.ok(!isEvent(message));
  const told = new Told();
  const news = (seq, channel, type = "a") => told.isNew({ type, seq, channel });
  assert.deepEqual([news(1), news(2), news(2), news(1, "room"), news(3)], [true, true, false, true, true]);
  news(1, undefined, "sync:full"); // the relay began anew
  assert.ok(news(2));
});

test("what the client's socket hears is heard beside it, and what is no JSON is the client's affair", () => {
  const heard = [];
  class Base extends EventTarget {
    constructor(...address) {
      super();
      this.address = address;
    }
  }
  const socket = new (tapped((message) => heard.push(message), Base))("ws://x", ["syncrelay"]);
  for (const data of ['{"type":"a"}', "{", "7", "null"]) socket.dispatchEvent(Object.assign(new Event("message"), { data }));
  assert.deepEqual(socket.address, ["ws://x", ["syncrelay"]]);
  assert.deepEqual(heard, [{ type: "a" }]);
});

test("values are shown as JSON, and long ones are cut and say so", () => {
  assert.deepEqual([{ a: 1 }, [1, 2], "x", null, true, 7].map(gistOf), ["{1}", "[2]", '"x"', "null", "true", "7"]);
  assert.deepEqual(["x", 7, null].map(kindOf), ["string", "numeric", "word"]);
  assert.match(leafText("y".repeat(6000)), / … 1000 characters more$/);
  assert.equal(briefOf({ a: "z".repeat(500) }).length, 161);
  assert.equal(briefOf(undefined), "");
  assert.match(clockOf(1764190000.12), /^\d\d:\d\d:\d\d\.120$/);
});

test("a span of time is said in two words at most", () => {
  assert.deepEqual([0, 59, 61, 3700, 90_000].map(spanOf), ["0 s", "59 s", "1 min", "1 h 1 min", "1 d 1 h"]);
});
