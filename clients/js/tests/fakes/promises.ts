/** What becomes of promises: tests play the relay, and ask between its answers. */

/** Lets promises that are settled tell so. */
export async function told(): Promise<void> {
  for (let turn = 0; turn < 10; turn += 1) await Promise.resolve();
}

/** The course of a promise, written down: `pending`, `done`, or the code of its error. */
export class Fate {
  now = "pending";
  error: unknown = null;

  constructor(promise: Promise<unknown>) {
    promise.then(
      () => {
        this.now = "done";
      },
      (error) => {
        this.error = error;
        this.now = error.code ?? error.name;
      },
    );
  }
}

export function fateOf(promise: Promise<unknown>): Fate {
  return new Fate(promise);
}
