/** The base of all metrics: cells in a page, and the labels that lead to them. */
import { activeBackend } from '../backends/active-backend.js';
import type { Backend } from '../backends/backend.js';
import { MetheusError, show, UnobservableMetricError } from '../errors.js';
import { exemplarLabels } from '../model/exemplar.js';
import type { Exemplar, FamilyDescriptor } from '../model/family.js';
import { checkLabels } from '../model/labels.js';
import type { Values } from './label-tree.js';
import { COMPLETE, type MetricFamily } from './metric-family.js';

export type MetricConstructor = new (family: MetricFamily<Metric>, given: Values) => Metric;

const NO_PAGE = new Float64Array(0);

/**
 * A metric, partial or complete. An observation is an add at `page[offset]`, written `-= -by` on hot paths: see
 * docs/v8.md: adding by subtracting.
 *
 * `offset` is -1 while labels are missing. So the check for missing labels compares a field that each observation reads
 * anyway. `page` and `offset` change when another backend is loaded: do not keep them.
 */
export abstract class Metric {
  page: Float64Array = NO_PAGE;
  offset = -1;
  protected readonly family: MetricFamily<Metric>;
  /** Given label values; {@link COMPLETE} if all were named. */
  readonly #given: Values;

  constructor(family: MetricFamily<Metric>, given: Values) {
    this.family = family;
    this.#given = given;
  }

  get descriptor(): FamilyDescriptor {
    return this.family.descriptor;
  }

  /** See `MetricSource`. */
  get definition(): string {
    return this.family.definition;
  }

  /** See `MetricSource`. */
  join(scope: string): void {
    this.family.join(scope);
  }

  /** See `MetricSource`. */
  leave(): void {
    this.family.leave();
  }

  get name(): string {
    return this.descriptor.name;
  }

  get help(): string {
    return this.family.help;
  }

  /** Set by the registry: see `MetricSource`. */
  set help(text: string) {
    this.family.help = text;
  }

  get backend(): Backend {
    return activeBackend().backend;
  }

  labels(given: Readonly<Record<string, unknown>>): Metric {
    const { root, tree } = this.family;
    return (this === root ? tree.find(given) : undefined) ?? this.#labels(given);
  }

  /**
   * Handles the slow path: labels of a partial metric, left-out labels, values that are not strings, new and invalid
   * labels.
   */
  #labels(given: Readonly<Record<string, unknown>>): Metric {
    if (typeof given === 'object' && given !== null) {
      if (this.#given !== COMPLETE) {
        const known = this.family.tree.findOnTop(this.#given, given);
        if (known !== undefined) return known;
      } else if (isEmpty(given)) {
        checkLabels(this.name, [], given);
        return this;
      }
    }
    return this.family.resolve(this.values(), given);
  }

  remove(labels: Readonly<Record<string, unknown>> = {}): number {
    const values = this.values();
    const wanted = this.family.combine(values, labels);
    return values === undefined ? 0 : this.family.remove(wanted);
  }

  clear(): void {
    this.remove();
  }

  /** @throws `METHEUS_MISSING_LABELS` */
  protected checkObservable(): void {
    if (this.offset < 0) throw this.unobservable();
  }

  /** Returns the error of a metric that misses labels. */
  protected unobservable(): UnobservableMetricError {
    return new UnobservableMetricError(this.name, this.family.missing(this.#given));
  }

  /** Returns the error for missing labels if there are any, else the one for an invalid argument. */
  protected refuse(
    code: 'METHEUS_INVALID_INCREMENT' | 'METHEUS_INVALID_VALUE',
    given: unknown,
    expected: string,
  ) {
    if (this.offset < 0) return this.unobservable();
    return new MetheusError(code, {
      given: `${show(given)} to ${this.descriptor.type} '${this.name}'`,
      expected,
    });
  }

  /**
   * Keeps an exemplar, and returns it. Called before the observation is counted, so that an observation with an invalid
   * exemplar is not counted.
   */
  protected keepExemplar(cell: number, value: number, given: unknown): Exemplar {
    const labels = exemplarLabels(this.name, given);
    const exemplar = { labels, value, timestamp: Date.now() / 1000 };
    activeBackend().of(this.descriptor).putExemplar?.(this.descriptor, this, cell, exemplar);
    return exemplar;
  }

  /** Whether all labels were named, so that the metric is one series. */
  protected get isComplete(): boolean {
    return this.#given === COMPLETE;
  }

  /** Returns the given label values; `undefined` after the series was removed. */
  protected values(): Values | undefined {
    return this.isComplete ? this.family.labelsOf(this) : this.#given;
  }
}

const isEmpty = (given: object) => Object.keys(given).length === 0;
