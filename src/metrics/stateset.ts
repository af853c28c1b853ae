/**
 * Statesets: which of several states are true, such as those of a service that starts, runs and stops. Each is a
 * series.
 */
import { MetheusError, show } from '../errors.js';
import { TOUCHED } from '../model/metric-types.js';
import { coarseNow } from '../system/clock.js';
import type { LabelOptions } from './labelled.js';
import { Metric } from './metric.js';

/** The operations of a stateset whose labels are complete. */
export interface ObservableStateSet<State extends string> {
  /**
   * Makes this state true and all others false.
   *
   * @throws `METHEUS_UNKNOWN_STATE`
   */
  set(state: State): void;
  /** Makes this state true and leaves the others as they are. @throws `METHEUS_UNKNOWN_STATE` */
  enable(state: State): void;
  /** Makes this state false and leaves the others as they are. @throws `METHEUS_UNKNOWN_STATE` */
  disable(state: State): void;
  /** Returns the states in this thread. For tests. */
  get(): Readonly<Record<State, boolean>>;
}

/** Options of statesets. There is no unit, and no limit of series, which could leave out some states of a set. */
export type StateSetOptions<State extends string, Name extends string, Defaults> = LabelOptions<
  Name,
  Defaults
> & {
  /** All states, in the order of their series. */
  readonly states: readonly State[];
};

/** The state is the value of a hidden last label, which has the name of the family. */
export class StateSetMetric extends Metric {
  set(state: string): void {
    for (const [name, metric] of this.#states(state)) put(metric, name === state);
  }

  enable(state: string): void {
    this.#putOne(state, true);
  }

  disable(state: string): void {
    this.#putOne(state, false);
  }

  get(): Record<string, boolean> {
    return Object.fromEntries(this.#states().map(([name, { page, offset }]) => [name, page[offset] === 1]));
  }

  #putOne(state: string, isTrue: boolean): void {
    for (const [name, metric] of this.#states(state)) {
      if (name === state) put(metric, isTrue);
      // Marks the other states as touched, so that they are exposed too: as false, unless they were set.
      else metric.page[metric.offset + TOUCHED] ||= 1;
    }
  }

  /**
   * Returns the series of all states.
   *
   * @param wanted - the state to be set, if any
   * @throws `METHEUS_UNKNOWN_STATE`, `METHEUS_MISSING_LABELS`
   */
  #states(...wanted: unknown[]): [state: string, metric: Metric][] {
    const states = this.family.settings.states!;
    const all = states.map((state): [string, StateSetMetric] => {
      const metric = this.labels({ [this.name]: state }) as StateSetMetric;
      if (metric.offset < 0) throw metric.unobservable();
      return [state, metric];
    });
    if (wanted.every((state) => states.includes(state as string))) return all;
    throw new MetheusError('METHEUS_UNKNOWN_STATE', {
      given: `${show(wanted[0])} to stateset '${this.name}'`,
      expected: `one of ${states.map((state) => show(state)).join(', ')}`,
    });
  }
}

function put({ page, offset }: Metric, isTrue: boolean): void {
  page[offset] = isTrue ? 1 : 0;
  page[offset + TOUCHED] = coarseNow();
}
