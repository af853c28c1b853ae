/** Counters: numbers that only grow, such as requests served, bytes sent or errors seen. One cell. */
import type { Labels } from '../model/labels.js';
import { Metric } from './metric.js';
import {
  type CallDecorator,
  type CallWrapper,
  checkFunction,
  decoratorOr,
  watch,
  wrap,
} from './wrapped-functions.js';

/** Options of counters and histograms. */
export interface ExemplarOptions {
  /**
   * Returns the labels of an exemplar, or `undefined` for none. Called for each observation without an explicit
   * exemplar. `currentTrace()` of `metheus/opentelemetry` returns such a function.
   *
   * @defaultValue only exemplars that are given to an observation
   */
  readonly exemplars?: () => Labels | undefined;
}

/** A class of errors. Errors of its subclasses count too. */
export type ErrorClass = abstract new (...args: never[]) => unknown;

/** The operations of a counter whose labels are complete. */
export interface ObservableCounter {
  /**
   * Adds to the counter.
   *
   * @param exemplar - labels that lead to the cause of this increment, such as the id of a trace. The newest exemplar
   * is kept. Names and values have at most 128 code points together
   * @throws `METHEUS_INVALID_INCREMENT` unless `by` is a finite number that is not negative;
   * `METHEUS_INVALID_EXEMPLAR`, `METHEUS_INVALID_LABEL_VALUE`. Nothing is counted then
   */
  inc(by?: number, exemplar?: Labels): void;
  /**
   * Calls `fn` and counts 1 if it fails; with `errors`, only if the error is of one of these classes. A promise is
   * followed until it settles. The result or error is passed through. As a decorator, `@counter.countErrors` or
   * `@counter.countErrors([RangeError, TypeError])`, it counts the errors of every call of the method. A class that
   * does not extend `Error` must be in a list there.
   *
   * @throws `METHEUS_INVALID_CALLBACK`
   */
  readonly countErrors: CallDecorator & {
    (errors: ErrorClass | readonly ErrorClass[]): CallWrapper;
    <R>(fn: () => R, errors?: ErrorClass | readonly ErrorClass[]): R;
  };
  /** Returns the count of this thread. For tests. */
  get(): number;
}

export class CounterMetric extends Metric {
  inc(by = 1, exemplar?: Labels): void {
    if (!(by >= 0 && by < Number.POSITIVE_INFINITY) || typeof by !== 'number' || this.offset < 0) {
      throw this.refuse('METHEUS_INVALID_INCREMENT', by, 'a finite number that is not negative');
    }
    if (exemplar !== undefined) this.keepExemplar(0, by, exemplar);
    this.page[this.offset]! -= -by;
  }

  get countErrors() {
    const caller = 'countErrors()';
    return decoratorOr(
      caller,
      () => this.#counting(),
      (first, errors) => {
        if (Array.isArray(first) || isErrorClass(first)) {
          const counting = this.#counting(classesOf(first));
          return decoratorOr(
            caller,
            () => counting,
            (fn) => {
              checkFunction(fn, caller);
              return wrap(fn, counting);
            },
          );
        }
        checkFunction(first, caller);
        return this.#counting(errors === undefined ? undefined : classesOf(errors))(first);
      },
    );
  }

  get(): number {
    if (this.offset < 0) throw this.unobservable();
    return this.page[this.offset]!;
  }

  /** Returns a function that makes a call and counts its error; with `classes`, only an error of these classes. */
  #counting(classes?: readonly ErrorClass[]) {
    this.checkObservable();
    return <R>(call: () => R): R =>
      watch(call, (failed, error) => {
        if (failed && (classes?.some((Class) => error instanceof Class) ?? true)) this.inc();
      });
  }
}

const isErrorClass = (given: unknown): boolean =>
  typeof given === 'function' && (given === Error || given.prototype instanceof Error);

/** @throws `METHEUS_INVALID_CALLBACK` */
function classesOf(errors: unknown): readonly ErrorClass[] {
  const classes: unknown[] = Array.isArray(errors) ? errors : [errors];
  if (classes.length === 0) checkFunction(undefined, 'countErrors()', 'at least one class of errors');
  for (const Class of classes) checkFunction(Class, 'countErrors()', 'a class of errors');
  return classes as ErrorClass[];
}

/** A counter with the option `exemplars`. */
export class TracedCounterMetric extends CounterMetric {
  override inc(by = 1, exemplar = this.family.settings.exemplars?.()): void {
    super.inc(by, exemplar);
  }
}
