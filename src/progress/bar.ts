/** A progress bar that is moved by hand. */

import { checkBarFormat, formatMeter, type MeterOptions } from './meter.js';
import { type BarOptions, environmentDefaults, type ResolvedBarOptions, resolveOptions } from './bar-options.js';
import { BarState, type Outcome } from './bar-state.js';
import { type BarEnvironment, processEnvironment } from './environment.js';
import { warnOnce } from '../errors.js';
import { colourSequence } from './glyphs.js';
import type { LiveBar } from './live-bars.js';
import { formatNum } from './quantity.js';
import { FAILED, FINISHED } from './record.js';
import { FrameRenderer, LineRenderer, type Place, type Renderer, silentRenderer } from './renderer.js';
import { type ScreenSize, screenSize, Terminal } from './terminal.js';

/** Rows of a screen of unknown size. */
const USUAL_ROWS = 20;
/** Least seconds between two lines of a log. */
const LINE_INTERVAL = 10;

/** Texts to show as `key=value`: an object, a Map, or pairs. */
export type Postfix = Readonly<Record<string, unknown>> | Iterable<readonly [string, unknown]>;

/** The bar's numbers and settings at one moment: what its line is made of. */
export type FormatDict = MeterOptions & { readonly nrows: number | null };

function isPairs(postfix: Postfix): postfix is Iterable<readonly [string, unknown]> {
  return Symbol.iterator in postfix;
}

/**
 * A bar without anything to iterate: call {@link update}, and {@link close} at the end (`using` does).
 *
 * What is counted never depends on what is drawn: a bar that is disabled, closed, or whose terminal is gone goes on
 * counting into its record.
 */
export class Bar implements Disposable {
  /** What is counted. */
  readonly unit: string;
  /** Keep the last frame; `null`: only in the first row. */
  leave: boolean | null;
  /** Text after the meter. */
  postfix: unknown = null;
  readonly #options: ResolvedBarOptions;
  readonly #environment: BarEnvironment;
  readonly #terminal: Terminal;
  readonly #state: BarState;
  readonly #live: LiveBar;
  #renderer: Renderer;
  #disabled: boolean;
  #size: ScreenSize;
  #desc: string;
  #colour: string | null = null;

