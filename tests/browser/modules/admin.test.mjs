// The parts of the admin page that need no browser.

import assert from "node:assert/strict";
import { test } from "node:test";

globalThis.document = { hidden: false, addEventListener() {} };
const from = (name) => import(`../../../src/pages/admin/${name}.js`);
const { bytes, count, moment, roughly, span } = await from("numbers");
const { axisEnd, CHARTS, path, points } = await from("series");
const { filtered, range, sorted } = await from("rows");
const { boundsOf, clusterOf, spoken, storageOf } = await from("bounds");
const { parseRoute } = await from("route");
const { Poll, pause } = await from("poll");
const { Door } = await from("door");
const { disconnect } = await from("confirm");
const { nowOf, story } = await from("story");

test("numbers are written as somebody reads them", () => {
  assert.deepEqual([0, 1023, 1024, 15_900_000, 2 ** 28, Number.NaN].map(bytes), ["0 B", "1023 B", "1.0 KiB", "15.2 MiB", "256 MiB", "–"]);
  assert.deepEqual([0, 9.94, 12.5, 12_345].map(count), ["0", "9.9", "13", "12,345"]);
  assert.deepEqual([0.0004, 0.0042, 0.25, 3.5, 59, 75, 3600, 90_000].map(span),
    ["400 µs", "4.2 ms", "250 ms", "3.5 s", "59 s", "1 min 15 s", "1 h", "1 d 1 h"]);
  assert.match(moment(1764190000, 1764190000_000), /^\d\d:\d\d:\d\d$/);
  assert.match(moment(1764190000, 0), /^2025-11-\d\d \d\d:\d\d:\d\d$/);
  assert.equal(moment(undefined), "–");
});

test("where there is little room a time is its first part, unless that says too little", () => {
  assert.deepEqual([59, 75, 769, 3600, 6600, 90_000].map(roughly), ["59 s", "1 min", "12 min", "1 h", "1 h 50 min", "1 d"]);
});

test("how a client stands is told as the table tells it, and of one that is gone nothing is", () => {
  assert.deepEqual(nowOf({ channels: 2, lag: 1200, bytes: 475_845, last_pong: 18.97 }),
    [["follows channels", "2"], ["events behind", "1,200"], ["sent", "465 KiB"], ["last sign of life", "19 s ago"]]);
  assert.deepEqual(nowOf(undefined), []);
});

test("a client of whom nothing is known is asked for once: each question counts as refused", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const settle = () => new Promise(setImmediate);
  const place = { hidden: false, textContent: "", replaceChildren() {}, addEventListener() {} };
  document.getElementById = () => place;
  const asked = [];
  const view = story({
    ask: async ({ client }) => {
      asked.push(client);
      throw Object.assign(new Error("unknown"), { code: "unknown_client" });
    },
  }, (error) => assert.equal(error, null));
  for (const client of ["99", "100"]) {
    view.enter(client);
    await settle();
    t.mock.timers.tick(600_000);
    await settle();
  }
  assert.deepEqual(asked, ["99", "100"]);
  view.leave();
});

test("counters of a sample are rates, and what is missing is a gap", () => {
  const history = { step: 2, samples: [{ ts: 10, events: 4 }, { ts: 12 }, { ts: 14, events: 6 }] };
  const [[, valueOf]] = CHARTS.find(({ title }) => title === "Events").lines;
  const line = points(history, valueOf);
  assert.deepEqual(line, [[-4, 2], [-2, null], [0, 3]]);
  assert.equal(path(line, { width: 100, height: 10, seconds: 4, end: 4 }), "M0.0 5.0h0M100.0 2.5h0");
  assert.deepEqual(points({}, valueOf), []);
});

test("an axis ends at a round number that nothing exceeds", () => {
  assert.deepEqual([0, 1, 3, 0.4, 999].map((greatest) => axisEnd(greatest, "count")), [1, 1, 5, 1, 1000]);
  assert.equal(axisEnd(1_500_000, "byteRate"), 2 ** 21);
  assert.equal(axisEnd(0.0042, "span"), 0.005);
});

test("rows are sorted by number and by text, and what is missing comes last", () => {
  const rows = [{ a: 10, b: "x10" }, { a: 9, b: "x9" }, { a: undefined, b: "" }, { a: 10, b: "x2" }];
  const order = (name, sign) => sorted(rows, (row) => row[name], sign).map((row) => rows.indexOf(row));
  assert.deepEqual(order("a", 1), [1, 0, 3, 2]);
  assert.deepEqual(order("a", -1), [0, 3, 1, 2]);
  assert.deepEqual(order("b", 1), [3, 1, 0, 2]);
});

test("a filter wants every word, in whatever case", () => {
  const texts = ["Ada 10.0.0.7", "bob 10.0.0.8"];
  assert.deepEqual(filtered(texts, "  10.0 ADA ", (row) => [row]), ["Ada 10.0.0.7"]);
  assert.equal(filtered(texts, " ", (row) => [row]), texts);
});

test("only rows that are seen, and some around them, are made", () => {
  assert.deepEqual(range({ top: 0, height: 100, rowHeight: 10, count: 1000 }), [0, 18]);
  assert.deepEqual(range({ top: 5000, height: 100, rowHeight: 10, count: 1000 }), [492, 518]);
  assert.deepEqual(range({ top: 1e9, height: 100, rowHeight: 10, count: 5 }), [5, 5]);
  assert.deepEqual(range({ top: 0, height: 100, rowHeight: 10, count: 0 }), [0, 0]);
});

