export { type Channel, type Client, connect } from "./connect.js";
export { ChannelRefusedError, ProtocolError, RefusedError } from "./error.js";
export type { Json, JsonObject } from "./json.js";
export type { Unsubscribe } from "./listeners.js";
export type { SyncEvent } from "./message.js";
export type { Options, WakeSource } from "./options.js";
export type { Dropped, Position, Skipped } from "./position.js";
export type { Socket, SocketClose, SocketConstructor } from "./socket.js";
export type { ChannelStatus, Status } from "./status.js";
