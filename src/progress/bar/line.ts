/** The lines of a bar: frames as text that fits the screen. */

import { messageOf, warnOnce } from '../../errors.js';
import type { LineData, LineSize } from '../meter/arguments.js';
import { columnsOf } from '../meter/display-width.js';
import { formatLine } from '../meter/meter.js';
import { type OutputFile, type StandardStreams, streamName } from '../screen/terminal.js';
import type { BarFrame, BarSettings } from './frame.js';

type Variables = Readonly<Record<string, string | undefined>>;

/** Columns and rows; `null` where they are not known. */
type ScreenSize = { readonly [Side in keyof LineSize]-?: number | null };

/** The numbers and settings from which a line is made. */
export type FormatDict = LineData & ScreenSize;

/**
 * Returns the size of the screen behind `file`. If the file reports none, it is that of the variables `COLUMNS` and
 * `LINES`, if both are set, minus one column and one row, as in tqdm.
 */
function screenSize(file: OutputFile, env: Variables): ScreenSize {
  if (typeof file.columns === 'number' && typeof file.rows === 'number') {
    // The Windows console wraps a line that reaches its last column.
    const spare = process.platform === 'win32' ? 1 : 0;
    return { ncols: file.columns - spare, nrows: file.rows - spare };
  }
  const columns = Number.parseInt(env.COLUMNS ?? '', 10);
  const lines = Number.parseInt(env.LINES ?? '', 10);
  if (Number.isNaN(columns) || Number.isNaN(lines)) return { ncols: null, nrows: null };
  return { ncols: columns - 1, nrows: lines - 1 };
}

const ESCAPE = '\u001b';
const RESET = `${ESCAPE}[0m`;
/**
 * Control characters except the tab, line and paragraph separators, and characters that change the direction of text.
 */
const HARMFUL = '(?!\\t)[\\p{Cc}\\u2028\\u2029\\u202a-\\u202e\\u2066-\\u2069]';
const ANY_HARMFUL = new RegExp(HARMFUL, 'u');
/** Characters that would act on a terminal instead of being shown. */
export const ALL_HARMFUL = new RegExp(HARMFUL, 'gu');
/** Sequences of colours and other attributes, which harmless text may contain. */
const SGR = `${ESCAPE}\\[(?<codes>[\\d;]*)m`;
const SEQUENCE = [
  `${ESCAPE}\\[[0-?]*[ -/]*[@-~]`,
  `${ESCAPE}[\\]PX^_][^\\u0007${ESCAPE}]*(?:\\u0007|${ESCAPE}\\\\)`,
  `${ESCAPE}[ -/]*[0-OQ-WYZ\\\\\`-~]`,
].join('|');
const PIECE = new RegExp(`${SGR}|${SEQUENCE}|[\\n\\v\\f\\r\\u0085\\u2028\\u2029]+|${HARMFUL}`, 'gu');

/** Matches the codes of a sequence whose last code ends an attribute. */
const ENDING = /(?:^|;)(?:0*|2[2-9]|39|49|5[459])$/;

/**
 * Makes text, such as the name of a file, one line that cannot move the cursor, erase, change modes or reorder other
 * text. Line feeds become a space, escape sequences are removed, and other harmful characters become `\ufffd`. Colours
 * stay, and are reset at the end of the text.
 */
export function harmlessText(text: string): string {
  if (!ANY_HARMFUL.test(text)) return text;
  let codes = '';
  const harmless = text.replace(PIECE, (piece, given: string | undefined) => {
    if (given !== undefined) {
      codes = given;
      return piece;
    }
    if (piece.startsWith(ESCAPE) && piece.length > 1) return '';
    return /[\s\u0085]/.test(piece) ? ' ' : '\ufffd';
  });
  return ENDING.test(codes) ? harmless : harmless + RESET;
}

/** Makes the texts of a line harmless before their columns are counted. */
function harmlessFields(dict: FormatDict): FormatDict {
  const { prefix = '', unit = '', postfix } = dict;
  return {
    ...dict,
    prefix: harmlessText(prefix ?? ''),
    unit: harmlessText(unit ?? ''),
    postfix: typeof postfix === 'string' ? harmlessText(postfix) : postfix,
  };
}

/** Makes the lines of one bar. */
export class LineMaker {
  readonly #file: OutputFile;
  readonly #env: Variables;
  readonly #isColoured: boolean;
  readonly #given: ScreenSize;
  readonly #follows: boolean;
  #size: ScreenSize;

  /** @param follows - whether the screen reports changes of its size */
  constructor(
    file: OutputFile,
    { ncols, nrows, dynamicNcols }: BarSettings,
    environment: StandardStreams & { readonly env: Variables },
    { follows, isColoured }: { readonly follows: boolean; readonly isColoured: boolean },
  ) {
    this.#file = file;
    this.#env = environment.env;
    this.#isColoured = isColoured;
    // As in tqdm, `dynamicNcols` takes precedence over a given size.
    this.#given = dynamicNcols ? { ncols: null, nrows: null } : { ncols, nrows };
    const isStandard = streamName(file, environment) !== undefined;
    this.#follows = dynamicNcols || (follows && isStandard);
    // Sizes of files other than the standard streams are read only with `dynamicNcols`.
    this.#size = isStandard ? this.#readSize() : this.#given;
  }

  /**
   * Size of the screen: as given, else as read from the screen. It is read once, or again for every line if the bar
   * follows changes of the size.
   */
  get size(): ScreenSize {
    if (this.#follows) this.#size = this.#readSize();
    return this.#size;
  }

  formatDict({ n, total, elapsed, rate, ahead, settings }: BarFrame): FormatDict {
    const { desc, ascii, unit, unitScale, barFormat, postfix, unitDivisor, initial } = settings;
    const colour = this.#isColoured ? settings.colour : null;
    return {
      n,
      total,
      elapsed,
      rate,
      ...(ahead === undefined ? undefined : { ahead }),
      initial,
      ...this.size,
      prefix: desc,
      ascii,
      unit,
      unitScale,
      unitDivisor,
      barFormat,
      postfix,
      colour,
    };
  }

  /** Returns the line of a frame. If the bar has failed, the name of the error stands after the meter. */
  lineOf(frame: BarFrame): string {
    const dict = harmlessFields(this.formatDict(frame));
    if (frame.error === undefined) return harmlessText(formatLine(dict, dict));
    const ending = ` ${frame.error}`;
    const ncols = dict.ncols ? Math.max(dict.ncols - columnsOf(ending), 1) : dict.ncols;
    return harmlessText(formatLine(dict, { ...dict, ncols }) + ending);
  }

  /**
   * Returns the line of a frame. Never throws, since frames are drawn inside the program's loops, from timers, on
   * signals and at the end of the process. A postfix that cannot be converted to text is left out, after one warning.
   */
  safeLineOf(frame: BarFrame): string {
    try {
      return this.lineOf(frame);
    } catch (error) {
      warnOnce(
        'progress-line',
        `A progress bar cannot make its line (${messageOf(error)}): it is drawn without postfix, counting goes on.`,
      );
    }
    try {
      return this.lineOf({ ...frame, settings: { ...frame.settings, postfix: null } });
    } catch {
      return '';
    }
  }

  #readSize(): ScreenSize {
    const { ncols, nrows } = this.#given;
    if (ncols !== null && nrows !== null) return this.#given;
    const screen = screenSize(this.#file, this.#env);
    return { ncols: ncols ?? screen.ncols, nrows: nrows ?? screen.nrows };
  }
}