  /**
   * @throws MetheusError `METHEUS_INVALID_BAR_OPTION`, `METHEUS_INVALID_BAR_FORMAT`
   * @param usualTotal - the total when `options.total` says nothing: the length of what is iterated
   */
  constructor(
    options: BarOptions = {},
    environment: BarEnvironment = processEnvironment,
    usualTotal: number | null = null,
  ) {
    const resolved = resolveOptions(options, environmentDefaults(environment.env));
    const { barFormat, desc, unit, initial } = resolved;
    if (barFormat) checkBarFormat(barFormat);
    const total = resolved.total ?? usualTotal;
    const end = total === Number.POSITIVE_INFINITY ? null : total;
    this.#options = resolved;
    this.#environment = environment;
    this.unit = unit;
    this.leave = resolved.leave;
    this.#desc = desc;
    this.colour = resolved.colour;
    this.#setInitialPostfix(resolved.postfix);
    this.#terminal = Terminal.of(resolved.file ?? environment.stderr);
    this.#disabled = resolved.disable ?? !this.#terminal.isTTY;
    this.#size = this.#measure(true);
    const bucket = environment.bucketOf({ desc, unit, total: end, initial });
    const record = environment.openRecord(bucket, unit);
    this.#state = new BarState({ ...resolved, total: end }, environment.clock, record, () => this.refresh());
    this.#renderer = this.#chooseRenderer();
    this.#live = this.#liveBar();
    if (this.#disabled) return;
    environment.live.add(this.#live);
    if (resolved.delay <= 0) this.refresh();
  }

  /** Units done. Assigning counts the units that it grows by. */
  get n(): number {
    return this.#state.n + (this.#state.loop?.pending ?? 0);
  }

  set n(n: number) {
    this.#state.count(n - this.n);
    this.#state.n += n - this.n;
  }

  /** Units expected; `null` when not known. */
  get total(): number | null {
    return this.#state.total;
  }

  set total(total: number | null) {
    this.#state.total = total;
  }

  /** Seconds since the start. */
  get elapsed(): number {
    return this.#environment.clock.now() - this.#state.startT;
  }

  /** Units per second, smoothed when there is enough to smooth; `null` before the first. */
  get rate(): number | null {
    const { elapsed } = this;
    return this.#state.smoothedRate ?? (elapsed > 0 ? (this.n - this.#state.initial) / elapsed : null);
  }

  /** The text before the bar, with the colon that {@link setDescription} adds. */
  get desc(): string {
    return this.#desc;
  }

  /** Is nothing drawn any more: because of `disable`, or because the bar is closed? */
  get disable(): boolean {
    return this.#disabled;
  }

  /** A colour's name or `#rrggbb`. An unknown one draws no colour and gives one warning. */
  get colour(): string | null {
    return this.#colour;
  }

  set colour(colour: string | null) {
    this.#colour = colour;
    if (colourSequence(colour) !== null) return;
    warnOnce(`progress-colour-${colour}`, `Unknown progress bar colour '${colour}': expected a name or #rrggbb.`);
  }

  get formatDict(): FormatDict {
    const { ascii, unitScale, barFormat, unitDivisor, initial } = this.#options;
    this.#size = this.#measure(false);
    return {
      n: this.#state.n,
      total: this.#state.total,
      elapsed: this.elapsed,
      ...this.#size,
      prefix: this.#desc,
      ascii,
      unit: this.unit,
      unitScale,
      rate: this.#state.smoothedRate,
      barFormat,
      postfix: this.postfix,
      unitDivisor,
      initial,
      colour: this.#colour,
    };
  }

  /**
   * Counts `n` more units (default 1) and draws when it is time to.
   *
   * @param n - below zero takes units back on the screen; what was published stays
   * @returns whether a frame was drawn
   */
  update(n = 1): boolean {
    return this.#state.update(n);
  }

  /** Ends the bar: draws its last frame, or takes it away. Calling it again does nothing. */
  close(): void {
    this.#end(FINISHED);
  }

  /** Ends the bar as failed. `error` is what made it fail; it is not thrown. */
  fail(_error?: unknown): void {
    this.#end(FAILED);
  }

  /** Takes the bar off the screen until the next frame. */
  clear(): void {
    if (!this.#disabled) this.#renderer.clear(this.#place());
  }

  /** Draws a frame now. */
  refresh(): void {
    if (!this.#disabled) this.display();
  }

  /** Does not count the time since the last frame. */
  unpause(): void {
    if (!this.#disabled) this.#state.unpause();
  }

  /** Starts over at 0, with another total when one is given. */
  reset(total: number | null = null): void {
    this.#state.reset(total);
    this.refresh();
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
  setPostfix(values: Postfix, refresh = true): void {
    const pairs = isPairs(values) ? [...values] : Object.entries(values);
    // A key given twice keeps its first place and its last value.
    const shown = [...new Map(pairs)].map(([key, value]) => {
      return `${key}=${(typeof value === 'number' ? formatNum(value) : String(value)).trim()}`;
    });
    this.setPostfixStr(shown.join(', '), refresh);
  }

  /** Sets the text after the meter. */
  setPostfixStr(text = '', refresh = true): void {
    this.postfix = text;
    if (refresh) this.refresh();
  }

  /**
   * Draws `message`, or the meter, in the bar's row or another.
   *
   * @returns false when the row is off the screen
   */
  display(message?: string, position?: number): boolean {
    const place = this.#place();
    const row = position ?? place.row;
    return this.#renderer.draw({ row, rows: place.rows }, () => message ?? this.toString());
  }

  /** The line as it would be drawn now. */
  toString(): string {
    return formatMeter(this.formatDict);
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** @internal What the loops of the subclasses work on. */
  protected get state(): BarState {
    return this.#state;
  }

  /** @internal The end of a loop. */
  protected readonly endLoop = (outcome: Outcome): void => this.#end(outcome);

  #end(outcome: Outcome): void {
    const state = this.#state;
    if (state.closed) return;
    state.end(outcome);
    if (this.#disabled) return;
    this.#disabled = true;
    const place = this.#place();
    this.#environment.live.remove(this.#live);
    // A bar that was delayed and never seen leaves nothing.
    if (state.lastPrintT < state.startT + state.delay) return;
    if (this.leave ?? place.row === 0) {
      state.forgetSmoothing();
      this.#renderer.finish(place, () => this.toString());
    } else {
      this.#renderer.erase(place);
    }
  }

  #setInitialPostfix(postfix: unknown): void {
    if (!postfix) return;
    if (typeof postfix !== 'object' || Array.isArray(postfix)) {
      this.postfix = postfix;
      return;
    }
    // tqdm takes these as keyword arguments, which it sorts.
    const entries = Object.entries(postfix).sort(([a], [b]) => (a < b ? -1 : 1));
    this.setPostfix(entries, false);
  }

  #isStandard(): boolean {
    const { stderr, stdout } = this.#environment;
    return this.#terminal.file === stderr || this.#terminal.file === stdout;
  }

  /** The size to draw for: as given, else the screen's, asked for once unless it may change. */
  #measure(first: boolean): ScreenSize {
    const { ncols, nrows, dynamicNcols } = this.#options;
    const { env } = this.#environment;
    if (dynamicNcols) return screenSize(this.#terminal.file, env);
    if (!first) return this.#size;
    if ((ncols !== null && nrows !== null) || !this.#isStandard()) return { ncols, nrows };
    const screen = screenSize(this.#terminal.file, env);
    return { ncols: ncols ?? screen.ncols, nrows: nrows ?? screen.nrows };
  }

  #chooseRenderer(): Renderer {
    if (this.#disabled) return silentRenderer;
    // A file that was named gets frames, as tqdm does; a log that nobody named gets lines.
    if (this.#options.file !== null || this.#terminal.isTTY) return new FrameRenderer(this.#terminal);
    const interval = Math.max(this.#options.mininterval, LINE_INTERVAL);
    return new LineRenderer(this.#terminal, this.#environment.clock, interval);
  }

  #place(): Place {
    return { row: Math.abs(this.#live.row), rows: this.#live.rows };
  }

  /** The bar as its group sees it. */
  #liveBar(): LiveBar {
    const { position } = this.#options;
    const state = this.#state;
    const rows = () => this.#size.nrows || USUAL_ROWS;
    return {
      terminal: this.#terminal,
      row: position === null ? this.#environment.live.freeRow() : -position,
      get rows() {
        return rows();
      },
      clear: () => this.clear(),
      refresh: () => this.refresh(),
      rescue: () => {
        const now = state.clock.now();
        if (state.miniters <= 1 || now - state.lastPrintT < state.maxinterval) return;
        state.setMiniters(1);
        state.publish(now);
        this.refresh();
      },
      abandon: (exitCode) => this.#end(exitCode === 0 ? FINISHED : FAILED),
    };
  }
}
