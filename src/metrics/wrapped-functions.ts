/**
 * Observes how calls end, and passes their results and errors through. A call that returns a promise ends when the
 * promise settles. Each method that is built on this can be called with a function, or be used as a method decorator.
 *
 * Decorators: https://github.com/tc39/proposal-decorators (stage 3, as TypeScript 5 compiles them), and those of
 * TypeScript's option `experimentalDecorators`.
 */
import { MetheusError, show } from '../errors.js';

/** A method or function, before and after wrapping. */
export type Method<This, Args extends unknown[], R> = (this: This, ...args: Args) => R;

/** A method decorator, standard or of `experimentalDecorators`. */
export interface CallDecorator {
  <This, Args extends unknown[], R>(
    method: Method<This, Args, R>,
    context: ClassMethodDecoratorContext,
  ): Method<This, Args, R>;
  <M extends (...args: never[]) => unknown>(
    target: object,
    name: string | symbol,
    descriptor: TypedPropertyDescriptor<M>,
  ): TypedPropertyDescriptor<M>;
}

/** A method decorator that also wraps functions. */
export interface CallWrapper extends CallDecorator {
  <This, Args extends unknown[], R>(method: Method<This, Args, R>): Method<This, Args, R>;
}

/** A function that makes a call, and observes its start and its end. */
type Around = <R>(call: () => R) => R;

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

/**
 * Returns a function that passes each call of `method` through `around`. It inherits from `method`, so that it has its
 * properties and the metadata of other decorators, such as those of NestJS.
 */
export function wrap<This, Args extends unknown[], R>(
  method: Method<This, Args, R>,
  around: Around,
): Method<This, Args, R> {
  const wrapped = function (this: This, ...args: Args): R {
    return around(() => method.apply(this, args));
  };
  const { name, length } = method;
  Object.defineProperties(wrapped, {
    name: { value: name, configurable: true },
    length: { value: length, configurable: true },
  });
  return Object.setPrototypeOf(wrapped, method);
}

/**
 * Returns a function that decorates methods, and passes all other calls to `call`. It needs no `this`, since
 * `experimentalDecorators` calls decorators without it.
 *
 * @param caller - its name, for errors
 * @param observing - returns the function that makes each call of a decorated method
 */
export function decoratorOr(
  caller: string,
  observing: () => Around,
  call: (...args: unknown[]) => unknown,
): (...args: unknown[]) => unknown {
  return (...args) => {
    const [first, second, third] = args;
    if ((second as ClassMethodDecoratorContext | undefined)?.kind === 'method') {
      checkFunction(first, caller);
      return wrap(first, observing());
    }
    const isName = typeof second === 'string' || typeof second === 'symbol';
    if (!isName || typeof third !== 'object' || third === null) return call(...args);
    const descriptor: PropertyDescriptor = third;
    checkFunction(descriptor.value, caller, 'a method');
    return { ...descriptor, value: wrap(descriptor.value, observing()) };
  };
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
