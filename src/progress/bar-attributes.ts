/**
 * The attributes that Python's tqdm has, in camelCase. What only changes the picture may be assigned while the bar
 * runs, and is seen in the next frame; what a bar was made with is read only.
 */

import type { ResolvedBarOptions } from './bar-options.js';
import type { BarState } from './bar-state.js';
import type { BarCharacters } from './meter/glyphs.js';
import { checkBarFormat } from './meter/meter.js';
import type { OutputFile } from './screen/terminal.js';

export abstract class BarAttributes {
  readonly #options: { -readonly [Option in keyof ResolvedBarOptions]: ResolvedBarOptions[Option] };

  constructor(options: ResolvedBarOptions) {
    this.#options = { ...options };
  }

  /** @internal What is counted, and when a frame is due. */
  protected abstract get state(): BarState;

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
