export { type Channel, type Client, connect } from "./connect.js";
export {
  ChannelRefusedError,
  ConnectError,
  ProtocolError,
  RefusedError,
  RequestError,
} from "./error.js";
export type { Json, JsonObject } from "./json.js";
export type { Unsubscribe } from "./listeners.js";
export type { Member, Members, Present } from "./members.js";
export type { SyncEvent } from "./message.js";
export type { Options, WakeSource } from "./options.js";
export type { SendOptions } from "./outbox.js";
export type { Dropped, Position, Skipped } from "./position.js";
export type { Socket, SocketClose, SocketConstructor } from "./socket.js";
export type { MessageOptions } from "./speech.js";
export type { ChannelStatus, Status } from "./status.js";
export type { TokenSource } from "./token.js";
