import type { FakeSocket } from "./fake_socket.js";
import {
  dropped,
  EPOCH,
  event,
  inChannel,
  resume,
  snapshot,
  unsubscribed,
} from "./relay_message.js";

const WINDOW = 6; // events of a channel that can be resumed

/** One channel's log, as the relay has it. */
class Log {
  seq = 0;
  first = 1; // the oldest event that is kept
  state: Record<string, unknown> = {};
  readonly events = new Map<number, object>();

  constructor(readonly name: string) {}

  /** An event that says its own number, in its data and in the state. */
  add(): object {
    this.seq += 1;
    this.first = Math.max(this.first, this.seq - WINDOW + 1);
    this.state = { count: this.seq };
    const data = { channel: this.name, number: this.seq };
    const message = this.name
      ? inChannel(this.name, event(this.seq, "tick", data, { set: this.state }))
      : event(this.seq, "tick", data, { set: this.state });
    this.events.set(this.seq, message);
    return message;
  }

  /** What it was is forgotten; its numbers go on. */
  drop(): void {
    this.seq += 1;
    this.first = this.seq + 1;
    this.state = {};
  }

  greetings(epoch?: string, seq?: number): object[] {
    const named = (message: object) => (this.name ? inChannel(this.name, message) : message);
    const isKept = seq !== undefined && seq + 1 >= this.first && seq <= this.seq;
    if (epoch !== EPOCH || !isKept) return [named(snapshot(this.seq, this.state))];
    const missed = Array.from({ length: this.seq - seq }, (_, index) => seq + 1 + index);
    return [named(resume(seq, this.seq)), ...missed.map((number) => this.events.get(number) ?? {})];
  }
}

interface Request {
  readonly type: string;
  readonly channel?: string;
  readonly epoch?: string;
  readonly seq?: number;
}

/** A relay with channels, whose lines are as slow as the test wants: messages wait in both directions until they are moved. */
export class ChannelRelay {
  readonly subscribed = new Set<string>();
  private readonly logs = new Map<string, Log>();
  private socket: FakeSocket | null = null;
  private readonly down: object[] = [];
  private heard = 0;

  /** Takes a connection, whose predecessor is gone with all that was under way. */
  accept(socket: FakeSocket): void {
    this.socket = socket;
    this.subscribed.clear();
    this.down.length = 0;
    this.heard = 0;
    const { epoch, seq } = socket.parameters;
    const asked = socket.channels.map((argument) => argument.split(","));
    for (const [channel = "", ...position] of asked.length > 0 ? asked : [[""]]) {
      const [at, number] = channel === "" ? [epoch, seq] : position;
      const place = at === undefined ? {} : { epoch: at, seq: Number(number) };
      this.answer({ type: "sync:subscribe", channel, ...place });
    }
    socket.accept();
  }

  /** The connection breaks. */
  cut(): void {
    const { socket } = this;
    this.socket = null;
    this.subscribed.clear();
    this.down.length = 0;
    socket?.end();
  }

  log(name: string): Log {
    const log = this.logs.get(name) ?? new Log(name);
    this.logs.set(name, log);
    return log;
  }

  broadcast(name: string): void {
    const message = this.log(name).add();
    if (this.subscribed.has(name)) this.down.push(message);
  }

  drop(name: string): void {
    this.log(name).drop();
    if (this.subscribed.delete(name)) this.down.push(dropped(name));
  }

  /** Hears the next thing that the client has said. Returns whether there was one. */
  hear(): boolean {
    const text = this.socket?.asked[this.heard];
    if (text === undefined) return false;
    this.heard += 1;
    this.answer(JSON.parse(text));
    return true;
  }

  /** Lets the client hear the next message. Returns whether there was one. */
  tell(): boolean {
    const message = this.down.shift();
    if (message) this.socket?.tell(message);
    return message !== undefined;
  }

  private answer({ type, channel = "", epoch, seq }: Request): void {
    if (type === "sync:subscribe") {
      if (this.subscribed.has(channel)) throw new Error(`${channel} is subscribed already`);
      this.subscribed.add(channel);
      this.down.push(...this.log(channel).greetings(epoch, seq));
    } else if (type === "sync:unsubscribe") {
      this.subscribed.delete(channel);
      this.down.push(unsubscribed(channel));
    }
  }
}
