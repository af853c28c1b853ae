/** The choice of exemplars that a native histogram keeps: a limited number, spread over its values. */
import type { Exemplar } from '../../model/family.js';

/** A kept exemplar: its number, its place on a logarithmic scale, and its time. */
interface Kept {
  readonly number: number;
  readonly place: number;
  readonly timestamp: number;
}

/** Greater than the absolute logarithm of any number, so that negative, zero and positive places are apart. */
const OFFSET = 1024;

/** Returns the place of a value on a scale that is logarithmic for both signs. */
function placeOf(value: number): number {
  if (value === 0) return 0;
  return Math.sign(value) * (Math.log(Math.min(Math.abs(value), Number.MAX_VALUE)) + OFFSET);
}

export class KeptExemplars {
  readonly #max: number;
  readonly #maxAge: number;
  /** By place, ascending. */
  readonly #kept: Kept[] = [];

  /** @param maxAge - seconds after which an exemplar is replaced before all others */
  constructor(max: number, maxAge: number) {
    this.#max = max;
    this.#maxAge = maxAge;
  }

  /**
   * Returns the number of a new exemplar, from 0 to the maximum less one. If all numbers are in use, the new
   * exemplar replaces another one, by the rule of client_golang: the oldest exemplar if its age exceeds the maximum;
   * otherwise, the older of the two exemplars whose values are closest. The new exemplar takes part in this comparison.
   */
  add({ value, timestamp = 0 }: Exemplar): number {
    const kept = this.#kept;
    const place = placeOf(value);
    const replaced = kept.length < this.#max ? undefined : this.#replacedBy(place, timestamp);
    if (replaced !== undefined) kept.splice(kept.indexOf(replaced), 1);
    const number = replaced?.number ?? kept.length;
    kept.splice(indexIn(kept, place), 0, { number, place, timestamp });
    return number;
  }

  #replacedBy(place: number, timestamp: number): Kept {
    const kept = this.#kept;
    const oldest = kept.reduce((a, b) => (b.timestamp < a.timestamp ? b : a));
    if (timestamp - oldest.timestamp > this.#maxAge) return oldest;
    let closest = oldest;
    let least = Number.POSITIVE_INFINITY;
    for (const [i, one] of kept.entries()) {
      const before = kept[i - 1];
      if (before === undefined || one.place - before.place >= least) continue;
      least = one.place - before.place;
      closest = one.timestamp < before.timestamp ? one : before;
    }
    const at = indexIn(kept, place);
    for (const neighbour of [kept[at - 1], kept[at]]) {
      if (neighbour === undefined || Math.abs(place - neighbour.place) >= least) continue;
      least = Math.abs(place - neighbour.place);
      closest = neighbour;
    }
    return closest;
  }
}

/** Returns the index of the first exemplar whose place is not below this one. */
function indexIn(kept: readonly Kept[], place: number): number {
  const index = kept.findIndex((one) => one.place >= place);
  return index < 0 ? kept.length : index;
}
