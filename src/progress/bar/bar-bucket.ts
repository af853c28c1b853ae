/** The bucket that a bar is counted in, chosen when the bar starts and when it changes. */

import type { BarState } from './bar-state.js';
import type { BarSnapshot } from './environment.js';
import { averageRate, type BarSettings } from './frame.js';
import {
  type BarRecord,
  ETA,
  EXPECTED,
  type OpenRecord,
  RATE,
  RECORD_CELLS,
  SAMPLED,
  STARTED,
  STEP,
  TOTAL,
  UPDATED,
} from './record.js';
import type { BarHost } from './renderer.js';

/** The numbers of a bar. The rate may still be unknown. */
export type BarNumbers = Pick<BarSnapshot, 'n' | 'total' | 'elapsed' | 'rate' | 'miniters'>;

/** Returns the state of a bar as plain data. */
export function snapshotOf(
  { id, row }: BarHost,
  { n, total, elapsed, rate, miniters }: BarNumbers,
  { desc, unit, unitScale, unitDivisor, postfix, initial, mininterval, maxinterval }: BarSettings,
): BarSnapshot {
  return {
    id,
    desc: desc.replace(/: $/, ''),
    n,
    total,
    initial,
    elapsed,
    rate: rate ?? averageRate(n - initial, elapsed),
    unit,
    unitScale,
    unitDivisor,
    postfix,
    position: Math.abs(row),
    mininterval,
    maxinterval,
    miniters,
  };
}

export class BarBucket {
  readonly #open: OpenRecord;
  readonly #bucketOf: (bar: BarSnapshot) => string;
  /** The published unit, which is the unit of the bar at its start. */
  readonly #unit: string;
  #name: string;
  /** State of the bar when its bucket was last chosen. */
  #bar: BarSnapshot;

  constructor(open: OpenRecord, bucketOf: (bar: BarSnapshot) => string, bar: BarSnapshot) {
    this.#open = open;
    this.#bucketOf = bucketOf;
    this.#unit = bar.unit;
    this.#name = bucketOf(bar);
    this.#bar = bar;
  }

  openRecord(): BarRecord {
    return this.#open(this.#name, this.#unit);
  }

  /** Returns a record of the bar's new bucket if changes of the bar have led to another one; otherwise undefined. */
  next(bar: BarSnapshot): BarRecord | undefined {
    const { desc, postfix, total } = this.#bar;
    if (bar.desc === desc && bar.postfix === postfix && bar.total === total) return undefined;
    this.#bar = bar;
    const name = this.#bucketOf(bar);
    if (name === this.#name) return undefined;
    this.#name = name;
    return this.openRecord();
  }
}

/** The cells that describe the open bar, except `BASE`. The others add up over all bars of a record. */
const OF_OPEN_BAR = [TOTAL, RATE, STEP, ETA, SAMPLED, UPDATED];

function copyOpenBar(from: BarRecord, to: BarRecord): void {
  for (const cell of OF_OPEN_BAR) to.page[to.offset + cell] = from.page[from.offset + cell]!;
}

/**
 * Makes an open bar count in another record from now on. Units done so far stay in the old record, with an equal part
 * of the total, so that the old bucket expects no more units of the bar. Counters of both records only grow.
 */
export function moveBar(state: BarState, to: BarRecord): void {
  const { record: from, total, currentN } = state;
  const rest = Math.max((total ?? 0) - Math.max(currentN, 0), 0);
  for (const [cell, amount] of [
    [STARTED, 1],
    [EXPECTED, rest],
  ] as const) {
    from.page[from.offset + cell]! -= amount;
    to.page[to.offset + cell]! += amount;
  }
  copyOpenBar(from, to);
  from.page[from.offset + RATE] = 0;
  from.page[from.offset + ETA] = 0;
  replaceRecord(state, to);
}

/** Moves an open bar with everything it has counted to another record. It must be the only bar of its record. */
export function transferBar(state: BarState, to: BarRecord): void {
  const { record: from } = state;
  for (let cell = 0; cell < RECORD_CELLS; cell += 1)
    to.page[to.offset + cell]! += from.page[from.offset + cell]!;
  copyOpenBar(from, to);
  replaceRecord(state, to);
}

function replaceRecord(state: BarState, to: BarRecord): void {
  state.record.release();
  state.record = to;
  if (state.loop !== undefined) state.loop.record = to;
  state.rebase();
}
