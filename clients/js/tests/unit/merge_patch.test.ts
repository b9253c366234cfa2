import { expect, test } from "vitest";
import type { Json } from "../../src/json.js";
import { mergePatch } from "../../src/merge_patch.js";
import { vectorsOf } from "../vectors.js";

interface Vector {
  readonly name: string;
  readonly target: string | null;
  readonly patch: string;
  readonly result: string;
}

test.each(vectorsOf<Vector>("merge_patches"))("$name", ({ target, patch, result }) => {
  const before: Json | undefined = target === null ? undefined : JSON.parse(target);
  const merged = mergePatch(before, JSON.parse(patch));
  expect(JSON.stringify(merged)).toBe(JSON.stringify(JSON.parse(result)));
});

test("neither argument changes, and what is untouched is shared", () => {
  const target = { kept: { a: 1 }, changed: { b: 2 } };
  const patch = { changed: { c: 3 } };
  const merged = mergePatch(target, patch) as typeof target;
  expect(target).toEqual({ kept: { a: 1 }, changed: { b: 2 } });
  expect(patch).toEqual({ changed: { c: 3 } });
  expect(merged.kept).toBe(target.kept);
  expect(merged).not.toBe(target);
});

test("a member named __proto__ is a member and nothing else", () => {
  const patch: Json = JSON.parse('{"__proto__":{"polluted":true}}');
  const merged = mergePatch({ a: 1 }, patch);
  expect(JSON.stringify(merged)).toBe('{"a":1,"__proto__":{"polluted":true}}');
  expect(Reflect.get({}, "polluted")).toBeUndefined();
  expect(Object.getPrototypeOf(merged)).toBe(Object.prototype);
});

test("a patch may be nested as deep as the relay allows", () => {
  const deep = `${'{"a":'.repeat(511)}1${"}".repeat(511)}`;
  expect(JSON.stringify(mergePatch({}, JSON.parse(deep)))).toBe(deep);
});
