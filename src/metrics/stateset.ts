/** Which of some states are true: of a service that starts, runs and stops, for instance. A series for each. */
import { MetheusError, show } from '../errors.js';
import { TOUCHED } from '../model/metric-types.js';
import { coarseNow } from '../system/clock.js';
import type { Created, Given, LabelOptions } from './labelled.js';
import { Metric } from './metric.js';

/** What a stateset does once its labels are complete. */
export interface ObservableStateSet<State extends string> {
  /**
   * Makes this state true and all others false.
   *
   * @throws `METHEUS_UNKNOWN_STATE`
   */
  set(state: State): void;
  /** Makes this state true and leaves the others alone. @throws `METHEUS_UNKNOWN_STATE` */
  enable(state: State): void;
  /** Makes this state false and leaves the others alone. @throws `METHEUS_UNKNOWN_STATE` */
  disable(state: State): void;
  /** The states in this thread: for tests. */
  get(): Readonly<Record<State, boolean>>;
}

/** What a stateset is created with: no unit, since it has none, and no limit, which would cut a set in pieces. */
export type StateSetOptions<
  States extends readonly string[],
  Names extends readonly string[],
  Defaults,
> = LabelOptions<Names, Defaults> & {
  /** All states there are, in the order of their series. */
  readonly states: States;
};

/** Creates a stateset. @throws what `Create` throws */
export type CreateStateSet = <
  const States extends readonly string[],
  const Names extends readonly string[] = readonly [],
  // biome-ignore lint/complexity/noBannedTypes: the type of no defaults at all
  const Defaults extends Given<Names[number]> = {},
>(
  name: string,
  help: string,
  options: StateSetOptions<States, Names, Defaults>,
) => Created<ObservableStateSet<States[number]>, Names, Defaults>;

/** A class whose `new` is {@link CreateStateSet}. */
export interface StateSetClass {
  new <
    const States extends readonly string[],
    const Names extends readonly string[] = readonly [],
    // biome-ignore lint/complexity/noBannedTypes: the type of no defaults at all
    const Defaults extends Given<Names[number]> = {},
  >(
    name: string,
    help: string,
    options: StateSetOptions<States, Names, Defaults>,
  ): Created<ObservableStateSet<States[number]>, Names, Defaults>;
}

/** The state is the last label, of the family's name; that label is of no concern to users. */
export class StateSetMetric extends Metric {
  set(state: string): void {
    for (const [name, metric] of this.#states(state)) put(metric, name === state);
  }

  enable(state: string): void {
    this.#turn(state, true);
  }

  disable(state: string): void {
    this.#turn(state, false);
  }

  get(): Record<string, boolean> {
    return Object.fromEntries(this.#states().map(([name, { page, offset }]) => [name, page[offset] === 1]));
  }

  #turn(state: string, isTrue: boolean): void {
    for (const [name, metric] of this.#states(state)) {
      if (name === state) put(metric, isTrue);
      // The others are false from now on, until any writer says more than that.
      else metric.page[metric.offset + TOUCHED] ||= 1;
    }
  }

  /** The series of all states, of which the one that is wanted, if any, must be one. */
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
