/**
 * The children of one metric, in a tree of their label values: the same labels are always the same child. A child that
 * leaves labels to their defaults shares the cells of the child to which the same values were given.
 */
import { activeBackend, type CellOwner } from '../backends/active-backend.js';
import type { Cells, Move } from '../backends/backend.js';
import { MetheusError, show } from '../errors.js';
import { isPrivateScope, privateScope } from '../model/collector.js';
import type { FamilyDescriptor } from '../model/family.js';
import { checkLabels, labelString } from '../model/labels.js';
import { BucketIndex, type Buckets } from './bucket-index.js';
import { LabelTree, type Values } from './label-tree.js';
import type { NativeFamily } from './native/series.js';
import { definitionText, type FamilySettings } from './settings.js';

/** The members of a metric that its family uses. */
export interface Child {
  page: Float64Array;
  /** Index of the first cell; -1 while labels are missing. */
  offset: number;
  /** Called when this child begins a series. For metrics that count in further cells, such as native buckets. */
  startSeries?(labels: readonly string[]): void;
  /** Called when this child counts in the series of another child. */
  joinSeries?(other: Child): void;
  /** Called when the series was removed. */
  endSeries?(): void;
}

const NOTHING_GIVEN: Values = [];
/** The value of every label of the series that counts label sets beyond `maxSeries`. */
const OVERFLOW = '__overflow__';

type ChildConstructor<M extends Child> = new (family: MetricFamily<M>, given: Values) => M;

export class MetricFamily<M extends Child> implements CellOwner {
  /** The current descriptor. Its scope changes when a private metric is registered or the metric is unregistered. */
  descriptor: FamilyDescriptor;
  /** The help text of the last definition. The descriptor has the first one. */
  help: string;
  /** The metric with no label given. */
  readonly root: M;
  readonly settings: FamilySettings;
  /** The descriptor's bounds, for histograms to search. */
  readonly buckets: Buckets;
  readonly tree: LabelTree<M>;
  /** The native buckets of the series, if the metric has any. */
  readonly native: NativeFamily | undefined;
  readonly #Metric: ChildConstructor<M>;
  #series = 0;
  /** Number of children in the tree that miss labels. */
  #partials = 0;
  /** Number of registries that have the metric. */
  #registries = 0;
  /** Counts the label sets that were refused. */
  #dropped: { inc(): void } | undefined;

  constructor(
    descriptor: FamilyDescriptor,
    settings: FamilySettings,
    Metric: ChildConstructor<M>,
    native?: NativeFamily,
  ) {
    this.descriptor = descriptor;
    this.help = descriptor.help;
    this.tree = LabelTree.of(descriptor.labelNames);
    this.buckets = BucketIndex.of(descriptor.bounds);
    this.settings = settings;
    this.native = native;
    this.#Metric = Metric;
    this.root = new Metric(this, NOTHING_GIVEN);
    if (!settings.defaults.includes(undefined)) this.#attachRoot();
    activeBackend().add(this);
  }

  /** See `MetricSource`. */
  get definition(): string {
    return definitionText(this.descriptor, this.settings, this.native?.rule);
  }

  /**
   * Returns the child with `given` on top of `base`. Slow path: checks all labels, and creates the child if it is new.
   */
  resolve(base: Values | undefined, given: unknown): M {
    const { strict, defaults } = this.settings;
    const absent = strict ? [] : defaults.map((value) => value ?? '');
    return this.#childAt(this.combine(base, given, absent));
  }

  /**
   * Returns the label values of `base` and `given` together. The overflow series accepts any labels, since it counts
   * all label sets beyond the limit.
   *
   * @param base - `undefined` for a removed series
   * @param absent - the replacements for label values `undefined` and `null`, which are errors without a replacement
   */
  combine(base: Values | undefined, given: unknown, absent: Values = []): Values {
    const { name: metric, labelNames } = this.descriptor;
    checkLabels(metric, labelNames, given);
    const own = given as Readonly<Record<string, unknown>>;
    return labelNames.map((name, i) => {
      if (!Object.hasOwn(own, name)) return base?.[i];
      const value = labelString(metric, name, own[name], absent[i]);
      if (base !== undefined && base[i] === undefined) return value;
      if (this.#isOverflow(base ?? [])) return OVERFLOW;
      const known = base === undefined ? 'that of a removed series' : `'${base[i]}'`;
      throw new MetheusError('METHEUS_LABEL_ALREADY_GIVEN', {
        given: `${show(value)} for label '${name}' of metric '${metric}', which is ${known}`,
        expected: 'a label that has no value yet',
        todo: 'Call labels() of the metric that you gave the label to',
      });
    });
  }

  /**
   * Returns the labels of a child; `undefined` if it was removed. Searches all children, since complete ones do not
   * keep their labels.
   */
  labelsOf(metric: Child): Values | undefined {
    for (const [child, values] of this.tree.children()) if (child === metric) return values;
    return undefined;
  }

  /** Iterates over the series that have all of the given values, each as the child that names all of its labels. */
  *series(wanted: Values): Generator<[child: M, labels: readonly string[]]> {
    const matches = (key: string | undefined, level: number) => (wanted[level] ?? key) === key;
    for (const [child, values] of this.#children(matches)) {
      if (!values.includes(undefined)) yield [child, values as string[]];
    }
  }

  /** Returns the labels that have neither a given value nor a default. */
  missing(given: Values): string[] {
    const values = this.#filled(given);
    return this.descriptor.labelNames.filter((_, i) => values[i] === undefined);
  }

  /** Removes the series that have all of the given values, and returns their number. */
  remove(wanted: Values): number {
    const { defaults } = this.settings;
    const hasRoot = defaults.every((value, i) => (wanted[i] ?? value) === value);
    const removed = this.#prune(wanted);
    this.#removeEnded(wanted);
    if (hasRoot && this.root.offset >= 0) this.#attachRoot();
    return this.descriptor.labelNames.length === 0 ? 1 : removed;
  }

  /** `join` and `leave`: see `MetricSource`. */
  join(scope: string): void {
    this.#registries += 1;
    if (isPrivateScope(this.descriptor.scope) && !isPrivateScope(scope)) this.#moveTo(scope);
  }

  leave(): void {
    if (--this.#registries > 0 || isPrivateScope(this.descriptor.scope)) return;
    this.#removeEnded(this.settings.defaults.map(() => undefined));
    this.#moveTo(privateScope());
  }

  migrate(move: Move): void {
    if (!isPrivateScope(this.descriptor.scope)) this.#move(move);
  }

  #removeEnded(wanted: Values): void {
    const { native } = this;
    activeBackend().removeEnded(this.descriptor, wanted);
    if (native !== undefined) activeBackend().removeEnded(native.rule.blockFamily, [...wanted, undefined]);
  }

  #moveTo(scope: string): void {
    const before = this.descriptor;
    this.descriptor = Object.freeze({ ...before, scope });
    this.#move(activeBackend().movingTo(before, this.descriptor));
    this.native?.moveTo(scope);
  }

