/**
 * The tree of one metric's label values: a level for each label, in the order of their declaration.
 *
 * A level is a map from a label's value to the next level; `undefined` stands for a label that was not given.
 * So one walk finds partial and complete metrics alike.
 */

/** Label values in order of declaration; `undefined` where none was given. */
export type Values = readonly (string | undefined)[];

type Key = string | undefined;
type Next<M> = Level<M> | M;
type Level<M> = Map<Key, Next<M>> | Twig<M>;

/** A level with one key. A map of one takes four times the memory, and trees with unique labels are full of them. */
class Twig<M> {
  readonly key: Key;
  next: Next<M>;

  constructor(key: Key, next: Next<M>) {
    this.key = key;
    this.next = next;
  }

  get(key: Key): Next<M> | undefined {
    return key === this.key ? this.next : undefined;
  }

  *[Symbol.iterator](): Generator<[Key, Next<M>]> {
    yield [this.key, this.next];
  }
}

export class LabelTree<M extends object> {
  readonly #names: readonly string[];
  readonly #top = new Map<Key, Next<M>>();

  constructor(names: readonly string[]) {
    // A copy: V8 reads a frozen array four times as slowly.
    this.#names = [...names];
  }

  /**
   * The complete leaf for exactly these labels, if it is known and each is a string. The fast way: written out
   * for few labels, since a property read in a loop over names costs twice as much as one on its own line.
   */
  find(given: Readonly<Record<string, unknown>>): M | undefined {
    const names = this.#names;
    const count = names.length;
    if (count !== countKeys(given) || count === 0) return undefined;
    // No value but a string is a key of the tree, `undefined` aside.
    const values = given as Readonly<Record<string, string | undefined>>;
    const first = values[names[0]!];
    if (first === undefined) return undefined;
    let next = this.#top.get(first);
    if (count === 1 || next === undefined) return next as M | undefined;
    const second = values[names[1]!];
    if (second === undefined) return undefined;
    next = (next as Level<M>).get(second);
    if (count === 2 || next === undefined) return next as M | undefined;
    const third = values[names[2]!];
    if (third === undefined) return undefined;
    next = (next as Level<M>).get(third);
    for (let i = 3; i < count && next !== undefined; i++) {
      const value = values[names[i]!];
      next = value === undefined ? undefined : (next as Level<M>).get(value);
    }
    return next as M | undefined;
  }

  /**
   * The leaf for `given` on top of `base`, if it is known: with labels that are numbers, that were given before,
   * or that are left open. Undefined too where `given` is not as it should be.
   */
  findOnTop(base: Values, given: Readonly<Record<string, unknown>>): M | undefined {
    const names = this.#names;
    let next: Next<M> | undefined = this.#top;
    let used = 0;
    for (let i = 0; i < names.length; i++) {
      let key = i < base.length ? base[i] : undefined;
      if (key === undefined) {
        const value = given[names[i]!];
        if (value !== undefined) {
          used += 1;
          if (typeof value === 'string') key = value;
          else if (typeof value === 'number' || typeof value === 'boolean') key = String(value);
          else return undefined;
        }
      }
      next = (next as Level<M>).get(key);
      if (next === undefined) return undefined;
    }
    return used > 0 && used === countKeys(given) ? (next as M) : undefined;
  }

  /** The leaf at exactly these values. */
  at(values: Values): M | undefined {
    let next: Next<M> | undefined = this.#top;
    for (let i = 0; i < values.length && next !== undefined; i++) next = (next as Level<M>).get(values[i]);
    return next as M | undefined;
  }

  /** Puts a leaf at these values, of which there is at least one. */
  put(values: Values, leaf: M): M {
    put(this.#top, values, 0, leaf);
    return leaf;
  }

  /** Takes the leaf at these values away, and the levels that this leaves empty. */
  delete(values: Values): void {
    remove(this.#top, values, 0);
  }

  clear(): void {
    this.#top.clear();
  }

  /**
   * Every leaf, with the values that lead to it. It may be deleted while it is looked at.
   *
   * @param wanted - which keys to follow, by level; all when left out
   */
  leaves(wanted: (key: Key, level: number) => boolean = () => true): Generator<[leaf: M, values: Values]> {
    return leavesOf(this.#top, [], this.#names.length, wanted);
  }
}

/** Puts a leaf below a level. Returns the level, or what takes its place. */
function put<M>(level: Level<M> | undefined, values: Values, depth: number, leaf: M): Level<M> {
  const key = values[depth];
  const next = level?.get(key) as Level<M> | undefined;
  const then = depth === values.length - 1 ? leaf : put(next, values, depth + 1, leaf);
  if (level === undefined) return new Twig(key, then);
  if (level instanceof Map) return level.set(key, then);
  if (next === undefined) return new Map([...level, [key, then]]);
  level.next = then;
  return level;
}

/** Takes the leaf at these values away. Returns whether the level is empty then. */
function remove<M>(level: Level<M>, values: Values, depth: number): boolean {
  const key = values[depth];
  const next = level.get(key);
  if (next === undefined) return false;
  const isEnd = depth === values.length - 1;
  if (!isEnd && !remove(next as Level<M>, values, depth + 1)) return false;
  if (!(level instanceof Map)) return true;
  level.delete(key);
  return level.size === 0;
}

function* leavesOf<M>(
  level: Level<M>,
  path: Values,
  depth: number,
  wanted: (key: Key, level: number) => boolean,
): Generator<[leaf: M, values: Values]> {
  for (const [key, next] of level) {
    if (!wanted(key, path.length)) continue;
    const values = [...path, key];
    if (values.length === depth) yield [next as M, values];
    else yield* leavesOf(next as Level<M>, values, depth, wanted);
  }
}

/**
 * How many properties an object has, -1 if it inherits any: one that has every label and no more of them names
 * no other. Written as V8 knows it: this `hasOwnProperty` of a key of this loop costs nothing.
 */
function countKeys(given: object): number {
  let count = 0;
  for (const key in given) {
    if (!isOwn.call(given, key)) return -1;
    count += 1;
  }
  return count;
}

const isOwn = Object.prototype.hasOwnProperty;
