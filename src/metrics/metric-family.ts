/**
 * The series of one metric, in a tree of their label values: a leaf is always the same object for the same
 * labels. A leaf that leaves labels to their defaults shares the cells of the one that names them.
 */
import { activeBackend, type Tenant } from '../backends/active.js';
import type { Cells, Move } from '../backends/backend.js';
import { MetheusError, show } from '../errors.js';
import type { SeriesExemplars } from '../model/collector.js';
import type { Exemplar, FamilyDescriptor } from '../model/family.js';
import { type Labels, labelString, refuseUnknownLabels } from '../model/labels.js';
import { BucketIndex, type Buckets } from './bucket-index.js';
import { type Level, leafAt, leavesOf, putLeaf, type Values } from './label-tree.js';

/** What a family knows of its metrics: where they count. `offset` is -1 while labels are missing. */
export interface Leaf {
  page: Float64Array;
  offset: number;
  /** Told that a series begins with it, for a leaf that has more of it than these cells. */
  begin?(labels: readonly string[]): void;
  /** Told that it counts in the series of another leaf. */
  share?(other: Leaf): void;
  /** Told that the series was removed. */
  end?(): void;
}

/** The value of every label of the series that stands for all beyond `maxSeries`. */
export const OVERFLOW = '__overflow__';

/** What a family is besides its descriptor. */
export interface FamilySettings {
  /** The whole definition, as text. */
  readonly definition: string;
  /** One for each label; `undefined` where there is no default. */
  readonly defaults: Values;
  readonly maxSeries: number;
  /** Told each time a new label set was turned away. */
  readonly onOverflow: () => void;
  /** Gives the labels of an exemplar for observations that bring none. */
  readonly exemplars?: (() => Labels | undefined) | undefined;
  /** The states of a stateset. */
  readonly states?: readonly string[] | undefined;
}

export class MetricFamily<M extends Leaf> implements Tenant {
  readonly descriptor: FamilyDescriptor;
  /** The metric without any label given. */
  readonly root: M;
  readonly settings: FamilySettings;
  /** The descriptor's bounds, for histograms to search. */
  readonly buckets: Buckets;
  readonly #make: (family: MetricFamily<M>, given: Values) => M;
  /** A copy: V8 reads a frozen array four times as slowly. */
  readonly #names: readonly string[];
  readonly #tree: Level<M> = new Map();
  #series = 0;
  /** Leaves that count nothing yet. */
  #partials = 0;
  /** The newest exemplar of each cell that has any: beside the leaves, so that those without pay nothing. */
  #exemplars: WeakMap<Leaf, Exemplar[]> | undefined;

  constructor(
    descriptor: FamilyDescriptor,
    settings: FamilySettings,
    make: (family: MetricFamily<M>, given: Values) => M,
  ) {
    this.descriptor = descriptor;
    this.#names = [...descriptor.labelNames];
    this.buckets = BucketIndex.of(descriptor.bounds);
    this.settings = settings;
    this.#make = make;
    this.root = make(this, []);
    if (this.missing([]).length === 0) this.#attachRoot();
    activeBackend().add(this);
  }

  /**
   * The complete metric for exactly these labels, if it is known and each is a string. The fast way: written
   * out for few labels, since a property read in a loop over names costs twice as much as one on its own line.
   */
  find(given: Readonly<Record<string, unknown>>): M | undefined {
    const names = this.#names;
    const count = names.length;
    if (count === 0 || count !== countKeys(given)) return undefined;
    // No value but a string is a key of the tree, `undefined` aside.
    const values = given as Readonly<Record<string, string | undefined>>;
    const first = values[names[0]!];
    const second = count > 1 ? values[names[1]!] : '';
    const third = count > 2 ? values[names[2]!] : '';
    if (first === undefined || second === undefined || third === undefined) return undefined;
    let next = this.#tree.get(first);
    if (count > 1) next = (next as Level<M> | undefined)?.get(second);
    if (count > 2) next = (next as Level<M> | undefined)?.get(third);
    for (let i = 3; i < count && next !== undefined; i++) {
      const value = values[names[i]!];
      next = value === undefined ? undefined : (next as Level<M>).get(value);
    }
    return next as M | undefined;
  }

