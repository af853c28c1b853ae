/**
 * Uses of bars over promises and streams that must compile, and uses that must not, below `@ts-expect-error`. The tests
 * compile this file and never run it.
 */
import { createReadStream } from 'node:fs';
import type { Transform } from 'node:stream';
import type { TransformStream } from 'node:stream/web';
import { type AsyncIterableBar, type Bar, type IterableBar, TqdmPromProxy, tqdm } from 'metheus/progress';

/** Fails to compile unless both types are the same. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
declare function same<A, B>(yes: Same<A, B>): void;

declare const text: Promise<string>;
declare const numbers: Promise<number>[];
declare const mixed: readonly [Promise<string>, number, PromiseLike<boolean>];

export async function all(): Promise<void> {
  const tuple = await tqdm.all([text, 1, Promise.resolve(true)]);
  same<typeof tuple, [string, number, boolean]>(true);
  const constant = await tqdm.all(mixed, { desc: 'Mixed' });
  same<typeof constant, [string, number, boolean]>(true);
  const array = await tqdm.all(numbers);
  same<typeof array, number[]>(true);
  const set = await tqdm.all(new Set(numbers));
  same<typeof set, number[]>(true);
  // The same type as that of Promise.all.
  same<typeof tuple, Awaited<ReturnType<typeof plain>>>(true);
  const plain = () => Promise.all([text, 1, Promise.resolve(true)]);
  // @ts-expect-error: a single promise
  tqdm.all(text);
  // @ts-expect-error
  tqdm.all(numbers, { description: 'All' });
  // @ts-expect-error: promises have begun already, so that no concurrency can be limited
  tqdm.all(numbers, { concurrency: 2 });
}

export async function allSettled(): Promise<void> {
  const tuple = await tqdm.allSettled([text, 1]);
  same<typeof tuple, [PromiseSettledResult<string>, PromiseSettledResult<number>]>(true);
  const array = await tqdm.allSettled(numbers);
  same<typeof array, PromiseSettledResult<number>[]>(true);
  const [first] = tuple;
  // @ts-expect-error: the promise may have been rejected
  void first.value;
  if (first.status === 'fulfilled') first.value.toUpperCase();
}

export async function asCompleted(): Promise<void> {
  for await (const n of tqdm.asCompleted(numbers)) same<typeof n, number>(true);
  for await (const either of tqdm.asCompleted([text, 1])) same<typeof either, string | number>(true);
  const bar: Bar = tqdm.asCompleted(numbers);
  bar.setPostfix({ a: 1 });
  // @ts-expect-error: only asynchronously iterable
  for (const _ of tqdm.asCompleted(numbers));
}

export async function map(): Promise<void> {
  const lengths = await tqdm.map(['a', 'b'], (word, index) => word.length + index, { concurrency: 2 });
  same<typeof lengths, number[]>(true);
  const later = await tqdm.map(createReadStream('x'), async (chunk) => String(chunk));
  same<typeof later, string[]>(true);
  const awaited = await tqdm.map(numbers, (n) => n.toFixed(1), {
    signal: AbortSignal.timeout(1),
    desc: 'Map',
  });
  same<typeof awaited, string[]>(true);
  const entries = await tqdm.map(new Map([['a', 1]]), ([key, value]) => key.repeat(value));
  same<typeof entries, string[]>(true);
  // @ts-expect-error: the function is missing
  tqdm.map(['a']);
  // @ts-expect-error: the items are strings
  tqdm.map(['a'], (n: number) => n);
  const counted = await tqdm.map(3, (n) => n.toFixed(1));
  same<typeof counted, string[]>(true);
  const iterated = await tqdm.map(['a'].values(), (word) => word.length);
  same<typeof iterated, number[]>(true);
  // @ts-expect-error
  tqdm.map({}, () => {});
  // @ts-expect-error
  tqdm.map(['a'], () => {}, { concurrency: '2' });
  // @ts-expect-error
  tqdm.map(['a'], () => {}, { parallel: 2 });
  // @ts-expect-error: the results are strings
  const wrong: number[] = await tqdm.map(['a'], (word) => word);
  void wrong;
}

export function streams(bar: Bar, response: Response): void {
  same<ReturnType<typeof bar.stream>, Transform>(true);
  const bytes = bar.webStream();
  same<typeof bytes, TransformStream<Uint8Array, Uint8Array>>(true);
  const objects = bar.webStream<{ id: number }>({ objectMode: true });
  same<typeof objects, TransformStream<{ id: number }, { id: number }>>(true);
  // @ts-expect-error
  bar.stream({ objects: true });
  // @ts-expect-error: an option of Node streams only
  bar.webStream({ highWaterMark: 1 });
  const counted: Response = tqdm.response(response, { desc: 'Body' });
  void counted;
  // @ts-expect-error: the body without the response, which has the length
  tqdm.response(response.body);
}

export function iterators(one: Iterator<string>, other: AsyncIterator<string>): void {
  const sync: IterableBar<string> = tqdm(one);
  const async: AsyncIterableBar<string> = tqdm(other);
  void [sync, async];
  // @ts-expect-error
  for (const _ of tqdm(other));
}

// biome-ignore lint/suspicious/noExplicitAny: this is what untyped packages give to users
export function sources<T>(any: any, generic: Iterable<T>, numbers: readonly number[]): void {
  for (const item of tqdm(any)) item.anything();
  for (const item of tqdm(generic)) same<typeof item, T>(true);
  for (const n of tqdm(numbers, { total: 1 })) same<typeof n, number>(true);
  for (const [key, value] of tqdm(new Map([['a', 1]])))
    same<[typeof key, typeof value], [string, number]>(true);
  for (const text of tqdm('abc')) same<typeof text, string>(true);
  same<ReturnType<typeof nothing>, Bar>(true);
  const nothing = () => tqdm();
  const bar: Bar = tqdm({});
  void bar;
  // @ts-expect-error
  tqdm({ total: 100, unitscale: true });
  // @ts-expect-error
  tqdm(numbers, { unitscale: true });
}

export function byHand(): void {
  const bar = tqdm({ total: 100, desc: 'By hand' });
  same<typeof bar, Bar>(true);
  const published: Bar = new TqdmPromProxy().tqdm({ total: 100, desc: 'Published' });
  void published;
  // @ts-expect-error
  for (const _ of bar);
  // @ts-expect-error
  tqdm({ totl: 100 });
  // @ts-expect-error
  tqdm({ total: '100' });
  // @ts-expect-error: options twice
  tqdm({ total: 100 }, { desc: 'By hand' });
  // @ts-expect-error: a promise has no options
  tqdm(text);
  // @ts-expect-error
  tqdm(new Date());
}

export function added(): void {
  const proxy = new TqdmPromProxy({ names: 'python', properties: ['completed', 'failed'] });
  const bar: IterableBar<number> = proxy.add(tqdm(5));
  void bar;
  // @ts-expect-error: not a bar
  proxy.add([1, 2]);
  // @ts-expect-error
  void new TqdmPromProxy({ properties: ['done'] });
  // @ts-expect-error
  void new TqdmPromProxy({ names: 'ruby' });
}

export async function published(): Promise<void> {
  const proxy = new TqdmPromProxy();
  const tuple = await proxy.tqdm.all([text, 1]);
  same<typeof tuple, [string, number]>(true);
  const lengths = await proxy.tqdm.map(['a'], (word) => word.length);
  same<typeof lengths, number[]>(true);
}
