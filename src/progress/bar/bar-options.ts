/** What a bar can be told, and where the defaults come from. */

import { MetheusError, show } from '../../errors.js';
import type { BarCharacters } from '../meter/glyphs.js';
import type { OutputFile } from '../screen/terminal.js';
import { isOutput, OUTPUTS, type Output } from './output-mode.js';
import { READERS } from './variables.js';

/** Options of `tqdm`. All may be left out; `TQDM_*` variables set other defaults (`TQDM_MININTERVAL=1`). */
export interface BarOptions {
  /** Text before the bar. */
  readonly desc?: string | null | undefined;
  /** Units expected. Default: the length of what is iterated, when it has one. */
  readonly total?: number | null | undefined;
  /** Keep the last frame on the screen (default `true`); `null`: only in the first row. */
  readonly leave?: boolean | null | undefined;
  /** Where to draw. Default: `process.stderr`, as plain lines when that is not a terminal. */
  readonly file?: OutputFile | null | undefined;
  /** Columns of a line. Default: the terminal's; a bar of 10 when there is none. 0: no bar. */
  readonly ncols?: number | null | undefined;
  /** Least seconds between two frames (default 0.1). */
  readonly mininterval?: number | null | undefined;
  /** Most seconds between two frames before `miniters` is lowered (default 10). */
  readonly maxinterval?: number | null | undefined;
  /** Least units between two looks at the clock. Default: found from the speed. */
  readonly miniters?: number | null | undefined;
  /** `true`: draw with ASCII. Text: its characters from empty to full, such as `' .oO'`. */
  readonly ascii?: BarCharacters | undefined;
  /** Do not draw (counting goes on); `null`: not unless the file is a terminal. */
  readonly disable?: boolean | null | undefined;
  /** What is counted (default `it`). */
  readonly unit?: string | undefined;
  /** `true`: `1.23k` in place of `1234`. A number: quantities are multiplied by it. */
  readonly unitScale?: boolean | number | undefined;
  /** Follow the size of the terminal. */
  readonly dynamicNcols?: boolean | undefined;
  /** Weight of the newest speed, from 0 (average since the start) to 1 (default 0.3). */
  readonly smoothing?: number | null | undefined;
  /** The line in Python's format syntax, such as `{l_bar}{bar:20}{r_bar}`. */
  readonly barFormat?: string | null | undefined;
  /** Units done before the start (default 0). */
  readonly initial?: number | undefined;
  /** A fixed row, from 0. Default: the first free one. */
  readonly position?: number | null | undefined;
  /** Text or numbers after the meter: an object is shown as `key=value`, anything else as it is. */
  readonly postfix?: unknown;
  /** What one metric prefix is worth (default 1000); 1024 for bytes. */
  readonly unitDivisor?: number | undefined;
  /** Rows of the screen; bars below are hidden. Default: the terminal's, or 20. */
  readonly nrows?: number | null | undefined;
  /** `red`, `#00ff00`. */
  readonly colour?: string | null | undefined;
  /** Seconds before the first frame (default 0): a bar that ends sooner is never seen. */
  readonly delay?: number | undefined;
  /**
   * How to show the bar. `'auto'` (the default): frames on a terminal and in a file that is named, else lines.
   * `'terminal'`: frames. `'lines'`: plain lines now and then. `'json'`: a JSON object a line, for programs. `'none'`:
   * nothing. What is counted is the same in all of them.
   */
  readonly output?: Output | undefined;
  /** Show it on the button of the terminal's window too (OSC 9;4: Windows Terminal, ConEmu and others). */
  readonly taskbar?: boolean | undefined;
  /** While the bar is on a terminal, what the program writes there goes above it (default `true`). */
  readonly redirect?: boolean | undefined;
}

/** Options with every default filled in. */
export interface ResolvedBarOptions {
  readonly desc: string;
  readonly total: number | null;
  readonly leave: boolean | null;
  readonly file: OutputFile | null;
  readonly ncols: number | null;
  readonly mininterval: number;
  readonly maxinterval: number;
  readonly miniters: number | null;
  readonly ascii: BarCharacters;
  readonly disable: boolean | null;
  readonly unit: string;
  readonly unitScale: boolean | number;
  readonly dynamicNcols: boolean;
  readonly smoothing: number;
  readonly barFormat: string | null;
  readonly initial: number;
  readonly position: number | null;
  readonly postfix: unknown;
  readonly unitDivisor: number;
  readonly nrows: number | null;
  readonly colour: string | null;
  readonly delay: number;
  readonly output: Output;
  readonly taskbar: boolean;
  readonly redirect: boolean;
}

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

/** Options for which `null` says something; for the others it is tqdm's `None`, that is, nothing given or zero. */
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

/** A name of Python's, or a variable's, as this package writes it. */
function camelCase(name: string): string {
  return name.toLowerCase().replace(/_(.)/g, (_, letter: string) => letter.toUpperCase());
}

type Variables = Readonly<Record<string, string | undefined>>;

/** What the names of variables begin with. */
const PREFIX = 'TQDM_';
const defaultsOf = new WeakMap<Variables, BarOptions>();

/**
 * Defaults from `TQDM_*` variables, read once for each `env`. Unknown names and values that cannot be read are
 * passed over.
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
 * Options with defaults. An option that is `undefined` was not given; `null` is a value.
 *
 * @throws MetheusError `METHEUS_INVALID_BAR_OPTION` for an unknown option, or one that is not of its kind
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