  /** The metric with `given` on top of `base`. The slow way: it checks everything and makes what is new. */
  resolve(base: Values | undefined, given: unknown): M {
    return this.#leaf(this.combine(base, given, 'labels()'));
  }

  /**
   * Label values with `given` on top of `base`, which is undefined for a series that was removed. The overflow
   * series takes any: it stands for all.
   */
  combine(base: Values | undefined, given: unknown, method: string): Values {
    const { name: metric, labelNames } = this.descriptor;
    if (typeof given !== 'object' || given === null) {
      throw new MetheusError('METHEUS_INVALID_LABEL_VALUE', {
        given: `${show(given)} to ${method} of metric '${metric}'`,
        expected: 'an object with a value for each label name',
      });
    }
    refuseUnknownLabels(metric, labelNames, given);
    const own = given as Readonly<Record<string, unknown>>;
    const isOverflow = this.#isOverflow(base ?? []);
    return labelNames.map((name, i) => {
      if (!Object.hasOwn(own, name)) return base?.[i];
      const value = labelString(name, own[name]);
      if (base !== undefined && base[i] === undefined) return value;
      if (isOverflow) return OVERFLOW;
      const known = base === undefined ? 'that of a removed series' : `'${base[i]}'`;
      throw new MetheusError('METHEUS_LABEL_ALREADY_GIVEN', {
        given: `${show(value)} for label '${name}' of metric '${metric}', which is ${known}`,
        expected: 'a label that has no value yet',
        todo: 'Call labels() of the metric that you gave the label to',
      });
    });
  }

