/** The options of a bar, and where their defaults come from. */

import { MetheusError, show } from '../../errors.js';
import type { BarCharacters } from '../meter/glyphs.js';
import type { OutputFile } from '../screen/terminal.js';
import { type BarSettings, isOutput, OUTPUTS, type Output } from './frame.js';

/** Options of `tqdm`. Durations are in seconds. `TQDM_*` variables set other defaults (`TQDM_MININTERVAL=1`). */
export interface BarOptions {
  /** Text before the bar. */
  readonly desc?: string | null | undefined;
  /** Units expected. @defaultValue the length of what is iterated, when it has one */
  readonly total?: number | null | undefined;
  /** Whether the last frame stays on the screen; `null`: only in the first row. @defaultValue `true` */
  readonly leave?: boolean | null | undefined;
  /** Where to draw. @defaultValue `process.stderr`, as plain lines when that is not a terminal */
  readonly file?: OutputFile | null | undefined;
  /** Columns of a line; 0 for no bar. @defaultValue the terminal's; a bar of 10 columns without one */
  readonly ncols?: number | null | undefined;
  /** Least seconds between two frames. @defaultValue 0.1 */
  readonly mininterval?: number | null | undefined;
  /** Seconds without a frame after which `miniters` is lowered. @defaultValue 10 */
  readonly maxinterval?: number | null | undefined;
  /** Least units between two readings of the clock. @defaultValue found from the speed */
  readonly miniters?: number | null | undefined;
  /** Whether to draw with ASCII; or the characters from empty to full, such as `' .oO'`. @defaultValue `false` */
  readonly ascii?: BarCharacters | undefined;
  /** Whether not to draw the bar, which is still counted; `null`: draw on a terminal only. @defaultValue `false` */
  readonly disable?: boolean | null | undefined;
  /** Name of what is counted. @defaultValue `'it'` */
  readonly unit?: string | undefined;
  /** Whether to write `1.23k` for `1234`; or a number that quantities are multiplied by. @defaultValue `false` */
  readonly unitScale?: boolean | number | undefined;
  /** Whether to follow the size of the terminal. @defaultValue `false` */
  readonly dynamicNcols?: boolean | undefined;
  /** Weight of the newest speed, from 0 (average since the start) to 1. @defaultValue 0.3 */
  readonly smoothing?: number | null | undefined;
  /** The line in Python's format syntax, such as `{l_bar}{bar:20}{r_bar}`. */
  readonly barFormat?: string | null | undefined;
  /** Units done before the start. @defaultValue 0 */
  readonly initial?: number | undefined;
  /** A fixed row, from 0. @defaultValue the first free one */
  readonly position?: number | null | undefined;
  /** Text or numbers after the meter: an object is shown as `key=value`, anything else as it is. */
  readonly postfix?: unknown;
  /** Factor between two metric prefixes; 1024 for bytes. @defaultValue 1000 */
  readonly unitDivisor?: number | undefined;
  /** Rows of the screen; bars below are hidden. @defaultValue the terminal's, else 20 */
  readonly nrows?: number | null | undefined;
  /** A colour's name or `#rrggbb`: `red`, `#00ff00`. */
  readonly colour?: string | null | undefined;
  /** Seconds before the first frame; a bar that ends sooner is never seen. @defaultValue 0 */
  readonly delay?: number | undefined;
  /**
   * How to draw the bar. `'auto'`: frames on a terminal and in a file that is named, else lines. `'terminal'`: frames.
   * `'lines'`: plain lines now and then. `'json'`: one JSON object per line, for programs. `'none'`: nothing. Counting
   * is the same in all of them.
   *
   * @defaultValue `'auto'`
   */
  readonly output?: Output | undefined;
  /** Whether to show it on the button of the terminal's window too (OSC 9;4: Windows Terminal, ConEmu and others). */
  readonly taskbar?: boolean | undefined;
  /** Whether the program's output to the bar's terminal is printed above the bar. @defaultValue `true` */
  readonly redirect?: boolean | undefined;
}

/** Options with the defaults filled in. */
type ResolvedBarOptions = Omit<BarSettings, 'stream'> & {
  readonly total: number | null;
  readonly file: OutputFile | null;
};

const DEFAULTS: ResolvedBarOptions = {
  desc: '',
  total: null,
  leave: true,
  file: null,
  ncols: null,
  mininterval: 0.1,
  maxinterval: 10,
  miniters: null,
  ascii: false,
  disable: false,
  unit: 'it',
  unitScale: false,
  dynamicNcols: false,
  smoothing: 0.3,
  barFormat: null,
  initial: 0,
  position: null,
  postfix: null,
  unitDivisor: 1000,
  nrows: null,
  colour: null,
  delay: 0,
  output: 'auto',
  taskbar: false,
  redirect: true,
};

