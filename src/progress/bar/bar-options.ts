/** The options of a bar, with their kinds and defaults. */

import { checkOptionNames } from '../../model/options.js';
import { invalidArgument } from '../meter/arguments.js';
import type { BarCharacters } from '../meter/glyphs.js';
import type { OutputFile } from '../screen/terminal.js';
import { type BarSettings, isOutput, OUTPUTS, type Output } from './frame.js';

/** Options of `tqdm`. Durations are in seconds. `TQDM_*` variables set other defaults (`TQDM_MININTERVAL=1`). */
export interface BarOptions {
  /** Text before the bar. */
  readonly desc?: string | null | undefined;
  /** Units expected. @defaultValue the length of what is iterated, when it has one */
  readonly total?: number | null | undefined;
  /** Whether the last frame stays on the screen; `null`: only that of a bar in the first row. @defaultValue `true` */
  readonly leave?: boolean | null | undefined;
  /** File to draw in. @defaultValue `process.stderr`, as plain lines when that is not a terminal */
  readonly file?: OutputFile | null | undefined;
  /** Columns of a line; 0 for no bar. @defaultValue the terminal's; if unknown, the bar takes 10 */
  readonly ncols?: number | null | undefined;
  /** Minimum seconds between two frames. @defaultValue 0.1 */
  readonly mininterval?: number | null | undefined;
  /** Seconds without a frame after which `miniters` is lowered, since the bar has become slow. @defaultValue 10 */
  readonly maxinterval?: number | null | undefined;
  /** Minimum units between two frames. @defaultValue none; with a custom clock, adapted to the speed as in Python */
  readonly miniters?: number | null | undefined;
  /** Whether to draw with ASCII; or the characters from empty to full, such as `' .oO'`. @defaultValue `false` */
  readonly ascii?: BarCharacters | undefined;
  /** Whether to count without drawing; `null`: draw on a terminal only. @defaultValue `false` */
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
  /** Text or numbers after the meter: an object is shown as `key=value`, anything else unchanged. */
  readonly postfix?: unknown;
  /** Factor between two metric prefixes; 1024 for bytes. @defaultValue 1000 */
  readonly unitDivisor?: number | undefined;
  /** Rows of the screen; bars below them are hidden. @defaultValue the terminal's, else 20 */
  readonly nrows?: number | null | undefined;
  /** A colour's name or `#rrggbb`: `red`, `#00ff00`. */
  readonly colour?: string | null | undefined;
  /** Seconds before the first frame; a bar that ends sooner is never drawn. @defaultValue 0 */
  readonly delay?: number | undefined;
  /**
   * Form in which the bar is drawn. `'auto'`: frames if `file` is given, or on a terminal outside CI; else lines.
   * `'terminal'`: frames that overwrite each other. `'lines'`: plain lines now and then. `'json'`: one JSON object per
   * line, for programs. `'none'`: nothing. Counting is the same in all of them.
   *
   * @defaultValue `'auto'`
   */
  readonly output?: Output | undefined;
  /** Whether the taskbar button of the terminal shows the bar too (OSC 9;4: Windows Terminal, ConEmu and others). */
  readonly taskbar?: boolean | undefined;
  /** Whether the program's output to the bar's terminal is printed above the bar. @defaultValue `true` */
  readonly redirect?: boolean | undefined;
  /**
   * Whether a bar is drawn again while nothing is counted: each second on a terminal, and each minute where bars are
   * written as lines. @defaultValue `true`
   */
  readonly tick?: boolean | undefined;
}

/** All options, with the defaults filled in. */
type Resolved = Omit<BarSettings, 'stream'> & {
  readonly total: number | null;
  readonly file: OutputFile | null;
};

/** The options of a bar, with the defaults filled in. */
export interface ResolvedBarOptions extends Pick<Resolved, 'total' | 'file'> {
  readonly settings: BarSettings;
}

interface Kind {
  /** Name of the accepted values, for errors. */
  readonly expected: string;
  accepts(value: unknown): boolean;
  /** Returns the value of a `TQDM_*` variable; undefined for a text that cannot be read. */
  read(text: string): unknown;
}

const isNumber = (value: unknown) => typeof value === 'number' && !Number.isNaN(value);
const withoutUnderscores = (text: string) => text.trim().replace(/(?<=\d)_(?=\d)/g, '');

