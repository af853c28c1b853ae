/**
 * The series of one metric, in a tree of their label values: a leaf is always the same object for the same
 * labels. A leaf that leaves labels to their defaults shares the cells of the one that names them.
 */
import { activeBackend, type CellOwner } from '../backends/active-backend.js';
import type { Cells, Move } from '../backends/backend.js';
import { MetheusError, show } from '../errors.js';
import type { FamilyDescriptor } from '../model/family.js';
import { type Labels, labelString, refuseUnknownLabels } from '../model/labels.js';
import { BucketIndex, type Buckets } from './bucket-index.js';
import { LabelTree, type Values } from './label-tree.js';
import type { NativeFamily } from './native/series.js';

/** What a family knows of its metrics: where they count. `offset` is -1 while labels are missing. */
export interface Child {
  page: Float64Array;
  offset: number;
  /** Told that a series begins with it, for a leaf that has more of it than these cells. */
  startSeries?(labels: readonly string[]): void;
  /** Told that it counts in the series of another leaf. */
  joinSeries?(other: Child): void;
  /** Told that the series was removed. */
  endSeries?(): void;
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
  /** The native buckets of the series, if the metric has any. */
  readonly native?: NativeFamily | undefined;
}

export class MetricFamily<M extends Child> implements CellOwner {
  readonly descriptor: FamilyDescriptor;
  /** The metric without any label given. */
  readonly root: M;
  readonly settings: FamilySettings;
  /** The descriptor's bounds, for histograms to search. */
  readonly buckets: Buckets;
  readonly #Metric: new (
    family: MetricFamily<M>,
    given: Values,
  ) => M;
  readonly tree: LabelTree<M>;
  #series = 0;
  /** Leaves that count nothing yet. */
  #partials = 0;

  constructor(
    descriptor: FamilyDescriptor,
    settings: FamilySettings,
    Metric: new (family: MetricFamily<M>, given: Values) => M,
  ) {
    this.descriptor = descriptor;
    this.tree = new LabelTree(descriptor.labelNames);
    this.buckets = BucketIndex.of(descriptor.bounds);
    this.settings = settings;
    this.#Metric = Metric;
    this.root = new Metric(this, []);
    if (this.missing([]).length === 0) this.#attachRoot();
    activeBackend().add(this);
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
  labelsOf(metric: Child): Values | undefined {
    for (const [leaf, values] of this.tree.leaves()) if (leaf === metric) return values;
    return undefined;
  }

  /** The series with these values, where given, each by the metric that names all of its labels. */
  *series(wanted: Values): Generator<[metric: M, labels: readonly string[]]> {
    if (this.descriptor.labelNames.length === 0) yield [this.root, []];
    const matches = (key: string | undefined, level: number) => (wanted[level] ?? key) === key;
    for (const [leaf, values] of this.tree.leaves(matches)) {
      if (leaf.offset >= 0 && !values.includes(undefined)) yield [leaf, values as string[]];
    }
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
    const removed = this.#prune(wanted);
    if (rootGoes) this.#attachRoot();
    return this.descriptor.labelNames.length === 0 ? 1 : removed;
  }

  clear(): void {
    this.remove([]);
    if (this.root.offset >= 0) return;
    this.tree.clear();
    this.#partials = 0;
  }

  migrate(move: Move): void {
    const { descriptor: family } = this;
    const sharing: [M, Values][] = [];
    for (const [leaf, values] of this.tree.leaves()) {
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
    if (family.labelNames.length > 0) {
      share(root, this.#leaf(this.#filled([])));
      return;
    }
    if (root.offset >= 0) {
      backend.release(family, root);
      root.endSeries?.();
    }
    attach(root, backend.reserve({ family, labels: [] }));
    root.startSeries?.([]);
  }

  #leaf(values: Values): M {
    if (values.every((value) => value === undefined)) return this.root;
    return this.tree.at(values) ?? this.#add(values);
  }

  #add(values: Values): M {
    const { maxSeries, onOverflow } = this.settings;
    const labels = this.#filled(values);
    if (labels.includes(undefined)) return this.#addPartial(values);
    if (values.includes(undefined)) {
      const named = this.#leaf(labels);
      if (named === this.tree.at(this.#overflow())) return named;
      const metric = new this.#Metric(this, values);
      share(metric, named);
      return this.tree.put(values, metric);
    }
    if (this.#series >= maxSeries) {
      onOverflow();
      return this.tree.at(this.#overflow()) ?? this.#addSeries(this.#overflow());
    }
    return this.#addSeries(labels as string[]);
  }

  #addSeries(labels: readonly string[]): M {
    if (!this.#isOverflow(labels)) this.#series += 1;
    const metric = new this.#Metric(this, COMPLETE);
    attach(metric, activeBackend().backend.reserve({ family: this.descriptor, labels }));
    metric.startSeries?.(labels);
    return this.tree.put(labels, metric);
  }

  /** Under a limit, the partial metrics that are kept are limited too. */
  #addPartial(values: Values): M {
    const metric = new this.#Metric(this, values);
    if (this.#partials > 4 * this.settings.maxSeries) return metric;
    this.#partials += 1;
    return this.tree.put(values, metric);
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

  /** Drops the leaves that match. Counts the series. */
  #prune(wanted: Values): number {
    const { defaults } = this.settings;
    let removed = 0;
    const matches = (key: string | undefined, level: number) =>
      wanted[level] === undefined || (key ?? defaults[level]) === wanted[level];
    for (const [leaf, values] of this.tree.leaves(matches)) {
      this.tree.delete(values);
      if (leaf.offset < 0) {
        this.#partials -= 1;
        continue;
      }
      if (!values.includes(undefined)) {
        activeBackend().backend.release(this.descriptor, leaf);
        removed += 1;
        if (!this.#isOverflow(values)) this.#series -= 1;
      }
      attach(leaf, { page: new Float64Array(this.descriptor.cells), offset: 0 });
      leaf.endSeries?.();
    }
    return removed;
  }
}

/** Stands for the values of a metric whose labels are all named: kept once, and not once for each series. */
export const COMPLETE: Values = Object.freeze(['']);

function attach(metric: Child, { page, offset }: Cells): void {
  metric.page = page;
  metric.offset = offset;
}

function share(metric: Child, other: Child): void {
  attach(metric, other);
  metric.joinSeries?.(other);
}