test("what has a bound is shown against it, and nothing else", () => {
  const bounds = boundsOf({ stats: { clients: 3, state_bytes: 5, members: 1 }, limits: { clients: 10, state_bytes: 20 } });
  assert.deepEqual(bounds.map(({ title, used, bound }) => [title, used, bound]), [["Clients", 3, 10], ["State", 5, 20]]);
  assert.deepEqual(boundsOf({ stats: { clients: 3 } }), []);
  assert.deepEqual(["off", "process", "power"].map((storage) => storageOf(storage)[0][1]),
    ["nothing: no --data", "the process being killed", "a loss of power"]);
  assert.deepEqual(clusterOf(false), [["alone", "no --cluster"]]);
  assert.deepEqual(clusterOf({ last_entry: 1 }, (_, value) => `${value}`), [["last entry", "1"]]);
  assert.equal(spoken("a_b_c"), "a b c");
});

test("the fragment names a view, and what it does not know is the overview", () => {
  const views = { overview: 1, channel: 1 };
  assert.deepEqual(parseRoute("#channel/room%3A4%2F2", views), { view: "channel", what: "room:4/2" });
  assert.deepEqual(parseRoute("#channel/", views), { view: "channel", what: "" });
  assert.deepEqual(parseRoute("#channel/%zz", views), { view: "channel", what: "%zz" });
  for (const hash of ["", "#", "#nothing", "#constructor", "#Channel/x"]) assert.equal(parseRoute(hash, views).view, "overview");
});

test("a relay that is slow or fails is asked less often", () => {
  assert.equal(pause({ every: 2000 }), 2000);
  assert.equal(pause({ every: 2000, took: 900 }), 9000);
  assert.equal(pause({ every: 2000, failures: 3 }), 16_000);
  assert.equal(pause({ every: 2000, failures: 99 }), 30_000);
});

test("nothing is asked while the page is hidden, nor after stop, nor twice at a time", async ({ mock }) => {
  mock.timers.enable({ apis: ["setTimeout"] });
  const asked = [];
  const told = [];
  const poll = new Poll(2000, (signal) => new Promise((done, fail) => asked.push({ signal, done, fail })), (error) => told.push(error));
  const turn = () => new Promise((done) => setImmediate(done));
  poll.start();
  assert.equal(asked.length, 1);
  mock.timers.tick(60_000);
  assert.equal(asked.length, 1);
  asked[0].done();
  await turn();
  assert.deepEqual(told, [null]);
  document.hidden = true;
  mock.timers.tick(2500);
  assert.equal(asked.length, 1);
  document.hidden = false;
  poll.now();
  poll.stop();
  assert.equal(asked.length, 2);
  assert.ok(asked[1].signal.aborted);
  mock.timers.tick(60_000);
  assert.equal(asked.length, 2);
});

test("the token is asked for once, however many questions wait for it", async ({ mock }) => {
  const kept = new Map();
  const storage = { getItem: (key) => kept.get(key) ?? null, setItem: (key, value) => kept.set(key, value), removeItem: (key) => kept.delete(key) };
  const wrong = [];
  const door = new Door("http://relay/", async (isWrong) => {
    wrong.push(isWrong);
    return wrong.length === 1 ? "bad" : "good";
  }, storage);
  mock.method(globalThis, "fetch", async (_, { headers }) => ({
    ok: headers.authorization === "Bearer good",
    status: headers.authorization === "Bearer good" ? 200 : 401,
    json: async () => ({ ok: true }),
  }));
  await Promise.all([door.ask({ op: "stats" }), door.ask({ op: "clients" })]);
  assert.deepEqual(wrong, [false, true]);
});

test("a refusal has the relay's own words", async ({ mock }) => {
  const door = new Door("http://relay/", null, { getItem: () => null });
  mock.method(globalThis, "fetch", async () => ({ ok: false, status: 404, json: async () => ({ error: { code: "unknown_client", message: "no" } }) }));
  await assert.rejects(door.ask({ op: "explain" }), { status: 404, code: "unknown_client", message: "no" });
  mock.method(globalThis, "fetch", async () => ({ ok: false, status: 502, json: async () => { throw new Error("no JSON"); } }));
  await assert.rejects(door.ask({ op: "explain" }), { code: "http_502" });
  mock.method(globalThis, "fetch", async () => { throw new TypeError("down"); });
  await assert.rejects(door.ask({ op: "explain" }), { status: 0, code: "unreachable" });
});

test("a connection is disconnected by its number, and an identity by its id", async () => {
  const places = { said: {}, "confirm-text": {}, confirm: {
    showModal() {},
    addEventListener(_, closed) { this.returnValue = "yes"; closed(); },
  } };
  document.getElementById = (id) => places[id];
  const asked = [];
  const door = { ask: async ({ op, reason, ...whom }) => { asked.push(whom); return { closed: op === "disconnect" && reason ? 2 : 0 }; } };
  for (const client of [{ id: 17, identity: "ada" }, { id: "17" }, { id: "ada" }, { id: "@17" }, { id: "team/ada" }])
    assert.equal(await disconnect(door, client), true);
  assert.deepEqual(asked, [{ connection: 17 }, { connection: 17 }, { id: "ada" }, { id: "17" }, { id: "team/ada" }]);
  assert.match(places["confirm-text"].textContent, /^All connections of team\/ada are closed/);
  assert.equal(places.said.textContent, "team/ada is disconnected");
});
