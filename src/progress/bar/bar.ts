/** A progress bar that moves by calls of `update`. */

import { checkBarFormat } from '../meter/meter.js';
import { initialPostfix, plainPostfix } from '../meter/postfix.js';
import { rowOfNewBar } from '../screen/task-rows.js';
import { streamName, type Terminal } from '../screen/terminal.js';
import { BarAttributes } from './bar-attributes.js';
import { BarBucket, type BarNumbers, moveBar, snapshotOf, transferBar } from './bar-bucket.js';
import { type BarOptions, checkedOption, environmentDefaults, resolveOptions } from './bar-options.js';
import { BarState } from './bar-state.js';
import {
  type BarEnvironment,
  type BarPublisher,
  type BarSnapshot,
  processEnvironment,
} from './environment.js';
import type { BarFrame } from './frame.js';
import { type FormatDict, harmlessText } from './line.js';
import { type BarOutput, openOutput } from './output.js';
import { type BarRecord, FAILED, FINISHED, knownTotal, type Outcome, STATES } from './record.js';
import type { BarHost } from './renderer.js';
import { forgetLeft, noteLeft } from './uncaught.js';

/** Number of bars that this thread has opened. */
let bars = 0;

/** Rows assumed for a screen of unknown size. */
const DEFAULT_ROWS = 20;

/**
 * A bar that iterates nothing: call {@link update} as the work proceeds, and {@link close} at the end. A bar declared
 * with `using` closes by itself.
 *
 * Counting never depends on drawing: a bar that is disabled or closed, or whose terminal is gone, still counts.
 */
export class Bar extends BarAttributes implements Disposable {
  readonly #environment: BarEnvironment;
  readonly #output: BarOutput;
  readonly #state: BarState;
  readonly #host: BarHost;
  #isDisabled: boolean;
  /** The bucket of the bar; undefined if the bar never changes its bucket. */
  #bucket: BarBucket | undefined;

