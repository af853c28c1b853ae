/**
 * Observes how calls end, and passes their results and errors through. A call that returns a promise ends when the
 * promise settles. Each method that is built on this can be called with a function, or be used as a method decorator.
 *
 * Decorators: https://github.com/tc39/proposal-decorators (stage 3, as TypeScript 5 compiles them).
 */
import { MetheusError, show } from '../errors.js';

/** A method or function, before and after wrapping. */
export type Method<This, Args extends unknown[], R> = (this: This, ...args: Args) => R;

/** Calls `fn`, and calls `done` when it has returned or thrown or, if it returns a promise, when that has settled. */
export function watch<R>(fn: () => R, done: (failed: boolean, error?: unknown) => void): R {
  let result: R;
  try {
    result = fn();
  } catch (error) {
    done(true, error);
    throw error;
  }
  if (!isPromiseLike(result)) {
    done(false);
    return result;
  }
  return result.then(
    (value) => {
      done(false);
      return value;
    },
    (error: unknown) => {
      done(true, error);
      throw error;
    },
  ) as R;
}

/** Returns a function that passes each call of `method` through `around`. */
export function wrap<This, Args extends unknown[], R>(
  method: Method<This, Args, R>,
  around: (call: () => R) => R,
): Method<This, Args, R> {
  return function (this: This, ...args: Args): R {
    return around(() => method.apply(this, args));
  };
}

/** Reports whether a second argument is the context that a method decorator receives. */
export function isMethodContext(context: unknown): context is ClassMethodDecoratorContext {
  return (context as ClassMethodDecoratorContext | undefined)?.kind === 'method';
}

/** @throws `METHEUS_INVALID_CALLBACK` */
export function checkFunction(
  fn: unknown,
  caller: string,
  expected = 'a function',
): asserts fn is () => unknown {
  if (typeof fn === 'function') return;
  throw new MetheusError('METHEUS_INVALID_CALLBACK', { given: `${show(fn)} to ${caller}`, expected });
}

function isPromiseLike(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as PromiseLike<unknown> | undefined)?.then === 'function';
}
