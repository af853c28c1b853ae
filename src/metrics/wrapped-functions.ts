/**
 * Observing a call from outside: its result or error, now or later, is passed through unchanged. Each function that is
 * built on this works as a plain call and as a method decorator.
 *
 * Decorators: https://github.com/tc39/proposal-decorators (stage 3, as TypeScript 5 compiles them).
 */
import { MetheusError, show } from '../errors.js';

/** A method or function, before and after wrapping. */
export type Method<This, Args extends unknown[], R> = (this: This, ...args: Args) => R;

/** Calls `fn`, and calls `done` when it has ended. The end of a promise is its settlement. */
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
