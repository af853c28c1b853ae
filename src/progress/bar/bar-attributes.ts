/**
 * The attributes of Python's tqdm, in camelCase. Attributes that only change the line may be assigned while the bar
 * runs, and are seen in the next frame; the others are read-only.
 */

import { type InspectOptions, inspect } from 'node:util';
import { warnOnce } from '../../errors.js';
import { checkedNumber } from '../meter/arguments.js';
import { type BarCharacters, colourSequence } from '../meter/glyphs.js';
import { checkBarFormat } from '../meter/meter.js';
import { type Postfix, postfixText } from '../meter/postfix.js';
import type { OutputFile } from '../screen/terminal.js';
import { checkedOption } from './bar-options.js';
import type { BarState } from './bar-state.js';
import { CountedBar } from './counting-stream.js';
import type { BarSettings } from './frame.js';
import { knownTotal, STATES } from './record.js';

function checkColour(colour: string | null): void {
  if (colourSequence(colour) !== undefined) return;
  warnOnce(
    `progress-colour-${colour}`,
    `Unknown progress bar colour '${colour}': expected a name or #rrggbb.`,
  );
}

/** Attributes that read a setting and, when they are assigned, replace it. */
const CHANGEABLE = [
  'leave',
  'colour',
  'unit',
  'unitScale',
  'unitDivisor',
  'ascii',
  'barFormat',
  'postfix',
  'mininterval',
  'maxinterval',
  'initial',
] as const;
/** Attributes that read a setting and cannot be assigned. */
const FIXED = ['smoothing', 'dynamicNcols', 'delay'] as const;

export abstract class BarAttributes extends CountedBar {
  /** The file that was given; `null` for the default, `process.stderr`. */
  readonly file: OutputFile | null;
  /** Whether the last frame stays; `null`: only that of a bar in the first row. */
  declare leave: boolean | null;
  /** A colour's name or `#rrggbb`. An unknown one draws no colour and warns once. */
  declare colour: string | null;
  /** Name of what is counted. Assigning changes the line only: published metrics keep the first unit. */
  declare unit: string;
  declare unitScale: boolean | number;
  declare unitDivisor: number;
  declare ascii: BarCharacters;
  /** Format of the line. Assigning an invalid one throws `METHEUS_INVALID_BAR_FORMAT`, and the previous one stays. */
  declare barFormat: string | null;
  /** Text or data after the meter. */
  declare postfix: unknown;
  /** Minimum seconds between two frames. */
  declare mininterval: number;
  /** Seconds without a frame after which `miniters` is lowered, since the bar has become slow. */
  declare maxinterval: number;
  /** Units done before the start, which do not count for the rate. */
  declare initial: number;
  declare readonly smoothing: number;
  declare readonly dynamicNcols: boolean;
  /** Seconds before the first frame. */
  declare readonly delay: number;
  /** @internal Replaced as a whole by {@link applySettings}. */
  protected settings: BarSettings;

  static {
    for (const name of [...CHANGEABLE, ...FIXED]) {
      Object.defineProperty(BarAttributes.prototype, name, {
        get(this: BarAttributes) {
          return this.settings[name];
        },
        configurable: true,
      });
    }
    for (const name of CHANGEABLE) {
      Object.defineProperty(BarAttributes.prototype, name, {
        set(this: BarAttributes, value: unknown) {
          this.applySettings({ [name]: checkedOption(name, value) });
        },
      });
    }
  }

  constructor(settings: BarSettings, file: OutputFile | null) {
    super();
    this.file = file;
    checkColour(settings.colour);
    this.settings = settings;
  }

  /** @internal The numbers of the bar. */
  protected abstract get state(): BarState;

  /**
   * @internal Replaces settings.
   *
   * @throws `METHEUS_INVALID_BAR_FORMAT`; all settings stay as they were
   */
  protected applySettings(changes: Partial<BarSettings>): void {
    const { barFormat, colour } = changes;
    if (barFormat && barFormat !== this.settings.barFormat) checkBarFormat(barFormat);
    if (colour !== undefined && colour !== this.settings.colour) checkColour(colour);
    this.settings = { ...this.settings, ...changes };
    this.state.settings = this.settings;
  }

  /** Draws a frame now. */
  abstract refresh(): void;

  /** Units done. Assigning a larger number counts the difference. */
  get n(): number {
    return this.state.currentN;
  }

  set n(n: number) {
    const { state } = this;
    state.setN(state.n + checkedNumber('n', n) - state.currentN);
  }

  /** Units expected; `null` when not known. */
  get total(): number | null {
    return this.state.total;
  }

  set total(total: number | null) {
    this.state.total = knownTotal(checkedOption('total', total ?? null));
  }

  /** Seconds since the start. */
  get elapsed(): number {
    return this.state.elapsed;
  }

  /** Units per second: smoothed, else the average; `null` at the very start. */
  get rate(): number | null {
    return this.state.rateAt(this.state.clock.now());
  }

  /** The text before the bar, with the colon that {@link setDescription} adds. */
  /** @internal Returns the text of `util.inspect` and `console.log`. */
  [inspect.custom](_depth: number, options: InspectOptions): string {
    const { desc, n, total, state } = this;
    const shown = { desc, n, total, state: state.outcome === undefined ? 'running' : STATES[state.outcome] };
    return `${this.constructor.name} ${inspect(shown, options)}`;
  }

  get desc(): string {
    return this.settings.desc;
  }

  set desc(desc: string) {
    this.setDescriptionStr(desc, false);
  }

  /** Sets the text before the bar, with a colon after it. */
  setDescription(desc: string | null = null, refresh = true): void {
    this.setDescriptionStr(desc ? `${desc}: ` : '', refresh);
  }

  /** Sets the text before the bar, without adding a colon. */
  setDescriptionStr(desc: string | null = null, refresh = true): void {
    this.applySettings({ desc: desc ?? '' });
    if (refresh) this.refresh();
  }

  /** Shows values after the meter: `loss=0.5, step=3`. Numbers are shortened. */
  setPostfix(values: Postfix = {}, refresh = true): void {
    this.setPostfixStr(postfixText(values), refresh);
  }

  /** Sets the text after the meter. */
  setPostfixStr(text = '', refresh = true): void {
    this.applySettings({ postfix: String(text) });
    if (refresh) this.refresh();
  }

  /** Minimum units between two frames: adapted to the speed, or as given. */
  get miniters(): number {
    return this.state.miniters;
  }

  set miniters(miniters: number) {
    this.state.setMiniters(checkedOption('miniters', miniters) ?? 0);
  }

  /** Whether `miniters` is adapted to the speed. */
  get dynamicMiniters(): boolean {
    return this.settings.miniters === null;
  }

  /** Units done at the last frame that was due. */
  get lastPrintN(): number {
    return this.state.lastPrintN;
  }

  /** Time of the last frame that was due, in seconds of `performance.now() / 1000`. */
  get lastPrintT(): number {
    return this.state.lastPrintT;
  }

  /** Time when the bar started or was reset, in seconds of `performance.now() / 1000`. */
  get startT(): number {
    return this.state.startT;
  }
}
