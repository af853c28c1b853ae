/**
 * Exemplars of worker threads. They are objects, not numbers, and stay where they were seen; so they are asked for by
 * each scrape, and a worker answers with those that it has kept since it was asked last. Counting them costs no more
 * than without: nothing of this is even loaded before somebody asks.
 */
import { BroadcastChannel, receiveMessageOnPort, threadId } from 'node:worker_threads';
import type { SeriesExemplars } from '../../model/collector.js';
import { keepNewest } from '../../model/exemplar.js';
import { type Exemplar, type FamilyDescriptor, familyKey } from '../../model/family.js';
import type { CellOwner } from '../cell-owner.js';

/** Of its own, and not the one for all else, so that workers do not hear each other's answers. */
const CHANNEL = 'metheus.exemplars.v1';
/** How long a scrape waits. A worker that is busy for longer is not asked again: its answer is for the next one. */
const PATIENCE_MS = 25;
/** How many series are told of at once, so that to read them does not take the event loop for long. */
const SERIES_AT_ONCE = 500;

interface Answer {
  readonly thread: number;
  readonly series: readonly (readonly [family: string, SeriesExemplars])[];
  readonly isLast: boolean;
}

/** The main thread's side. What was answered once is kept, also when its thread is gone. */
export class ExemplarCollection {
  readonly #channel = new BroadcastChannel(CHANNEL);
  readonly #ask: () => void;
  /** By the key of the family, and by labels. */
  readonly #kept = new Map<string, Map<string, SeriesExemplars>>();
  readonly #waiting = new Set<number>();
  #asking: Promise<void> | undefined;
  #wake = (): void => {};

  /** @param ask - asks all threads */
  constructor(ask: () => void) {
    this.#ask = ask;
    this.#channel.onmessage = (event) => this.#take((event as { data: Answer }).data);
    this.#channel.unref();
  }

  /** Resolves when these threads have answered, or after a while. Never rejects. */
  ask(threads: Iterable<number>): Promise<void> {
    this.#asking ??= this.#wait(threads).finally(() => {
      this.#asking = undefined;
    });
    return this.#asking;
  }

  of(family: FamilyDescriptor): readonly SeriesExemplars[] {
    return [...(this.#kept.get(familyKey(family))?.values() ?? [])];
  }

  /** Of a series that is there no more. */
  forget(family: FamilyDescriptor, labels: readonly string[]): void {
    const key = familyKey(family);
    const series = this.#kept.get(key);
    series?.delete(JSON.stringify(labels));
    if (series?.size === 0) this.#kept.delete(key);
  }

  async #wait(threads: Iterable<number>): Promise<void> {
    for (const thread of threads) this.#waiting.add(thread);
    this.#ask();
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, PATIENCE_MS);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#waiting.clear();
    // Answers that have come while the event loop was busy, so that it has not seen them.
    for (let next = receiveMessageOnPort(this.#channel as never); next; ) {
      this.#take(next.message as Answer);
      next = receiveMessageOnPort(this.#channel as never);
    }
  }

  #take({ thread, series, isLast }: Answer): void {
    for (const [family, { labels, exemplars }] of series) {
      const known = this.#kept.get(family) ?? new Map<string, SeriesExemplars>();
      this.#kept.set(family, known);
      const key = JSON.stringify(labels);
      const merged = [...(known.get(key)?.exemplars ?? [])];
      keepNewest(merged, exemplars);
      known.set(key, { labels, exemplars: merged });
    }
    if (isLast) this.left(thread);
  }

  /** It answers no more. */
  left(thread: number): void {
    if (this.#waiting.delete(thread) && this.#waiting.size === 0) this.#wake();
  }
}

let answers: ExemplarAnswers | undefined;

/** A worker's side: tells of what its owners have kept since the last time. */
export function answerExemplars(owners: Iterable<WeakRef<CellOwner>>): void {
  answers ??= new ExemplarAnswers(owners);
  answers.answer();
}

class ExemplarAnswers {
  readonly #channel = new BroadcastChannel(CHANNEL);
  readonly #owners: Iterable<WeakRef<CellOwner>>;
  /** Unix seconds. */
  #answered = 0;

  constructor(owners: Iterable<WeakRef<CellOwner>>) {
    this.#owners = owners;
    this.#channel.unref();
    process.once('exit', () => this.answer());
  }

  answer(): void {
    const since = this.#answered;
    this.#answered = Date.now() / 1000;
    let series: [string, SeriesExemplars][] = [];
    for (const reference of this.#owners) {
      const owner = reference.deref();
      if (owner?.descriptor === undefined) continue;
      const family = familyKey(owner.descriptor);
      for (const one of owner.exemplars?.() ?? []) {
        if (one === undefined) continue;
        const isNew = (exemplar: Exemplar | undefined) => (exemplar?.timestamp ?? -1) >= since;
        const exemplars = one.exemplars.map((exemplar) => (isNew(exemplar) ? exemplar : undefined));
        if (!exemplars.some(isNew)) continue;
        if (series.push([family, { labels: one.labels, exemplars }]) < SERIES_AT_ONCE) continue;
        this.#post(series, false);
        series = [];
      }
    }
    this.#post(series, true);
  }

  #post(series: Answer['series'], isLast: boolean): void {
    this.#channel.postMessage({ thread: threadId, series, isLast } satisfies Answer);
  }
}
