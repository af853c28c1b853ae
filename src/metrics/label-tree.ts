/**
 * The tree of one metric's label values: a level for each label, in the order of their declaration.
 *
 * A level is a map from a label's value to the next level; `undefined` stands for a label that was not given.
 * So one walk finds partial and complete metrics alike.
 */

/** Label values in order of declaration; `undefined` where none was given. */
export type Values = readonly (string | undefined)[];

export type Level<M> = Map<string | undefined, Level<M> | M>;

/** The leaf at exactly these values. */
export function leafAt<M>(tree: Level<M>, values: Values): M | undefined {
  let next: Level<M> | M | undefined = tree;
  for (let i = 0; i < values.length && next !== undefined; i++) next = (next as Level<M>).get(values[i]);
  return next as M | undefined;
}

/** Puts a leaf at these values, and makes the levels that lead to it. */
export function putLeaf<M>(tree: Level<M>, values: Values, leaf: M): M {
  let level = tree;
  for (const value of values.slice(0, -1)) {
    let next = level.get(value) as Level<M> | undefined;
    if (next === undefined) {
      next = new Map();
      level.set(value, next);
    }
    level = next;
  }
  level.set(values.at(-1), leaf);
  return leaf;
}

/** Every leaf, with the values that lead to it. */
export function* leavesOf<M>(tree: Level<M>, path: Values = []): Generator<[leaf: M, values: Values]> {
  for (const [key, next] of tree) {
    const values = [...path, key];
    if (next instanceof Map) yield* leavesOf(next, values);
    else yield [next, values];
  }
}
