/** What every metric is: a place in a page, and the labels that lead to it. */
import { activeBackend } from '../backends/active-backend.js';
import type { Backend } from '../backends/backend.js';
import { MetheusError, show, UnobservableMetricError } from '../errors.js';
import { exemplarLabels } from '../model/exemplar.js';
import type { FamilyDescriptor } from '../model/family.js';
import type { Values } from './label-tree.js';
import { COMPLETE, type MetricFamily } from './metric-family.js';

export type MetricConstructor = new (family: MetricFamily<Metric>, given: Values) => Metric;

const NO_PAGE = new Float64Array(0);

/**
 * A metric, partial or complete. An observation is an add at `page[offset]`, everywhere on a hot path written as
 * `-= -by`: V8 14 (Node 26) adds what has been integers so far by way of int64 and back, 5.4 ns for 2.0. It
 * subtracts them as they are, and the result is the same to the last bit.
 *
 * `offset` is -1 while labels are missing, so the one comparison that keeps an observation from going nowhere
 * is with a number that is needed anyway. Both change when another backend is loaded: never keep them.
 */
export abstract class Metric {
  page: Float64Array = NO_PAGE;
  offset = -1;
  protected readonly family: MetricFamily<Metric>;
  /** Given label values; {@link COMPLETE} where all were named. */
  readonly #given: Values;

  constructor(family: MetricFamily<Metric>, given: Values) {
    this.family = family;
    this.#given = given;
  }

  get descriptor(): FamilyDescriptor {
    return this.family.descriptor;
  }

  /** For the registry: see `MetricSource`. */
  get definition(): string {
    return this.family.settings.definition;
  }

  get name(): string {
    return this.descriptor.name;
  }

  get help(): string {
    return this.descriptor.help;
  }

  get backend(): Backend {
    return activeBackend().backend;
  }

  labels(given: Readonly<Record<string, unknown>>): Metric {
    const { family } = this;
    if (this === family.root && typeof given === 'object' && given !== null) {
      const found = family.tree.find(given);
      if (found !== undefined) return found;
    }
    return this.#labels(given);
  }

  /** What is not on the fast way: labels on top of others or left open, numbers, what is new or wrong. */
  #labels(given: Readonly<Record<string, unknown>>): Metric {
    if (typeof given === 'object' && given !== null) {
      if (this.#given !== COMPLETE) {
        const known = this.family.tree.findOnTop(this.#given, given);
        if (known !== undefined) return known;
      } else if (isEmpty(given)) return this;
    }
    return this.family.resolve(this.values(), given);
  }

  remove(labels: Readonly<Record<string, unknown>> = {}): number {
    const values = this.values();
    const wanted = this.family.combine(values, labels, 'remove()');
    return values === undefined ? 0 : this.family.remove(wanted);
  }

  clear(): void {
    if (this === this.family.root) this.family.clear();
    else this.remove();
  }

  /** Why nothing can be counted here. */
  protected unobservable(): UnobservableMetricError {
    return new UnobservableMetricError(this.name, this.family.missing(this.#given));
  }

  /** The error of a bad argument: missing labels are told first. */
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

  /** Keeps what leads to the cause of an observation, before it is counted: one that is refused counts nothing. */
  protected keepExemplar(cell: number, value: number, given: unknown): void {
    const labels = exemplarLabels(this.name, given);
    const exemplar = { labels, value, timestamp: Date.now() / 1000 };
    this.backend.putExemplar?.(this.descriptor, this, cell, exemplar);
  }

  /** Were all its labels named, so that it is one series? */
  protected get isComplete(): boolean {
    return this.#given === COMPLETE;
  }

  /** Undefined when the series was removed. */
  protected values(): Values | undefined {
    return this.isComplete ? this.family.labelsOf(this) : this.#given;
  }
}

const isEmpty = (given: object) => Object.keys(given).length === 0;
