/**
 * The tree of one metric's label values, with a level for each label in the order of declaration.
 *
 * A level is a map from a label's value to the next level; the last level has the children. The key `undefined` stands
 * for a label that was not given, so partial and complete metrics are found in the same way.
 */

/** Label values in the order of declaration; `undefined` for those not given. */
export type Values = readonly (string | undefined)[];

type Key = string | undefined;
type Next<M> = Level<M> | M;
type Level<M> = Map<Key, Next<M>> | Twig<M>;

/** A level with one key: a quarter of the memory of a map, which matters for labels with unique values. */
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
  static readonly #empty = new LabelTree<never>([]);

  readonly #names: readonly string[];
  readonly #top = new Map<Key, Next<M>>();

  /** Returns a new tree. All metrics without labels have the same one, which stays empty. */
  static of<M extends object>(names: readonly string[]): LabelTree<M> {
    return names.length === 0 ? LabelTree.#empty : new LabelTree(names);
  }

  private constructor(names: readonly string[]) {
    // A copy that is not frozen. See docs/v8.md: frozen arrays.
    this.#names = [...names];
  }

  /**
   * Finds the complete child with exactly these labels, provided that all values are strings. Returns `undefined` for
   * anything else, including values that are not objects. Up to three labels are read without a loop: see
   * docs/v8.md: properties by name.
   */
  find(given: Readonly<Record<string, unknown>>): M | undefined {
    const names = this.#names;
    const count = names.length;
    // Objects of other classes may inherit labels. See docs/v8.md: properties by name.
    if (count !== countKeys(given) || count === 0 || given.constructor !== Object) return undefined;
    // The keys of the tree are strings and `undefined`. So values of other types are not found, and `undefined` is
    // checked below.
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
   * Finds the child with the labels of `base` and `given`. Values may be numbers and booleans, and labels may be left
   * open. Returns `undefined` for invalid labels too.
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
    const isRight = used > 0 && used === countKeys(given) && given.constructor === Object;
    return isRight ? (next as M) : undefined;
  }

  /** Finds the child at exactly these values. */
  at(values: Values): M | undefined {
    let next: Next<M> | undefined = this.#top;
    for (let i = 0; i < values.length && next !== undefined; i++) next = (next as Level<M>).get(values[i]);
    return next as M | undefined;
  }

  /** Puts a child at these values, of which there is at least one, and returns it. */
  put(values: Values, child: M): M {
    put(this.#top, values, 0, child);
    return child;
  }

  /** Deletes the child at these values, and the levels that become empty. */
  delete(values: Values): void {
    remove(this.#top, values, 0);
  }

  /**
   * Iterates over the children with their values. The current child may be deleted.
   *
   * @param wanted - reports whether to follow a key of a level
   */
  children(wanted: (key: Key, level: number) => boolean = () => true): Generator<[child: M, values: Values]> {
    return childrenOf(this.#top, [], this.#names.length, wanted);
  }
}

/** Puts a child below a level. Returns the level or its replacement. */
function put<M>(level: Level<M> | undefined, values: Values, depth: number, child: M): Level<M> {
  const key = values[depth];
  const next = level?.get(key) as Level<M> | undefined;
  const then = depth === values.length - 1 ? child : put(next, values, depth + 1, child);
  if (level === undefined) return new Twig(key, then);
  if (level instanceof Map) return level.set(key, then);
  if (next === undefined) return new Map([...level, [key, then]]);
  level.next = then;
  return level;
}

/** Deletes the child at these values, and reports whether the level is empty now. */
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

function* childrenOf<M>(
  level: Level<M>,
  path: Values,
  depth: number,
  wanted: (key: Key, level: number) => boolean,
): Generator<[child: M, values: Values]> {
  for (const [key, next] of level) {
    if (!wanted(key, path.length)) continue;
    const values = [...path, key];
    if (values.length === depth) yield [next as M, values];
    else yield* childrenOf(next as Level<M>, values, depth, wanted);
  }
}

/**
 * Returns the number of an object's properties; -1 if it inherits any. If it has a value for every label name and no
 * more properties than that, no name is unknown. See docs/v8.md: properties by name.
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
