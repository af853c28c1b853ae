/** A progress bar that is moved by hand. */

import type { Transform } from 'node:stream';
import type { TransformStream } from 'node:stream/web';
import { warnOnce } from '../errors.js';
import { BarAttributes } from './bar-attributes.js';
import {
  type BarOptions,
  environmentDefaults,
  type ResolvedBarOptions,
  resolveOptions,
} from './bar-options.js';
import { BarState, type Outcome } from './bar-state.js';
import {
  type CountingOptions,
  CountingStream,
  countingTransform,
  type StreamOptions,
} from './counting-stream.js';
import { type BarEnvironment, processEnvironment } from './environment.js';
import { colourSequence } from './glyphs.js';
import type { LiveBar } from './live-bars.js';
import { checkBarFormat, formatMeter, type MeterOptions } from './meter.js';
import { initialPostfix, type Postfix, postfixText } from './postfix.js';
import { FAILED, FINISHED } from './record.js';
import { createRenderer, type Place, type Renderer } from './renderer.js';
import { Screen } from './screen.js';
import { rowOfNewBar } from './task-rows.js';
import { Terminal } from './terminal.js';

/** Rows of a screen of unknown size. */
const USUAL_ROWS = 20;
/** The bar's numbers and settings at one moment: what its line is made of. */
export type FormatDict = MeterOptions & { readonly nrows: number | null };

/**
 * A bar without anything to iterate: call {@link update}, and {@link close} at the end (`using` does).
 *
 * What is counted never depends on what is drawn: a bar that is disabled, closed, or whose terminal is gone goes on
 * counting into its record.
 */
export class Bar extends BarAttributes implements Disposable {
  /** Keep the last frame; `null`: only in the first row. */
  leave: boolean | null;
  /** Text after the meter. */
  postfix: unknown;
  readonly #options: ResolvedBarOptions;
  readonly #environment: BarEnvironment;
  readonly #terminal: Terminal;
  readonly #state: BarState;
  readonly #live: LiveBar;
  readonly #screen: Screen;
  readonly #renderer: Renderer;
  #disabled: boolean;
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
    super(resolved);
    const { barFormat, desc, unit, initial } = resolved;
    if (barFormat) checkBarFormat(barFormat);
    const total = resolved.total ?? usualTotal;
    const end = total === Number.POSITIVE_INFINITY ? null : total;
    this.#options = resolved;
    this.#environment = environment;
    this.leave = resolved.leave;
    this.#desc = desc;
    this.colour = resolved.colour;
    this.postfix = initialPostfix(resolved.postfix);
    this.#terminal = Terminal.of(resolved.file ?? environment.stderr);
    this.#disabled = resolved.disable ?? !this.#terminal.isTTY;
    this.#screen = new Screen(this.#terminal.file, resolved, environment);
    const bucket = environment.bucketOf({ desc, unit, total: end, initial });
    const record = environment.openRecord(bucket, unit);
    this.#state = new BarState({ ...resolved, total: end }, environment.clock, record, () => this.refresh());
    this.#renderer = createRenderer(
      {
        terminal: this.#terminal,
        named: resolved.file !== null,
        disabled: this.#disabled,
        mininterval: resolved.mininterval,
      },
      environment.clock,
    );
    this.#live = this.#liveBar();
    if (this.#disabled) environment.live.addHidden(this.#live);
    else environment.live.add(this.#live);
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

  set desc(desc: string) {
    this.setDescriptionStr(desc, false);
  }

  /** The row it stands in, from 0. */
  get position(): number {
    return Math.abs(this.#live.row);
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
    warnOnce(
      `progress-colour-${colour}`,
      `Unknown progress bar colour '${colour}': expected a name or #rrggbb.`,
    );
  }

  get formatDict(): FormatDict {
    return {
      n: this.#state.n,
      total: this.#state.total,
      elapsed: this.elapsed,
      ...this.#screen.size,
      prefix: this.#desc,
      ascii: this.ascii,
      unit: this.unit,
      unitScale: this.unitScale,
      rate: this.#state.smoothedRate,
      barFormat: this.barFormat,
      postfix: this.postfix,
      unitDivisor: this.unitDivisor,
      initial: this.initial,
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

  /**
   * A stream for `pipeline` that passes everything on and counts its bytes, or its objects. The bar ends with it: an
   * error fails it; the end, or being destroyed without an error, finishes it.
   */
  stream(options?: StreamOptions): Transform {
    return new CountingStream(this, options);
  }

  /** The same for `pipeThrough`: bytes of views, buffers and text; chunks of any kind with `objectMode`. */
  webStream<T = Uint8Array>(options?: CountingOptions): TransformStream<T, T> {
    return countingTransform(this, options);
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
    this.setPostfixStr(postfixText(values), refresh);
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
  override toString(): string {
    return formatMeter(this.formatDict);
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** @internal What the loops of the subclasses work on. */
  protected override get state(): BarState {
    return this.#state;
  }

  /** @internal The end of a loop. */
  protected readonly endLoop = (outcome: Outcome): void => this.#end(outcome);

  #end(outcome: Outcome): void {
    const state = this.#state;
    if (state.closed) return;
    state.end(outcome);
    this.#environment.live.remove(this.#live);
    if (this.#disabled) return;
    this.#disabled = true;
    const place = this.#place();
    // A bar that was delayed and never seen leaves nothing.
    if (state.lastPrintT < state.startT + state.delay) return;
    if (this.leave ?? place.row === 0) {
      state.forgetSmoothing();
      this.#renderer.finish(place, () => this.toString());
    } else {
      this.#renderer.erase(place);
    }
  }

  #place(): Place {
    return { row: this.position, rows: this.#live.rows };
  }

  /** A bar that is not drawn takes no row from others. */
  #newRow(): number {
    return this.#disabled ? 0 : rowOfNewBar(this.#environment.live);
  }

  /** The bar as its group sees it. */
  #liveBar(): LiveBar {
    const { position } = this.#options;
    const state = this.#state;
    const rows = () => this.#screen.size.nrows || USUAL_ROWS;
    return {
      terminal: this.#terminal,
      row: position === null ? this.#newRow() : -position,
      get rows() {
        return rows();
      },
      clear: () => this.clear(),
      refresh: () => this.refresh(),
      rescue: () => {
        const now = state.clock.now();
        if (now - state.lastPrintT < state.maxinterval) return;
        const silent = state.miniters > 1;
        // Setting it makes the next update look at the clock, whatever pace was believed.
        state.setMiniters(Math.min(state.miniters, 1));
        if (!silent) return;
        state.publish(now);
        this.refresh();
      },
      abandon: (exitCode) => this.#end(exitCode === 0 ? FINISHED : FAILED),
    };
  }
}
