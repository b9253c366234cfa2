/** What the client needs of a WebSocket; those of browsers, Node, React Native and `ws` have it. */
export interface Socket {
  addEventListener(type: "open" | "error", listener: () => void): void;
  addEventListener(type: "message", listener: (event: { readonly data: unknown }) => void): void;
  addEventListener(type: "close", listener: (event: SocketClose) => void): void;
  send(text: string): void;
  close(code?: number, reason?: string): void;
}

export interface SocketClose {
  readonly code: number;
  readonly reason: string;
}

export type SocketConstructor = new (url: string, protocols?: string[]) => Socket;
