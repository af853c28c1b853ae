/** Promises that somebody has taken over. */

/**
 * Says that a rejection of these promises is not unheard of, although nobody waits for it yet, or ever: whoever took
 * them tells the first one, as `Promise.all` does. Else Node would end the process.
 */
export function heard<T extends Iterable<unknown>>(promises: T): T {
  for (const promise of promises) if (promise instanceof Promise) promise.catch(() => {});
  return promises;
}
