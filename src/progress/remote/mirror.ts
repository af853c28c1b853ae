/** The bar that draws a bar of another thread or process. */

import { Bar } from '../bar/bar.js';
import { type BarEnvironment, createEnvironment } from '../bar/environment.js';
import type { BarFrame } from '../bar/frame.js';
import { FAILED, privateRecord } from '../bar/record.js';
import type { SlotSettings } from './look.js';
import { isClosed, type SlotContent } from './slot.js';

/**
 * Drawn like any bar, in a row of this thread. It counts in a private record, since its own thread publishes it.
 */
export class MirrorBar extends Bar {
  readonly serial: number;
  readonly #environment: BarEnvironment;
  #content: SlotContent;
  #applied: SlotSettings | undefined;
  #drawnN = Number.NaN;
  #drawnAt = Number.NEGATIVE_INFINITY;

  constructor(content: SlotContent, surroundings: Partial<BarEnvironment>) {
    const { settings, numbers, serial } = content;
    const environment = createEnvironment({ ...surroundings, openRecord: privateRecord });
    const { stream, error: _, ...options } = settings;
    super(
      {
        ...options,
        total: numbers.total,
        file: stream === null ? null : environment[stream],
        // Not zero, so that nothing is drawn before the numbers are there.
        delay: Number.MIN_VALUE,
      },
      environment,
    );
    this.serial = serial;
    this.#environment = environment;
    this.#content = content;
    // Marks the bar as seen, so that it leaves its last frame.
    this.state.lastPrintT = Number.POSITIVE_INFINITY;
    this.#take(content);
  }

  /** Draws what is new. `n` is the newest count, which may be ahead of the content's. */
  draw(content: SlotContent, n: number): void {
    const now = this.#environment.clock.now();
    const isWritten = content.version !== this.#content.version || Number.isNaN(this.#drawnN);
    // Every written frame is drawn; in between, the count is followed at the bar's own pace.
    const isDue = isWritten || (n !== this.#drawnN && now - this.#drawnAt >= content.settings.mininterval);
    if (!isDue) return;
    this.#take(content);
    this.state.n = n;
    this.#drawnN = n;
    this.#drawnAt = now;
    this.refresh();
  }

  /** Draws the last frame, or takes the bar off the screen. */
  finish(content: SlotContent): void {
    this.#take(content);
    if (content.state === FAILED) this.fail();
    else this.close();
  }

  protected override frame(): BarFrame {
    const frame = super.frame();
    const { state, numbers, settings } = this.#content;
    const since = isClosed(state) ? 0 : frame.time - numbers.written;
    return {
      ...frame,
      elapsed: numbers.elapsed + Math.max(since, 0),
      rate: frame.state === 'running' ? numbers.rate : null,
      error: settings.error,
    };
  }

  #take(content: SlotContent): void {
    const { settings, numbers } = content;
    this.#content = content;
    this.state.n = numbers.n;
    this.total = numbers.total;
    if (settings === this.#applied) return;
    this.#applied = settings;
    const { error: _, ...changes } = settings;
    this.applySettings(changes);
  }
}
