/** How a `TQDM_*` variable is read, by the kind of option that it is a default for. */

import { isOutput } from './output-mode.js';

/** Gives an option's value, or `undefined` for a text that cannot be one. */
type Reader = (text: string) => unknown;

/** As Python's `float()` reads it. */
const float: Reader = (text) => {
  const digits = text.trim().replace(/(?<=\d)_(?=\d)/g, '');
  const infinite = /^([-+]?)inf(?:inity)?$/i.exec(digits);
  if (infinite !== null) return infinite[1] === '-' ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  return /^[-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?$/i.test(digits) ? Number(digits) : undefined;
};

/** As Python's `int()` reads it. */
const integer: Reader = (text) => {
  const digits = text.trim().replace(/(?<=\d)_(?=\d)/g, '');
  return /^[-+]?\d+$/.test(digits) ? Number(digits) : undefined;
};

/** As Python's `bool()` reads it: any text at all is a yes, `0` and `false` too. */
const flag: Reader = (text) => text !== '';

const text: Reader = (given) => given;

/**
 * Options that can be given a default by a variable. The kinds are tqdm's: that of the parameter's default, and for
 * those without one what tqdm says.
 */
export const READERS: ReadonlyMap<string, Reader> = new Map<string, Reader>(
  Object.entries({
    desc: text,
    total: float,
    leave: flag,
    ncols: integer,
    mininterval: float,
    maxinterval: float,
    miniters: float,
    ascii: text,
    disable: flag,
    unit: text,
    unitScale: flag,
    dynamicNcols: flag,
    smoothing: float,
    barFormat: text,
    initial: integer,
    position: integer,
    postfix: text,
    unitDivisor: integer,
    nrows: integer,
    colour: text,
    delay: float,
    // Not tqdm's.
    output: (given) => (isOutput(given) ? given : undefined),
    taskbar: flag,
    redirect: flag,
  }),
);