/** A number, read as by Python's `float()`. */
const FLOAT: Kind = {
  expected: 'a number',
  accepts: isNumber,
  read(text) {
    const digits = withoutUnderscores(text).replace(/^([-+]?)inf(inity)?$/i, '$1Infinity');
    return /^[-+]?(?:Infinity|(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?)$/i.test(digits) ? Number(digits) : undefined;
  },
};

/** A finite number. Text is read as by Python's `int()`. */
const INTEGER: Kind = {
  expected: 'a finite number',
  accepts: Number.isFinite,
  read(text) {
    const digits = withoutUnderscores(text);
    return /^[-+]?\d+$/.test(digits) ? Number(digits) : undefined;
  },
};

/** A finite number. */
const FINITE: Kind = {
  expected: 'a finite number',
  accepts: Number.isFinite,
  read(text) {
    const number = FLOAT.read(text);
    return Number.isFinite(number) ? number : undefined;
  },
};

const TEXT: Kind = {
  expected: 'text',
  accepts: (value) => typeof value === 'string',
  read: (text) => text,
};

/** Text or any other value. */
const DATA: Kind = { ...TEXT, accepts: () => true };

/** A flag. The texts `0`, `false`, `no` and `off` are false; for Python's `bool()` they are true. */
const FLAG: Kind = { ...DATA, read: (text) => !/^(?:0|false|no|off)?$/i.test(text.trim()) };

const OUTPUT: Kind = {
  expected: `one of ${OUTPUTS.join(', ')}`,
  accepts: isOutput,
  read: (text) => (isOutput(text) ? text : undefined),
};

const FILE: Kind = {
  expected: 'something with write(text), such as process.stdout',
  accepts: (file) =>
    typeof file === 'object' && file !== null && 'write' in file && typeof file.write === 'function',
  read: () => undefined,
};

/** An option: its kind, its default, and the value that replaces `null`, if any. */
type Option<Value> = readonly [kind: Kind, initial: Value, ofNull?: Value];

const OPTIONS: { readonly [Name in keyof Resolved]: Option<Resolved[Name]> } = {
  desc: [TEXT, '', ''],
  total: [FLOAT, null],
  leave: [FLAG, true],
  file: [FILE, null],
  ncols: [INTEGER, null],
  mininterval: [FLOAT, 0.1, 0],
  maxinterval: [FLOAT, 10, 0],
  miniters: [FLOAT, null],
  ascii: [DATA, false],
  disable: [FLAG, false],
  unit: [TEXT, 'it', 'it'],
  unitScale: [FLAG, false],
  dynamicNcols: [FLAG, false],
  smoothing: [FINITE, 0.3, 0],
  barFormat: [TEXT, null],
  initial: [INTEGER, 0, 0],
  position: [INTEGER, null],
  postfix: [DATA, null],
  unitDivisor: [INTEGER, 1000, 1000],
  nrows: [INTEGER, null],
  colour: [TEXT, null],
  delay: [FLOAT, 0, 0],
  // Options that tqdm does not have.
  output: [OUTPUT, 'auto'],
  taskbar: [FLAG, false],
  redirect: [FLAG, true],
  tick: [FLAG, true],
};

const options: ReadonlyMap<string, Option<unknown>> = new Map(Object.entries(OPTIONS));
/** Names of the options in {@link BarOptions}. */
export const BAR_OPTIONS: readonly string[] = [...options.keys()];
const NOT_SETTINGS = ['total', 'file'];
/** The settings of a bar without options. Every bar copies them, so that all settings have one hidden class. */
const DEFAULTS = {
  ...Object.fromEntries(
    [...options]
      .filter(([name]) => !NOT_SETTINGS.includes(name))
      .map(([name, [, initial]]) => [name, initial]),
  ),
  stream: null,
};

/** Returns an option's name for its name in Python (`unit_scale`) or in a variable (`UNIT_SCALE`). */
function camelCase(name: string): string {
  return name.toLowerCase().replace(/_(.)/g, (_, letter: string) => letter.toUpperCase());
}

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
      .map(([option, text]) => [option, options.get(option)?.[0].read(text)]);
    defaults = Object.fromEntries(entries) as BarOptions;
    defaultsOf.set(env, defaults);
  }
  return defaults;
}

/**
 * Checks the value of an option and returns it; for `null`, returns the value that replaces it.
 *
 * @throws `METHEUS_INVALID_BAR_OPTION` for a value of the wrong type
 */
export function checkedOption<Name extends keyof Resolved>(
  option: Name,
  value: Resolved[Name] | null,
): Resolved[Name];
export function checkedOption(option: string, value: unknown): unknown;
export function checkedOption(option: string, value: unknown): unknown {
  const [kind, , ofNull = null] = options.get(option)!;
  if (value === null && kind !== OUTPUT) return ofNull;
  if (!kind.accepts(value)) throw invalidArgument(option, value, kind.expected);
  return value;
}

/**
 * Returns the options with defaults filled in. `undefined` counts as not given, `null` as a value.
 *
 * @throws `METHEUS_INVALID_BAR_OPTION` for an unknown option or a value of the wrong type
 */
export function resolveOptions(given: BarOptions, defaults: BarOptions = {}): ResolvedBarOptions {
  checkOptionNames('a bar', given, BAR_OPTIONS, { code: 'METHEUS_INVALID_BAR_OPTION' });
  const settings: Record<string, unknown> = { ...DEFAULTS };
  const resolved: Record<string, unknown> = { settings, total: null, file: null };
  for (const source of [defaults, given]) {
    for (const option of Object.keys(source)) {
      const value = source[option as keyof BarOptions];
      if (value === undefined) continue;
      const target = NOT_SETTINGS.includes(option) ? resolved : settings;
      target[option] = checkedOption(option, value);
    }
  }
  return resolved as unknown as ResolvedBarOptions;
}
