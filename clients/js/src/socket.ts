/** What the client needs of a WebSocket; those of browsers, Node, React Native and `ws` have it. */
export interface Socket {
  addEventListener(type: "open", listener: () => void): void;
  addEventListener(type: "error", listener: (event: SocketFault) => void): void;
  addEventListener(type: "message", listener: (event: { readonly data: unknown }) => void): void;
  addEventListener(type: "close", listener: (event: SocketClose) => void): void;
  send(text: string): void;
  close(code?: number, reason?: string): void;
}

/** What Node, React Native and `ws` tell of a connection that did not come about. Browsers tell nothing. */
export interface SocketFault {
  readonly message?: unknown;
  readonly error?: unknown;
}

/** Why, in the platform's words; empty where it has none. */
export function reasonOf({ message, error }: SocketFault): string {
  const { cause } = (error ?? {}) as { cause?: { message?: unknown } };
  return String(cause?.message || message || "");
}

export interface SocketClose {
  readonly code: number;
  readonly reason: string;
}

export type SocketConstructor = new (url: string, protocols?: string[]) => Socket;
