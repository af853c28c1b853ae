/**
 * The attributes that Python's tqdm has, in camelCase. What only changes the picture may be assigned while the bar
 * runs, and is seen in the next frame; what a bar was made with is read only.
 */

import { warnOnce } from '../../errors.js';
import { type BarCharacters, colourSequence } from '../meter/glyphs.js';
import { checkBarFormat } from '../meter/meter.js';
import { initialPostfix, type Postfix, postfixText } from '../meter/postfix.js';
import type { OutputFile } from '../screen/terminal.js';
import type { ResolvedBarOptions } from './bar-options.js';
import type { BarState } from './bar-state.js';

export abstract class BarAttributes {
  /** Keep the last frame; `null`: only in the first row. */
  leave: boolean | null;
  /** Text after the meter. */
  postfix: unknown;
  readonly #options: { -readonly [Option in keyof ResolvedBarOptions]: ResolvedBarOptions[Option] };
  #desc: string;
  #colour: string | null = null;

  constructor(options: ResolvedBarOptions) {
    this.#options = { ...options };
    this.leave = options.leave;
    this.#desc = options.desc;
    this.colour = options.colour;
    this.postfix = initialPostfix(options.postfix);
  }

  /** @internal What is counted, and when a frame is due. */
  protected abstract get state(): BarState;

  /** Draws a frame now. */
  abstract refresh(): void;

  /** Units done. Assigning counts the units that it grows by. */
  get n(): number {
    return this.state.n + (this.state.loop?.pending ?? 0);
  }

  set n(n: number) {
    this.state.count(n - this.n);
    this.state.n += n - this.n;
  }

  /** Units expected; `null` when not known. */
  get total(): number | null {
    return this.state.total;
  }

  set total(total: number | null) {
    this.state.total = total;
  }

  /** Seconds since the start. */
  get elapsed(): number {
    return this.state.clock.now() - this.state.startT;
  }

  /** Units per second, smoothed when there is enough to smooth; `null` before the first. */
  get rate(): number | null {
    const { elapsed } = this;
    return this.state.smoothedRate ?? (elapsed > 0 ? (this.n - this.state.initial) / elapsed : null);
  }

  /** The text before the bar, with the colon that {@link setDescription} adds. */
  get desc(): string {
    return this.#desc;
  }

  set desc(desc: string) {
    this.setDescriptionStr(desc, false);
  }

  /** A colour's name or `#rrggbb`. An unknown one draws no colour and gives one warning. */
  get colour(): string | null {
    return this.#colour;
  }

  set colour(colour: string | null) {
    this.#colour = colour;
    if (colourSequence(colour) !== undefined) return;
    warnOnce(
      `progress-colour-${colour}`,
      `Unknown progress bar colour '${colour}': expected a name or #rrggbb.`,
    );
  }

  /** Sets the text before the bar; a colon is added. */
  setDescription(desc: string | null = null, refresh = true): void {
    this.setDescriptionStr(desc ? `${desc}: ` : '', refresh);
  }

  /** Sets the text before the bar as it is. */
  setDescriptionStr(desc: string | null = null, refresh = true): void {
    this.#desc = desc ?? '';
    if (refresh) this.refresh();
  }

  /** Shows values after the meter: `loss=0.5, step=3`. Numbers are shortened. */
  setPostfix(values: Postfix = {}, refresh = true): void {
    this.setPostfixStr(postfixText(values), refresh);
  }

  /** Sets the text after the meter. */
  setPostfixStr(text = '', refresh = true): void {
    this.postfix = String(text);
    if (refresh) this.refresh();
  }

  /** The file that was named; `null` for the default, `process.stderr`. */
  get file(): OutputFile | null {
    return this.#options.file;
  }

  /** What is counted, on the screen. A published bar keeps the unit that it began with. */
  get unit(): string {
    return this.#options.unit;
  }

  set unit(unit: string) {
    this.#options.unit = unit;
  }

  get unitScale(): boolean | number {
    return this.#options.unitScale;
  }

  set unitScale(unitScale: boolean | number) {
    this.#options.unitScale = unitScale;
  }

  get unitDivisor(): number {
    return this.#options.unitDivisor;
  }

  set unitDivisor(unitDivisor: number) {
    this.#options.unitDivisor = unitDivisor;
  }

  get ascii(): BarCharacters {
    return this.#options.ascii;
  }

  set ascii(ascii: BarCharacters) {
    this.#options.ascii = ascii;
  }

  get barFormat(): string | null {
    return this.#options.barFormat;
  }

  /** @throws MetheusError `METHEUS_INVALID_BAR_FORMAT`; the format before stays */
  set barFormat(barFormat: string | null) {
    if (barFormat) checkBarFormat(barFormat);
    this.#options.barFormat = barFormat;
  }

  /** Units done before the start. */
  get initial(): number {
    return this.#options.initial;
  }

  get smoothing(): number {
    return this.#options.smoothing;
  }

  get dynamicNcols(): boolean {
    return this.#options.dynamicNcols;
  }

  /** Seconds before the first frame. */
  get delay(): number {
    return this.#options.delay;
  }

  /** Least seconds between two frames. */
  get mininterval(): number {
    return this.state.mininterval;
  }

  set mininterval(seconds: number) {
    this.state.mininterval = seconds;
  }

  /** Most seconds between two frames before `miniters` is lowered. */
  get maxinterval(): number {
    return this.state.maxinterval;
  }

  set maxinterval(seconds: number) {
    this.state.maxinterval = seconds;
  }

  /** Units between two looks at the clock, as found from the speed, or as given. */
  get miniters(): number {
    return this.state.miniters;
  }

  set miniters(miniters: number) {
    this.state.setMiniters(miniters);
  }

  /** Is `miniters` found from the speed? */
  get dynamicMiniters(): boolean {
    return this.state.dynamicMiniters;
  }

  /** Units done at the last frame that was due. */
  get lastPrintN(): number {
    return this.state.lastPrintN;
  }

  /** When that was, in seconds of `performance.now() / 1000`. */
  get lastPrintT(): number {
    return this.state.lastPrintT;
  }

  /** When the bar started, or was reset, on the same clock. */
  get startT(): number {
    return this.state.startT;
  }
}
