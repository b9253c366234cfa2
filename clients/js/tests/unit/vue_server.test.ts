// @vitest-environment happy-dom

import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { createSSRApp, effectScope, nextTick } from "vue";
import { renderToString } from "vue/server-renderer";
import { useSync, useSyncEvent, useSyncMembers, useSyncState } from "../../src/vue.js";
import { sockets, URL_OF_RELAY } from "../fakes/page_sockets.js";
import { snapshot } from "../fakes/relay_message.js";
import {
  h,
  relaySends,
  render,
  Status,
  setUp,
  tearDown,
  Value,
  withRelay,
} from "../fakes/vue_page.js";

beforeEach(setUp);

afterEach(tearDown);

const url = URL_OF_RELAY;

const Room = {
  setup() {
    const { status } = useSync({ channel: "room:a" });
    const members = useSyncMembers({ channel: "room:a" });
    useSyncEvent("tick", () => {}, { channel: "room:a" });
    return () => h("p", `${status.value} ${members.value.length}`);
  },
};

test("on a server it renders what is shown before the connection, and opens none", async () => {
  const tree = withRelay(() => [h(Status), h(Value, { name: "radio" }), h(Room)]);
  const html = await renderToString(createSSRApp({ render: () => tree() }));
  expect(html).toContain("<i>connecting</i><b>none</b><p>connecting 0</p>");
  expect(sockets).toEqual([]);
  vi.stubGlobal("document", undefined);
  const scope = effectScope();
  expect(scope.run(() => useSyncState("radio", url))?.value).toBeUndefined();
  scope.stop();
  vi.unstubAllGlobals();
  expect(sockets).toEqual([]);
});

test("what a server has rendered is taken over without a difference, though the state is there already", async () => {
  const complaints = vi.spyOn(console, "warn").mockReturnValue();
  const tree = () => [h(Status, { url }), h(Value, { name: "radio", url })];
  const html = await renderToString(createSSRApp({ render: tree }));
  await render(() => h(Value, { name: "radio", url }));
  await relaySends(snapshot(41, { radio: 1 }));
  const other = document.createElement("main");
  other.innerHTML = html;
  const app = createSSRApp({ render: tree });
  app.mount(other);
  expect(complaints).not.toHaveBeenCalled();
  await nextTick();
  expect(other.textContent).toBe("live1");
  expect(sockets).toHaveLength(1);
  app.unmount();
  complaints.mockRestore();
});