/** Options for which `null` means 0, as tqdm's `None` does. */
const NULL_IS_ZERO = new Set<string>(['mininterval', 'maxinterval', 'smoothing', 'initial', 'delay']);
const NUMBERS = new Set<string>([
  ...NULL_IS_ZERO,
  'total',
  'ncols',
  'miniters',
  'position',
  'unitDivisor',
  'nrows',
]);

const TEXTS = new Set<string>(['desc', 'unit', 'barFormat', 'colour']);

/** Returns the name of an option from Python's name or a variable's. */
function camelCase(name: string): string {
  return name.toLowerCase().replace(/_(.)/g, (_, letter: string) => letter.toUpperCase());
}

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
const READERS: ReadonlyMap<string, Reader> = new Map<string, Reader>(
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

type Variables = Readonly<Record<string, string | undefined>>;

const PREFIX = 'TQDM_';
const defaultsOf = new WeakMap<Variables, BarOptions>();

/**
 * Returns the defaults from `TQDM_*` variables, read once for each `env`. Unknown names and values that cannot be
 * read are ignored.
 */
export function environmentDefaults(env: Variables): BarOptions {
  let defaults = defaultsOf.get(env);
  if (defaults === undefined) {
    const entries = Object.entries(env)
      .filter(([name]) => name.startsWith(PREFIX))
      .map(([name, text = '']) => [camelCase(name.slice(PREFIX.length)), text] as const)
      .map(([option, text]) => [option, READERS.get(option)?.(text)]);
    defaults = Object.fromEntries(entries) as BarOptions;
    defaultsOf.set(env, defaults);
  }
  return defaults;
}

function checkOption(option: string, value: unknown): void {
  if (!Object.hasOwn(DEFAULTS, option)) {
    throw new MetheusError('METHEUS_INVALID_BAR_OPTION', {
      given: `the unknown option '${option}'`,
      expected: `one of ${Object.keys(DEFAULTS).join(', ')}`,
      ...(Object.hasOwn(DEFAULTS, camelCase(option)) && { todo: `Write ${camelCase(option)}` }),
    });
  }
  if (NUMBERS.has(option) && value !== null && (typeof value !== 'number' || Number.isNaN(value))) {
    throw new MetheusError('METHEUS_INVALID_BAR_OPTION', {
      given: `${option} = ${show(value)}`,
      expected: 'a number',
    });
  }
  if (TEXTS.has(option) && value !== null && typeof value !== 'string') {
    throw new MetheusError('METHEUS_INVALID_BAR_OPTION', {
      given: `${option} = ${show(value)}`,
      expected: 'text',
    });
  }
  if (option === 'file' && value !== null && !isOutputFile(value)) {
    throw new MetheusError('METHEUS_INVALID_BAR_OPTION', {
      given: `file = ${show(value)}`,
      expected: 'something with write(text), such as process.stdout',
    });
  }
  if (option === 'output' && !isOutput(value)) {
    throw new MetheusError('METHEUS_INVALID_BAR_OPTION', {
      given: `output = ${show(value)}`,
      expected: `one of ${OUTPUTS.join(', ')}`,
    });
  }
}

function isOutputFile(file: unknown): boolean {
  return typeof file === 'object' && file !== null && 'write' in file && typeof file.write === 'function';
}

/**
 * Returns the options with defaults filled in. An option that is `undefined` was not given; `null` is a value.
 *
 * @throws `METHEUS_INVALID_BAR_OPTION` for an unknown option or a value of the wrong type
 */
export function resolveOptions(given: BarOptions, defaults: BarOptions = {}): ResolvedBarOptions {
  if (typeof given !== 'object' || given === null) {
    throw new MetheusError('METHEUS_INVALID_BAR_OPTION', {
      given: show(given),
      expected: "an object of options, such as { desc: 'Files' }",
    });
  }
  const resolved: Record<string, unknown> = { ...DEFAULTS };
  for (const source of [defaults, given]) {
    for (const [option, value] of Object.entries(source)) {
      if (value === undefined) continue;
      checkOption(option, value);
      resolved[option] = value === null && NULL_IS_ZERO.has(option) ? 0 : value;
    }
  }
  resolved.desc ??= '';
  resolved.unit ??= 'it';
  resolved.unitDivisor ??= DEFAULTS.unitDivisor;
  return resolved as unknown as ResolvedBarOptions;
}
