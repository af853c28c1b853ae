/** The places of removed records in a file. New records of the same length reuse them. */
import { findOrCreate } from '../../system/find-or-create.js';
import type { Chunk } from './own-table.js';

/**
 * Time for which the record of a removed series stays unused, so that a reader that is copying the file never sees the
 * numbers of the next series under the labels of the previous one.
 */
const EMPTY_MS = 1000;

/** The place of a record: its chunk, and its offset there. */
export interface RecordLocation {
  readonly chunk: Chunk;
  readonly at: number;
}

/** A place, and the time of its removal by the monotonic clock. */
interface Vacancy extends RecordLocation {
  readonly since: number;
}

export class Vacancies {
  readonly #emptyFor: number;
  /** Vacant places by record length, in the order of removal. */
  readonly #byLength = new Map<number, Vacancy[]>();

  /** @param emptyFor - time for which a place stays unused, in milliseconds */
  constructor(emptyFor = EMPTY_MS) {
    this.#emptyFor = emptyFor;
  }

  add(length: number, place: RecordLocation): void {
    const vacancies = findOrCreate(this.#byLength, length, () => []);
    vacancies.push({ ...place, since: performance.now() });
  }

  /** Removes and returns a place of this length; returns undefined if none has been vacant for long enough. */
  take(length: number): RecordLocation | undefined {
    const vacancies = this.#byLength.get(length);
    const first = vacancies?.[0];
    if (first === undefined || performance.now() - first.since < this.#emptyFor) return undefined;
    return vacancies!.shift();
  }
}