  /**
   * The labels of a leaf, if it was not removed. It is looked for among all: complete metrics do not keep
   * their labels.
   */
  labelsOf(metric: Leaf): Values | undefined {
    for (const [leaf, values] of leavesOf(this.#tree)) if (leaf === metric) return values;
    return undefined;
  }

  /** The series with these values, where given, each by the metric that names all of its labels. */
  *series(wanted: Values): Generator<[metric: M, labels: readonly string[]]> {
    if (this.descriptor.labelNames.length === 0) yield [this.root, []];
    for (const [leaf, values] of leavesOf(this.#tree)) {
      if (leaf.offset < 0 || values.includes(undefined)) continue;
      if (values.every((value, i) => (wanted[i] ?? value) === value)) yield [leaf, values as string[]];
    }
  }

  keepExemplar(metric: Leaf, cell: number, exemplar: Exemplar): void {
    this.#exemplars ??= new WeakMap();
    const kept = this.#exemplars.get(metric) ?? [];
    kept[cell] = exemplar;
    this.#exemplars.set(metric, kept);
  }

  /** See `MetricSource`. */
  *exemplars(): Generator<SeriesExemplars | undefined> {
    const all = this.#exemplars;
    if (all === undefined) return;
    const of = (leaf: M, values: Values) => {
      const exemplars = all.get(leaf);
      return exemplars && { labels: this.#filled(values) as string[], exemplars };
    };
    yield of(this.root, []);
    for (const [leaf, values] of leavesOf(this.#tree)) yield of(leaf, values);
  }

  /** Which labels have neither a given value nor a default. */
  missing(given: Values): string[] {
    return this.descriptor.labelNames.filter((_, i) => (given[i] ?? this.settings.defaults[i]) === undefined);
  }

  /** Removes all series with these values, where given, and says how many there were. */
  remove(wanted: Values): number {
    const { root } = this;
    const { defaults } = this.settings;
    const rootGoes = root.offset >= 0 && defaults.every((value, i) => (wanted[i] ?? value) === value);
    const removed = this.#prune(this.#tree, [], wanted);
    if (rootGoes) this.#attachRoot();
    return this.descriptor.labelNames.length === 0 ? 1 : removed;
  }

  clear(): void {
    this.remove([]);
    if (this.root.offset >= 0) return;
    this.#tree.clear();
    this.#partials = 0;
  }

  rehome(move: Move): void {
    const { descriptor: family } = this;
    const sharing: [M, Values][] = [];
    for (const [leaf, values] of leavesOf(this.#tree)) {
      if (leaf.offset < 0) continue;
      if (values.includes(undefined)) sharing.push([leaf, values]);
      else attach(leaf, move({ family, labels: values as string[] }, leaf));
    }
    if (family.labelNames.length === 0) attach(this.root, move({ family, labels: [] }, this.root));
    else if (this.root.offset >= 0) sharing.push([this.root, []]);
    for (const [metric, values] of sharing) attach(metric, this.#leaf(this.#filled(values)));
  }

  #attachRoot(): void {
    const { descriptor: family, root } = this;
    const { backend } = activeBackend();
    this.#exemplars?.delete(root);
    if (family.labelNames.length > 0) {
      share(root, this.#leaf(this.#filled([])));
      return;
    }
    if (root.offset >= 0) {
      backend.release(family, root);
      root.end?.();
    }
    attach(root, backend.reserve({ family, labels: [] }));
    root.begin?.([]);
  }

  #leaf(values: Values): M {
    if (values.every((value) => value === undefined)) return this.root;
    return leafAt(this.#tree, values) ?? this.#add(values);
  }

  #add(values: Values): M {
    const { maxSeries, onOverflow } = this.settings;
    const labels = this.#filled(values);
    if (labels.includes(undefined)) return this.#addPartial(values);
    if (values.includes(undefined)) {
      const named = this.#leaf(labels);
      if (named === leafAt(this.#tree, this.#overflow())) return named;
      const metric = this.#make(this, values);
      share(metric, named);
      return putLeaf(this.#tree, values, metric);
    }
    if (this.#series >= maxSeries) {
      onOverflow();
      return leafAt(this.#tree, this.#overflow()) ?? this.#addSeries(this.#overflow());
    }
    return this.#addSeries(labels as string[]);
  }

  #addSeries(labels: readonly string[]): M {
    if (!this.#isOverflow(labels)) this.#series += 1;
    const metric = this.#make(this, COMPLETE);
    attach(metric, activeBackend().backend.reserve({ family: this.descriptor, labels }));
    metric.begin?.(labels);
    return putLeaf(this.#tree, labels, metric);
  }

  /** Under a limit, the partial metrics that are kept are limited too. */
  #addPartial(values: Values): M {
    const metric = this.#make(this, values);
    if (this.#partials > 4 * this.settings.maxSeries) return metric;
    this.#partials += 1;
    return putLeaf(this.#tree, values, metric);
  }

  #overflow(): readonly string[] {
    return this.descriptor.labelNames.map(() => OVERFLOW);
  }

  #isOverflow(values: Values): boolean {
    return values.length > 0 && values.every((value) => value === OVERFLOW);
  }

  #filled(values: Values): Values {
    return this.settings.defaults.map((value, i) => values[i] ?? value);
  }

  /** Drops the leaves below `level` that match, and the levels that this leaves empty. Counts the series. */
  #prune(level: Level<M>, path: Values, wanted: Values): number {
    const depth = path.length;
    let removed = 0;
    for (const [key, next] of level) {
      if (wanted[depth] !== undefined && (key ?? this.settings.defaults[depth]) !== wanted[depth]) continue;
      const values = [...path, key];
      if (next instanceof Map) {
        removed += this.#prune(next, values, wanted);
        if (next.size === 0) level.delete(key);
        continue;
      }
      if (next.offset < 0) continue;
      if (!values.includes(undefined)) {
        activeBackend().backend.release(this.descriptor, next);
        removed += 1;
        if (!this.#isOverflow(values)) this.#series -= 1;
      }
      attach(next, { page: new Float64Array(this.descriptor.cells), offset: 0 });
      next.end?.();
      level.delete(key);
    }
    return removed;
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

/** Stands for the values of a metric whose labels are all named: kept once, and not once for each series. */
export const COMPLETE: Values = Object.freeze(['']);

function attach(metric: Leaf, { page, offset }: Cells): void {
  metric.page = page;
  metric.offset = offset;
}

function share(metric: Leaf, other: Leaf): void {
  attach(metric, other);
  metric.share?.(other);
}
