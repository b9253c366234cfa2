/** A channel as the relay and the client speak of it. */

import { witness } from "./channel_witness.js";
import { playLive } from "./played_client.js";
import { event, inChannel, snapshot } from "./relay_message.js";

export const ROOM = "room:42";
export const SUBSCRIBE = { type: "sync:subscribe", channel: ROOM };
export const UNSUBSCRIBE = { type: "sync:unsubscribe", channel: ROOM };

export const roomSnapshot = (seq: number, data: object = {}, more: object = {}) =>
  inChannel(ROOM, snapshot(seq, data, more));
export const roomEvent = (seq: number, type = "tick", data: unknown = null, more: object = {}) =>
  inChannel(ROOM, event(seq, type, data, more));

/** Live, with a room at position 7. */
export function playRoom(state: object = { radio: 1 }) {
  const played = playLive();
  const room = witness(played.client, ROOM);
  played.world.socket.tell(roomSnapshot(7, state));
  return { ...played, room };
}
