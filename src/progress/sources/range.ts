import { MetheusError, show } from '../../errors.js';

/** The numbers from `start` up to, or down to, `stop`, which is not one of them. */
export class Range implements Iterable<number> {
  readonly start: number;
  readonly step: number;
  readonly length: number;

  /** @throws MetheusError `METHEUS_NOT_ITERABLE` for anything but integers, or a step of 0 */
  constructor(start: number, stop: number, step: number) {
    if (![start, stop, step].every(Number.isSafeInteger) || step === 0) {
      throw new MetheusError('METHEUS_NOT_ITERABLE', {
        given: `the range from ${show(start)} to ${show(stop)} by ${show(step)}`,
        expected: 'integers, and a step other than 0',
      });
    }
    this.start = start;
    this.step = step;
    this.length = Math.max(Math.ceil((stop - start) / step), 0);
  }

  *[Symbol.iterator](): IterableIterator<number> {
    for (let i = 0; i < this.length; i += 1) yield this.start + i * this.step;
  }
}
