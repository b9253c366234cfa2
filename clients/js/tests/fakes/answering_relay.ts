/** A relay that answers questions, until it falls silent. */

import type { Options } from "../../src/options.js";
import { type Played, play } from "./played_client.js";
import { ping, snapshot } from "./relay_message.js";

export const PRESENT: Options = { heartbeat: undefined }; // the default

/** Live at a relay that answers questions. */
export function playAnswering(options: Options = PRESENT): Played {
  const played = play(options);
  played.world.socket.answers = true;
  played.world.socket.accept().tell(snapshot(41));
  return played;
}

/** The relay answers what has been asked, and what is asked upon that, each 50 ms later. */
export function answerAll({ world }: Played): void {
  for (let answered = 0; answered < world.socket.asked.length; answered += 1) {
    world.socket.tell(ping);
    world.advance(50);
  }
}

/** From now on nothing comes from the relay. */
export function freeze({ world }: Played): void {
  world.socket.answers = false;
}

/** The statuses until the connection is given up, each with how long after now it came. */
export function course({ world, client }: Played): [after: number, status: string][] {
  const begin = world.now();
  const told: [number, string][] = [];
  const stop = client.onStatus((status) => told.push([world.now() - begin, status]));
  while (client.status !== "offline") world.advance(world.pendingDelay ?? 0);
  stop();
  return told;
}
