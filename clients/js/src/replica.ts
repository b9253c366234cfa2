import { isEqual, type Json, type JsonObject } from "./json.js";
import { mergePatch } from "./merge_patch.js";
import type { Change } from "./message.js";

/**
 * The state by key: a snapshot with every later change folded in. A value that stays equal stays the
 * same object, also across snapshots, so that readers may compare by identity.
 */
export class Replica {
  private readonly values = new Map<string, Json>();
  private image: JsonObject | null = null;

  get(key: string): Json | undefined {
    return this.values.get(key);
  }

  /** All keys as one frozen object; the same one until something changes. */
  get state(): JsonObject {
    this.image ??= Object.freeze(Object.fromEntries(this.values));
    return this.image;
  }

  /** Takes a snapshot's state. Returns the keys whose values changed. */
  replace(state: JsonObject): string[] {
    const gone = [...this.values.keys()].filter((key) => !Object.hasOwn(state, key));
    return [...this.setAll(state), ...this.removeAll(gone)];
  }

  /** Folds a change in. Returns the keys whose values changed. */
  fold({ set, merge, remove }: Change): string[] {
    const merged = Object.entries(merge).filter(([key, patch]) =>
      this.set(key, mergePatch(this.values.get(key), patch)),
    );
    return [...this.setAll(set), ...merged.map(([key]) => key), ...this.removeAll(remove)];
  }

  private setAll(state: JsonObject): string[] {
    return Object.keys(state).filter((key) => this.set(key, state[key] ?? null));
  }

  private removeAll(keys: readonly string[]): string[] {
    const removed = keys.filter((key) => this.values.delete(key));
    if (removed.length > 0) this.image = null;
    return removed;
  }

  private set(key: string, value: Json): boolean {
    if (this.values.has(key) && isEqual(this.values.get(key), value)) return false;
    this.values.set(key, value);
    this.image = null;
    return true;
  }
}
