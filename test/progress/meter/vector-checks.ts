/** Checks of vectors: cases with the result of Python's tqdm. See `vectors/`. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { MeterOptions } from '#metheus/progress/meter/arguments.js';
import { displayLength, displayTrim } from '#metheus/progress/meter/display-width.js';
import { Ema } from '#metheus/progress/meter/ema.js';
import { formatMeter } from '#metheus/progress/meter/meter.js';
import { formatInterval, formatNum, formatSizeof } from '#metheus/progress/meter/quantity.js';
import { camelCaseKeys, runSimulation, type Simulation } from './simulation.js';

export interface Vector {
  readonly fn: string;
  readonly args: Record<string, unknown>;
  readonly out: unknown;
}

/** Parses vectors, one JSON object a line. */
export function parseVectors(text: string): Vector[] {
  const lines = text.split('\n');
  return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as Vector);
}

function meterLine({ now, ...args }: Record<string, unknown>): string {
  const options = camelCaseKeys(args) as unknown as MeterOptions;
  if (now === undefined) return formatMeter(options);
  const [year, month, day, hour, minute, second] = now as [number, number, number, number, number, number];
  return formatMeter({ ...options, now: new Date(year, month - 1, day, hour, minute, second) });
}

const RUN: Record<string, (args: Record<string, unknown>) => unknown> = {
  format_sizeof: ({ num, suffix, divisor }) =>
    formatSizeof(num as number, suffix as string | undefined, divisor as number | undefined),
  format_interval: ({ t }) => formatInterval(t as number),
  format_num: ({ n }) => formatNum(n as number),
  format_meter: meterLine,
  format_meter_eta: meterLine,
  disp_len: ({ data }) => displayLength(data as string),
  disp_trim: ({ data, length }) => displayTrim(data as string, length as number),
  sim: (args) => runSimulation(args as unknown as Simulation),
};

/** Throws unless the result equals Python's: to the last character, and for averages to 1e-12. */
export function checkVector({ fn, args, out }: Vector): void {
  if (fn === 'ema') {
    const ema = new Ema(args.smoothing as number);
    const expected = out as number[];
    for (const [i, x] of (args.xs as (number | null)[]).entries()) {
      const got = ema.next(x ?? undefined);
      assert.ok(
        Math.abs(got - expected[i]!) <= 1e-12 * Math.abs(expected[i]!),
        `${got} is not ${expected[i]}`,
      );
    }
    return;
  }
  const expected = fn === 'sim' ? (out as string[][]).map((writes) => writes.join('')) : out;
  assert.deepEqual(RUN[fn]!(args), expected, JSON.stringify(args));
}

/** Defines a test for each function, over all of its cases. */
export function describeVectors(name: string, vectors: readonly Vector[]): void {
  describe(name, () => {
    for (const fn of new Set(vectors.map((vector) => vector.fn))) {
      const cases = vectors.filter((vector) => vector.fn === fn);
      it(`${fn} equals Python's in ${cases.length} cases`, () => {
        for (const vector of cases) checkVector(vector);
      });
    }
  });
}
