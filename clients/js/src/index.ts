export { type Client, connect } from "./connect.js";
export type { Status } from "./connection.js";
export { ProtocolError, RefusedError } from "./error.js";
export type { Json, JsonObject } from "./json.js";
export type { Unsubscribe } from "./listeners.js";
export type { SyncEvent } from "./message.js";
export type { Options, WakeSource } from "./options.js";
export type { Position, Skipped } from "./position.js";
export type { Socket, SocketClose, SocketConstructor } from "./socket.js";
