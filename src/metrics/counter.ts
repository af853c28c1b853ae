/** Counters: numbers that only grow, such as requests served, bytes sent or errors seen. One cell. */
import type { Labels } from '../model/labels.js';
import { Metric } from './metric.js';
import { checkFunction, isMethodContext, type Method, watch, wrap } from './wrapped-functions.js';

/** Options of counters and histograms. */
export interface ExemplarOptions {
  /**
   * Called for each observation without an exemplar. Returns the labels of one, or `undefined`. `currentTrace()` of
   * `metheus/opentelemetry` returns such a function.
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
   * Calls `fn` and counts 1 if it fails; with `ErrorClass`, only if the error is of that class. A promise is followed
   * until it settles. The result or error is passed through. As a decorator, `@counter.countErrors`, it counts the
   * errors of every call of the method.
   *
   * @throws `METHEUS_INVALID_CALLBACK`
   */
  countErrors<This, Args extends unknown[], R>(
    method: Method<This, Args, R>,
    context: ClassMethodDecoratorContext,
  ): Method<This, Args, R>;
  countErrors<R>(fn: () => R, ErrorClass?: ErrorClass): R;
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

  countErrors<R>(fn: () => R, classOrContext?: ErrorClass | ClassMethodDecoratorContext): R | (() => R) {
    checkFunction(fn, 'countErrors()');
    if (this.offset < 0) throw this.unobservable();
    if (isMethodContext(classOrContext)) return wrap(fn, (call) => this.#count(call));
    if (classOrContext !== undefined) checkFunction(classOrContext, 'countErrors()', 'a class of errors');
    return this.#count(fn, classOrContext as ErrorClass | undefined);
  }

  get(): number {
    if (this.offset < 0) throw this.unobservable();
    return this.page[this.offset]!;
  }

  #count<R>(fn: () => R, ErrorClass?: ErrorClass): R {
    return watch(fn, (failed, error) => {
      if (failed && (ErrorClass === undefined || error instanceof ErrorClass)) this.inc();
    });
  }
}

/** A counter with the option `exemplars`. */
export class TracedCounterMetric extends CounterMetric {
  override inc(by = 1, exemplar = this.family.settings.exemplars?.()): void {
    super.inc(by, exemplar);
  }
}
