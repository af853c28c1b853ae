/** Reading of `TQDM_*` variables, by the type of the option that they are a default for. */

import { isOutput } from './output-mode.js';

/** Returns an option's value, or undefined for a text that is none. */
type Reader = (text: string) => unknown;

/** Reads a number as Python's `float()` does. */
const float: Reader = (text) => {
  const digits = text.trim().replace(/(?<=\d)_(?=\d)/g, '');
  const infinite = /^([-+]?)inf(?:inity)?$/i.exec(digits);
  if (infinite !== null) return infinite[1] === '-' ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  return /^[-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?$/i.test(digits) ? Number(digits) : undefined;
};

/** Reads an integer as Python's `int()` does. */
const integer: Reader = (text) => {
  const digits = text.trim().replace(/(?<=\d)_(?=\d)/g, '');
  return /^[-+]?\d+$/.test(digits) ? Number(digits) : undefined;
};

/** Reads a flag. Unlike Python's `bool()`, for which any text is true, `0`, `false`, `no` and `off` are false. */
const flag: Reader = (text) => !/^(?:0|false|no|off)?$/i.test(text.trim());

const text: Reader = (given) => given;

/** Options that a variable can set a default for, with their types in tqdm. */
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
    // Options that tqdm does not have.
    output: (given) => (isOutput(given) ? given : undefined),
    taskbar: flag,
    redirect: flag,
  }),
);
