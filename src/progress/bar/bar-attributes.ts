/**
 * The attributes of Python's tqdm, in camelCase. Attributes that only change the line may be assigned while the bar runs,
 * and are seen in the next frame; the others are read-only.
 */

import { warnOnce } from '../../errors.js';
import { type BarCharacters, colourSequence } from '../meter/glyphs.js';
import { checkBarFormat } from '../meter/meter.js';
import { type Postfix, postfixText } from '../meter/postfix.js';
import type { OutputFile } from '../screen/terminal.js';
import type { BarState } from './bar-state.js';
import type { BarSettings } from './frame.js';

function checkColour(colour: string | null): void {
  if (colourSequence(colour) !== undefined) return;
  warnOnce(
    `progress-colour-${colour}`,
    `Unknown progress bar colour '${colour}': expected a name or #rrggbb.`,
  );
}

export abstract class BarAttributes {
  /** The file that was given; `null` for the default, `process.stderr`. */
  readonly file: OutputFile | null;
  /** @internal Replaced as a whole by {@link applySettings}. */
  protected settings: BarSettings;

  constructor(settings: BarSettings, file: OutputFile | null) {
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
  }

  /** Draws a frame now. */
  abstract refresh(): void;

  /** Units done. Assigning counts the units that it grows by. */
  get n(): number {
    return this.state.currentN;
  }

  set n(n: number) {
    const { state } = this;
    const amount = n - state.currentN;
    state.count(amount);
    state.n += amount;
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
    return this.state.elapsed;
  }

  /** Units per second: smoothed, else the average; `null` at the very start. */
  get rate(): number | null {
    const { elapsed, state } = this;
    return state.smoothedRate ?? (elapsed > 0 ? (state.currentN - state.initial) / elapsed : null);
  }

  /** The text before the bar, with the colon that {@link setDescription} adds. */
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

  /** Sets the text before the bar as it is. */
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

  /** Text or data after the meter. */
  get postfix(): unknown {
    return this.settings.postfix;
  }

  set postfix(postfix: unknown) {
    this.applySettings({ postfix });
  }

  /** A colour's name or `#rrggbb`. An unknown one draws no colour and warns once. */
  get colour(): string | null {
    return this.settings.colour;
  }

  set colour(colour: string | null) {
    this.applySettings({ colour });
  }

  /** Whether the last frame stays; `null`: only in the first row. */
  get leave(): boolean | null {
    return this.settings.leave;
  }

  set leave(leave: boolean | null) {
    this.applySettings({ leave });
  }

  /** Name of what is counted, as drawn. A published bar keeps the unit that it began with. */
  get unit(): string {
    return this.settings.unit;
  }

  set unit(unit: string) {
    this.applySettings({ unit });
  }

  get unitScale(): boolean | number {
    return this.settings.unitScale;
  }

  set unitScale(unitScale: boolean | number) {
    this.applySettings({ unitScale });
  }

  get unitDivisor(): number {
    return this.settings.unitDivisor;
  }

  set unitDivisor(unitDivisor: number) {
    this.applySettings({ unitDivisor });
  }

  get ascii(): BarCharacters {
    return this.settings.ascii;
  }

  set ascii(ascii: BarCharacters) {
    this.applySettings({ ascii });
  }

  get barFormat(): string | null {
    return this.settings.barFormat;
  }

  /** @throws `METHEUS_INVALID_BAR_FORMAT`; the previous format stays */
  set barFormat(barFormat: string | null) {
    this.applySettings({ barFormat });
  }

  /** Units done before the start. */
  get initial(): number {
    return this.settings.initial;
  }

  get smoothing(): number {
    return this.settings.smoothing;
  }

  get dynamicNcols(): boolean {
    return this.settings.dynamicNcols;
  }

  /** Seconds before the first frame. */
  get delay(): number {
    return this.settings.delay;
  }

  /** Least seconds between two frames. */
  get mininterval(): number {
    return this.settings.mininterval;
  }

  set mininterval(mininterval: number) {
    this.applySettings({ mininterval });
    this.state.mininterval = mininterval;
  }

  /** Seconds without a frame after which `miniters` is lowered. */
  get maxinterval(): number {
    return this.settings.maxinterval;
  }

  set maxinterval(maxinterval: number) {
    this.applySettings({ maxinterval });
    this.state.maxinterval = maxinterval;
  }

  /** Units between two readings of the clock: found from the speed, or as given. */
  get miniters(): number {
    return this.state.miniters;
  }

  set miniters(miniters: number) {
    this.state.setMiniters(miniters);
  }

  /** Whether `miniters` is found from the speed. */
  get dynamicMiniters(): boolean {
    return this.state.dynamicMiniters;
  }

  /** Units done at the last frame that was due. */
  get lastPrintN(): number {
    return this.state.lastPrintN;
  }

  /** Time of the last frame that was due, in seconds of `performance.now() / 1000`. */
  get lastPrintT(): number {
    return this.state.lastPrintT;
  }

  /** Time when the bar started or was reset, on the same clock. */
  get startT(): number {
    return this.state.startT;
  }
}