  /**
   * @param length - the total when `options.total` is not given: the length of what is iterated
   * @throws `METHEUS_INVALID_BAR_OPTION`, `METHEUS_INVALID_BAR_FORMAT`
   */
  constructor(
    options: BarOptions = {},
    environment: BarEnvironment = processEnvironment,
    length?: number | undefined,
  ) {
    const { total, file, settings } = resolveOptions(options, environmentDefaults(environment.env));
    const stream = file === null ? null : (streamName(file, environment) ?? null);
    Object.assign(settings, { stream, postfix: initialPostfix(settings.postfix) });
    super(settings, file);
    const { barFormat, initial, position } = settings;
    if (barFormat) checkBarFormat(barFormat);
    forgetLeft();
    const end = knownTotal(total ?? length ?? null);
    this.#environment = environment;
    this.#host = new Bar.#Host(this);
    this.#output = openOutput(settings, file, environment, this.#host);
    this.#isDisabled = this.#output.isDisabled;
    // A bar that is not drawn takes no row from others.
    this.#host.row = position === null ? (this.#isDisabled ? 0 : rowOfNewBar(environment.live)) : -position;
    const start = { n: initial, total: end, elapsed: 0, rate: null, miniters: settings.miniters ?? 0 };
    const record = this.#openRecord(environment, start);
    this.#state = new BarState(settings, end, environment.clock, record, this.#host);
    environment.live.add(this.#host, !this.#isDisabled);
    if (this.#output.redirects) environment.redirection.hold(this);
    if (settings.delay <= 0) this.refresh();
  }

  /** The view of a bar for its renderer and its screen. One class for all bars, since a program may have thousands. */
  static readonly #Host = class implements BarHost {
    readonly id = ++bars;
    row = 0;

    constructor(readonly bar: Bar) {}

    get terminal(): Terminal {
      return this.bar.#output.terminal;
    }
    get rows(): number {
      return this.bar.#output.lines.size.nrows || DEFAULT_ROWS;
    }
    get record(): BarRecord {
      return this.bar.#state.record;
    }
    get n(): number {
      return this.bar.#state.currentN;
    }
    frame(isIdle = false): BarFrame {
      return this.bar.frame(isIdle);
    }
    lineOf(frame: BarFrame): string {
      return this.bar.#output.lines.safeLineOf(frame);
    }
    clear(): void {
      this.bar.clear();
    }
    refresh(): void {
      this.bar.refresh();
    }
    rescue(): void {
      this.bar.#state.rescue();
    }
    describe(): object {
      const snapshot = this.bar.snapshot();
      const postfix = plainPostfix(snapshot.postfix);
      return { proxy: this.record.proxy ?? null, ...snapshot, postfix };
    }
    sample(): void {
      if (this.bar.#state.sample()) this.bar.#output.renderer.tick?.();
    }
    abandon(exitCode: number): void {
      this.bar.#state.loop?.settle();
      this.bar.#end(exitCode === 0 ? this.bar.#state.outcomeOfClose : FAILED);
    }
  };

  /** Row of the bar, from 0. */
  get position(): number {
    return Math.abs(this.#host.row);
  }

  /** Whether nothing is drawn any more, because of `disable` or because the bar is closed. */
  get disable(): boolean {
    return this.#isDisabled;
  }

  get formatDict(): FormatDict {
    return this.#output.lines.formatDict(this.frame());
  }

  /**
   * Counts `n` more units (default 1) and draws a frame when one is due.
   *
   * @param n - a negative number takes units back on the screen; the published count only grows
   * @returns whether a frame was drawn
   */
  override update(n = 1): boolean {
    return this.#state.update(n);
  }

  /**
   * Closes the bar: draws its last frame, or takes it off the screen. Below a known total, it counts as incomplete; see
   * {@link done}. Further calls do nothing.
   */
  override close(): void {
    this.#end(this.#state.outcomeOfClose);
  }

  /** Closes the bar as finished, even if it has not reached its total. */
  done(): void {
    this.#end(FINISHED);
  }

  /**
   * Closes the bar as failed.
   *
   * @param error - the reason; it is not thrown. If it is an `Error`, the last line shows its name
   */
  override fail(error?: unknown): void {
    this.#end(FAILED, error);
  }

  /** Takes the bar off the screen until the next frame. */
  clear(): void {
    if (!this.#isDisabled) this.#output.renderer.clear();
  }

  /** Draws a frame now. */
  refresh(): void {
    this.#follow();
    if (!this.#isDisabled) this.display();
  }

  /** Excludes the time since the last frame from the elapsed time. */
  unpause(): void {
    if (!this.#isDisabled) this.#state.unpause();
  }

  /** Starts over at 0, with another total when one is given. */
  reset(total: number | null = null): void {
    this.#state.reset(checkedOption('total', total));
    this.refresh();
  }

  /**
   * Draws `message`, by default the meter, in the row `position`, by default the bar's own.
   *
   * @returns false when the row is off the screen
   */
  display(message?: string, position?: number): boolean {
    const frame = this.frame();
    const text = message === undefined ? undefined : harmlessText(message);
    const isOnScreen = this.#output.renderer.draw(frame, text, position);
    this.#output.taskbar?.show(frame);
    return isOnScreen;
  }

  /** Returns the line as it would be drawn now. */
  override toString(): string {
    return this.#output.lines.lineOf(this.frame());
  }

  [Symbol.dispose](): void {
    const outcome = this.#state.outcomeOfClose;
    this.endLoop(outcome === FINISHED ? outcome : undefined);
  }

  /** @internal The numbers that the loops of the subclasses work on. */
  protected override get state(): BarState {
    return this.#state;
  }

  /** @internal Takes a frame. */
  protected frame(isIdle = false): BarFrame {
    const state = this.#state;
    const frame: BarFrame = {
      state: state.outcome === undefined ? 'running' : STATES[state.outcome],
      n: state.n,
      total: state.total,
      elapsed: state.elapsed,
      rate: state.speed.rate,
      time: state.clock.unix(),
      error: state.error,
      settings: this.settings,
    };
    return isIdle ? { ...frame, ...state.idle } : frame;
  }

  /** @internal Returns the current numbers and settings of the bar. */
  snapshot(): BarSnapshot {
    const { n, total, miniters } = this;
    return snapshotOf(this.#host, { ...this.frame(), n, total, miniters }, this.settings);
  }

  /** @internal Name of the proxy that publishes the bar, if there is one. */
  get proxy(): string | undefined {
    return this.#state.record.proxy;
  }

  /** @internal Publishes an open, unpublished bar with everything it has counted so far. */
  publishBy(publisher: BarPublisher): void {
    if (this.#state.outcome !== undefined) return;
    transferBar(this.#state, this.#openRecord(publisher, this.snapshot()));
    // The frame on a board contains the location of the bar's cells, which has changed.
    if (this.#isSeen) this.refresh();
  }

  #openRecord({ openRecord, bucketOf, followsBuckets = false }: BarPublisher, bar: BarNumbers): BarRecord {
    if (bucketOf === undefined) return openRecord('', this.unit);
    const bucket = new BarBucket(openRecord, bucketOf, snapshotOf(this.#host, bar, this.settings));
    this.#bucket = followsBuckets ? bucket : undefined;
    return bucket.openRecord();
  }

  /** Moves the bar to another bucket if its changes have led to another one. */
  #follow(): void {
    if (this.#bucket === undefined || this.#state.outcome !== undefined) return;
    const record = this.#bucket.next(this.snapshot());
    if (record !== undefined) moveBar(this.#state, record);
  }

  /** @internal Ends the bar with its loop. @param given - the outcome; by default that of {@link close} */
  protected endLoop(given?: Outcome, error?: unknown): void {
    const state = this.#state;
    const outcome = given ?? state.outcomeOfClose;
    if (given === undefined && state.outcome === undefined) noteLeft(state, outcome);
    this.#end(outcome, error);
  }

  #end(outcome: Outcome, error?: unknown): void {
    const state = this.#state;
    if (state.outcome !== undefined) return;
    this.#follow();
    state.end(outcome, error);
    // A bar that ends within its `delay` was never drawn, so it leaves no line.
    const wasSeen = this.#isSeen;
    const stays = wasSeen && (this.leave ?? this.position === 0);
    this.#environment.live.remove(this.#host, stays);
    this.#isDisabled = true;
    if (stays) this.#output.renderer.finish(this.frame());
    else if (wasSeen) this.#output.renderer.erase(this.frame());
    this.#output.taskbar?.hide();
    this.#environment.redirection.release(this);
  }

  get #isSeen(): boolean {
    const { lastPrintT, startT } = this.#state;
    return !this.#isDisabled && lastPrintT >= startT + this.delay;
  }
}