  #move(move: Move): void {
    const { descriptor: family } = this;
    const sharing: [M, Values][] = [];
    for (const [child, values] of this.#children()) {
      if (values.includes(undefined)) sharing.push([child, values]);
      else attach(child, move({ family, labels: values as string[] }, child));
    }
    for (const [child, values] of sharing) {
      if (child.offset >= 0) attach(child, this.#childAt(this.#filled(values)));
    }
  }

  /** Iterates over the root and all other children that match, with their values. */
  *#children(matches?: (key: string | undefined, level: number) => boolean): Generator<[M, Values]> {
    yield [this.root, this.descriptor.labelNames.map(() => undefined)];
    yield* this.tree.children(matches);
  }

  #attachRoot(): void {
    const { descriptor: family, root } = this;
    if (family.labelNames.length > 0) {
      share(root, this.#childAt(this.#filled([])));
      return;
    }
    if (root.offset >= 0) {
      activeBackend().of(this.descriptor).release(family, root);
      root.endSeries?.();
    }
    this.#start(root, []);
  }

  /** Begins a series with this child. */
  #start(child: M, labels: readonly string[]): void {
    attach(child, activeBackend().of(this.descriptor).reserve({ family: this.descriptor, labels }));
    child.startSeries?.(labels);
  }

  #childAt(values: Values): M {
    if (!values.includes(undefined)) return this.#namedAt(values as readonly string[]);
    if (values.every((value) => value === undefined)) return this.root;
    return this.tree.at(values) ?? this.#addUnnamed(values);
  }

  /** Returns the child with these values of all labels, or the overflow series if no more series are allowed. */
  #namedAt(labels: readonly string[]): M {
    if (labels.length === 0) return this.root;
    const known = this.tree.at(labels);
    if (known !== undefined) return known;
    if (this.#series < this.settings.maxSeries) return this.#addSeries(labels);
    this.#dropped ??= this.settings.droppedIn(this.settings.registry, this.descriptor.name);
    this.#dropped.inc();
    return this.tree.at(this.#overflow()) ?? this.#addSeries(this.#overflow());
  }

  /** Adds a child whose label values are not all given: the others have defaults or are missing. */
  #addUnnamed(values: Values): M {
    const labels = this.#filled(values);
    const metric = new this.#Metric(this, values);
    if (labels.includes(undefined)) {
      // With `maxSeries`, only a limited number of children with missing labels is kept in the tree.
      if (this.#partials > 4 * this.settings.maxSeries) return metric;
      this.#partials += 1;
    } else {
      const named = this.#namedAt(labels as readonly string[]);
      if (named === this.tree.at(this.#overflow())) return named;
      share(metric, named);
    }
    return this.tree.put(values, metric);
  }

  #addSeries(labels: readonly string[]): M {
    if (!this.#isOverflow(labels)) this.#series += 1;
    const metric = new this.#Metric(this, COMPLETE);
    this.#start(metric, labels);
    return this.tree.put(labels, metric);
  }

  #overflow(): readonly string[] {
    return this.descriptor.labelNames.map(() => OVERFLOW);
  }

  #isOverflow(values: Values): boolean {
    return values[0] === OVERFLOW && values.every((value) => value === OVERFLOW);
  }

  #filled(values: Values): Values {
    return this.settings.defaults.map((value, i) => values[i] ?? value);
  }

  /** Deletes the children that match, and returns the number of their series. */
  #prune(wanted: Values): number {
    const { defaults } = this.settings;
    let removed = 0;
    const matches = (key: string | undefined, level: number) =>
      wanted[level] === undefined || (key ?? defaults[level]) === wanted[level];
    for (const [child, values] of this.tree.children(matches)) {
      this.tree.delete(values);
      if (child.offset < 0) {
        this.#partials -= 1;
        continue;
      }
      if (!values.includes(undefined)) {
        activeBackend().of(this.descriptor).release(this.descriptor, child);
        removed += 1;
        if (!this.#isOverflow(values)) this.#series -= 1;
      }
      attach(child, { page: new Float64Array(this.descriptor.cells), offset: 0 });
      child.endSeries?.();
    }
    return removed;
  }
}

/** Given to every complete child in place of its label values, so that these are not kept in memory twice. */
export const COMPLETE: Values = Object.freeze(['']);

function attach(child: Child, { page, offset }: Cells): void {
  child.page = page;
  child.offset = offset;
}

function share(child: Child, other: Child): void {
  attach(child, other);
  child.joinSeries?.(other);
}
