import { Bar } from '../bar/bar.js';
import { type BarEnvironment, createEnvironment } from '../bar/environment.js';
import type { BarFrame } from '../bar/frame.js';
import { FAILED, FINISHED, privateRecord } from '../bar/record.js';
import { isClosed, type SlotContent, type SlotSettings } from './slot.js';

/**
 * A bar of another thread or process, drawn by this one. It counts into a private record, since the bar itself is
 * published where it runs.
 */
export class RemoteBar extends Bar {
  readonly serial: number;
  #content: SlotContent;
  #applied: SlotSettings | undefined;
  #drawnN = Number.NaN;
  #drawnT = Number.NEGATIVE_INFINITY;

  constructor(content: SlotContent, surroundings: BarEnvironment) {
    const { settings, numbers, serial } = content;
    const environment = createEnvironment({ openRecord: privateRecord }, surroundings);
    const { stream, error: _, ...options } = settings;
    super(
      {
        ...options,
        total: numbers.total,
        file: stream === null ? null : environment[stream],
        // A delay above zero keeps the constructor from drawing.
        delay: Number.MIN_VALUE,
      },
      environment,
    );
    this.serial = serial;
    this.#content = content;
    // Makes the bar count as drawn before. A bar that was never drawn would leave no last frame.
    this.state.lastPrintT = Number.POSITIVE_INFINITY;
    this.#apply(content);
  }

  /**
   * Draws what is new.
   *
   * @param n - the newest count, which may be ahead of the content
   */
  draw(content: SlotContent, n: number): void {
    const now = this.state.clock.now();
    const isNewFrame = content.version !== this.#content.version || Number.isNaN(this.#drawnN);
    // While there is no new frame, a new count is drawn at most once per `mininterval`, as in the bar's own thread.
    const isDue = isNewFrame || (n !== this.#drawnN && now - this.#drawnT >= content.settings.mininterval);
    if (!isDue) return;
    this.#apply(content);
    this.state.n = n;
    this.#drawnN = n;
    this.#drawnT = now;
    this.refresh();
  }

  /** Draws the last frame, or takes the bar off the screen. */
  finish(content: SlotContent): void {
    this.#apply(content);
    if (content.state === FAILED) this.fail();
    else if (content.state === FINISHED) this.done();
    else this.close();
  }

  protected override frame(): BarFrame {
    const frame = super.frame();
    const { state, numbers, settings } = this.#content;
    const since = isClosed(state) ? 0 : frame.time - numbers.written;
    return {
      ...frame,
      elapsed: numbers.elapsed + Math.max(since, 0),
      // With `null`, the frame shows the average rate. Every last frame does, even that of a terminated thread.
      rate: frame.state === 'running' ? numbers.rate : null,
      error: settings.error,
    };
  }

  #apply(content: SlotContent): void {
    const { settings, numbers } = content;
    this.#content = content;
    this.state.n = numbers.n;
    this.state.total = numbers.total;
    if (settings === this.#applied) return;
    this.#applied = settings;
    this.applySettings(settings);
  }
}
