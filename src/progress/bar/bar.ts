/** A progress bar that is moved by hand. */

import type { Transform } from 'node:stream';
import type { TransformStream } from 'node:stream/web';
import { checkBarFormat, formatLine, type MeterOptions } from '../meter/meter.js';
import { lookOf } from '../remote/look.js';
import type { LiveBar } from '../screen/live-bars.js';
import { rowOfNewBar } from '../screen/task-rows.js';
import { BarAttributes } from './bar-attributes.js';
import {
  type BarOptions,
  environmentDefaults,
  type ResolvedBarOptions,
  resolveOptions,
} from './bar-options.js';
import { type BarOutput, openOutput } from './bar-output.js';
import { BarState, knownTotal, type Outcome } from './bar-state.js';
import {
  type CountingOptions,
  CountingStream,
  countingTransform,
  type StreamOptions,
} from './counting-stream.js';
import type { Place, Report } from './drawing.js';
import { drawnLine } from './drawn-line.js';
import { type BarEnvironment, processEnvironment } from './environment.js';
import { FAILED, FINISHED } from './record.js';

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
  readonly #options: ResolvedBarOptions;
  readonly #environment: BarEnvironment;
  readonly #output: BarOutput;
  readonly #state: BarState;
  readonly #live: LiveBar;
  readonly #place: Place;
  #disabled: boolean;

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
    const end = knownTotal(resolved.total ?? usualTotal);
    this.#options = resolved;
    this.#environment = environment;
    this.#output = openOutput(resolved, environment, {
      report: () => this.#report(),
      state: () => this.#state,
      look: (stream) => lookOf(this, resolved, stream),
    });
    this.#disabled = this.#output.disabled;
    const bucket = environment.bucketOf({ desc, unit, total: end, initial });
    const record = environment.openRecord(bucket, unit);
    this.#state = new BarState({ ...resolved, total: end }, environment.clock, record, () => this.refresh());
    this.#live = this.#liveBar();
    this.#place = placeOf(this.#live);
    if (this.#disabled) environment.live.addHidden(this.#live);
    else environment.live.add(this.#live);
    if (this.#output.redirects) environment.redirection.hold(this);
    if (resolved.delay <= 0) this.refresh();
  }

  /** The row it stands in, from 0. */
  get position(): number {
    return Math.abs(this.#live.row);
  }

  /** Is nothing drawn any more: because of `disable`, or because the bar is closed? */
  get disable(): boolean {
    return this.#disabled;
  }

  get formatDict(): FormatDict {
    return {
      n: this.#state.n,
      total: this.#state.total,
      elapsed: this.elapsed,
      ...this.#output.screen.size,
      prefix: this.desc,
      ascii: this.ascii,
      unit: this.unit,
      unitScale: this.unitScale,
      rate: this.#state.smoothedRate,
      barFormat: this.barFormat,
      postfix: this.postfix,
      unitDivisor: this.unitDivisor,
      initial: this.initial,
      colour: this.#output.coloured ? this.colour : null,
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
    if (!this.#disabled) this.#output.renderer.clear(this.#place);
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

  /**
   * Draws `message`, or the meter, in the bar's row or another.
   *
   * @returns false when the row is off the screen
   */
  display(message?: string, position?: number): boolean {
    const place = position === undefined ? this.#place : { row: position, rows: this.#place.rows };
    return this.#output.renderer.draw(place, () => message ?? drawnLine(this));
  }

  /** The line as it would be drawn now. */
  override toString(): string {
    return formatLine(this.formatDict, this.formatDict);
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
    // A bar that was delayed and never seen leaves nothing.
    const seen = !this.#disabled && state.lastPrintT >= state.startT + state.delay;
    const stays = seen && (this.leave ?? this.#place.row === 0);
    this.#environment.live.remove(this.#live, stays);
    this.#disabled = true;
    if (seen) this.#leave(stays);
    this.#environment.redirection.release(this);
  }

  #leave(stays: boolean): void {
    if (stays) {
      this.#state.forgetSmoothing();
      this.#output.renderer.finish(this.#place, () => drawnLine(this));
    } else {
      this.#output.renderer.erase(this.#place);
    }
  }

  #report(): Report {
    const { n, total, unit, elapsed, rate } = this;
    const { outcome } = this.#state;
    return {
      state: outcome === null ? 'running' : outcome === FAILED ? 'failed' : 'finished',
      desc: this.desc.replace(/: $/, ''),
      n,
      total,
      unit,
      elapsed,
      rate: rate || null,
      eta: total !== null && rate !== null && rate > 0 ? Math.max(total - n, 0) / rate : null,
      postfix: this.postfix,
    };
  }

  /** A bar that is not drawn takes no row from others. */
  #newRow(): number {
    return this.#disabled ? 0 : rowOfNewBar(this.#environment.live);
  }

  /** The bar as its group sees it. */
  #liveBar(): LiveBar {
    const { position } = this.#options;
    const state = this.#state;
    const rows = () => this.#output.screen.size.nrows || USUAL_ROWS;
    return {
      terminal: this.#output.terminal,
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

/** The bar's place as it is at any moment. */
function placeOf(live: LiveBar): Place {
  return {
    get row() {
      return Math.abs(live.row);
    },
    get rows() {
      return live.rows;
    },
  };
}
