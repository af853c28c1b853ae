/**
 * Watching a function from outside: what it returns or throws, now or later, passes through unchanged.
 * Each of these works as a plain call and as a decorator of a method.
 *
 * Decorators: https://github.com/tc39/proposal-decorators (stage 3, as TypeScript 5 compiles them).
 */
import { MetheusError, show } from '../errors.js';

/** A method, or any function, before and after it was wrapped. */
export type Method<This, Args extends unknown[], R> = (this: This, ...args: Args) => R;

/** Calls `fn` and then `done`, which is told the error if there was one. A promise is followed to its end. */
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

/** The function that does what `method` does, each call watched by `around`. */
export function wrap<This, Args extends unknown[], R>(
  method: Method<This, Args, R>,
  around: (call: () => R) => R,
): Method<This, Args, R> {
  return function (this: This, ...args: Args): R {
    return around(() => method.apply(this, args));
  };
}

/** Whether a second argument shows that a function was applied as a decorator of a method. */
export function isMethodContext(context: unknown): context is ClassMethodDecoratorContext {
  return (context as ClassMethodDecoratorContext | undefined)?.kind === 'method';
}

/** @throws `METHEUS_INVALID_CALLBACK` */
export function checkFunction(
  fn: unknown,
  what: string,
  expected = 'a function',
): asserts fn is () => unknown {
  if (typeof fn === 'function') return;
  throw new MetheusError('METHEUS_INVALID_CALLBACK', { given: `${show(fn)} to ${what}`, expected });
}

function isPromiseLike(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as PromiseLike<unknown> | undefined)?.then === 'function';
}
