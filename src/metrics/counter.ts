/** A number that only grows: requests served, bytes sent, errors seen. One cell. */
import type { Labels } from '../model/labels.js';
import { Metric } from './metric.js';
import { checkFunction, isMethodContext, type Method, watch, wrap } from './passing-through.js';

/** A class of errors to count: an error is one of it, or of a subclass. */
export type ErrorClass = abstract new (...args: never[]) => unknown;

/** What a counter does once its labels are complete. */
export interface ObservableCounter {
  /**
   * Adds to the counter.
   *
   * @param exemplar - labels that lead to the cause of this increment, a trace's id for instance: the newest is
   * kept. With their names at most 128 code points
   * @throws `METHEUS_INVALID_INCREMENT` unless `by` is a finite number that is not negative;
   * `METHEUS_INVALID_EXEMPLAR`, `METHEUS_INVALID_LABEL_VALUE`. Nothing is counted then
   */
  inc(by?: number, exemplar?: Labels): void;
  /**
   * Calls `fn` and counts 1 when it fails, with an error of this class if one is given. A promise is followed
   * to its end. The result or error passes through. As a decorator, `@counter.countErrors`, it counts the
   * errors of every call of the method.
   *
   * @throws `METHEUS_INVALID_CALLBACK`
   */
  countErrors<This, Args extends unknown[], R>(
    method: Method<This, Args, R>,
    context: ClassMethodDecoratorContext,
  ): Method<This, Args, R>;
  countErrors<R>(fn: () => R, ErrorClass?: ErrorClass): R;
  /** What this thread has counted: for tests. */
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

/** A counter that takes an exemplar from where its option `exemplars` says. */
export class TracedCounterMetric extends CounterMetric {
  override inc(by = 1, exemplar = this.family.settings.exemplars?.()): void {
    super.inc(by, exemplar);
  }
}
