/** What `formatMeter` takes. */

import { checkArgument, type Kind } from './arguments.js';
import type { BarCharacters } from './glyphs.js';

/** What a line is made of. */
export interface MeterOptions {
  /** Units done. */
  readonly n: number;
  /** Units expected; `null` or infinite when not known. */
  readonly total?: number | null | undefined;
  /** Seconds since the start. */
  readonly elapsed: number;
  /** Columns of the line: the bar takes what the text leaves. `null`: a bar of 10. 0: no bar. */
  readonly ncols?: number | null | undefined;
  /** Rows of the screen, for `{nrows}`. */
  readonly nrows?: number | null | undefined;
  /** Text before the meter. */
  readonly prefix?: string | null | undefined;
  readonly ascii?: BarCharacters | undefined;
  readonly unit?: string | null | undefined;
  /** `true`: quantities get metric prefixes. A number: `n`, `total` and `rate` are multiplied by it. */
  readonly unitScale?: boolean | number | null | undefined;
  /** Units per second, when smoothed; without it, the average since the start. */
  readonly rate?: number | null | undefined;
  readonly barFormat?: string | null | undefined;
  /** Text after the meter, or data that `barFormat` picks from: `{postfix[0]}`. */
  readonly postfix?: unknown;
  /** What one metric prefix is worth. */
  readonly unitDivisor?: number | null | undefined;
  /** Units that were done before the start: they do not count for the rate. */
  readonly initial?: number | null | undefined;
  /** `red`, `#00ff00`; an unknown one is ignored. */
  readonly colour?: string | null | undefined;
  /** What `{eta}` counts from. Default: now. */
  readonly now?: Date | null | undefined;
}

const NUMBER = ['number'] as const;
const TEXT = ['string'] as const;
const KINDS: Readonly<Record<string, readonly Kind[]>> = {
  n: NUMBER,
  total: NUMBER,
  elapsed: NUMBER,
  ncols: NUMBER,
  nrows: NUMBER,
  prefix: TEXT,
  ascii: ['boolean', 'string'],
  unit: TEXT,
  unitScale: ['boolean', 'number'],
  rate: NUMBER,
  barFormat: TEXT,
  unitDivisor: NUMBER,
  initial: NUMBER,
  colour: TEXT,
  now: ['Date'],
};

/**
 * Looks for numbers and texts that are none.
 *
 * @throws MetheusError `METHEUS_INVALID_BAR_OPTION`
 */
export function checkMeterOptions(options: MeterOptions): void {
  checkArgument('options', options, ['object']);
  checkArgument('n', options.n, NUMBER);
  checkArgument('elapsed', options.elapsed, NUMBER);
  for (const [name, value] of Object.entries(options)) {
    const kinds = Object.hasOwn(KINDS, name) ? KINDS[name] : undefined;
    if (kinds !== undefined && value !== null && value !== undefined) checkArgument(name, value, kinds);
  }
}
