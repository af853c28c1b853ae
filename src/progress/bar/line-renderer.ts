/** Renderers of lines that are never overwritten: text for logs, and JSON for programs. */

import { plainPostfix } from '../meter/postfix.js';
import type { Terminal } from '../screen/terminal.js';
import type { Clock } from './clock.js';
import { averageRate, type BarFrame, type FrameState } from './frame.js';
import { ALL_HARMFUL } from './line.js';
import type { BarHost, Renderer } from './renderer.js';

/** Minimum seconds between two lines of a log, and before the first. */
const MIN_LINE_INTERVAL = 10;
/** Seconds without a line after which an idle bar writes one, since CI systems end jobs that are silent for long. */
const MAX_SILENCE = 60;
/** Time of the last line that a bar wrote, by terminal. */
const lastLines = new WeakMap<Terminal, number>();
/** Minimum seconds between two lines of JSON. */
const MIN_JSON_INTERVAL = 1;

/**
 * Writes lines of a bar to a log, at intervals and at its end. A bar with `leave: false` writes its last line only if
 * it has already written a line.
 */
export class LineRenderer implements Renderer {
  readonly #bar: BarHost;
  readonly #clock: Clock;
  #lastLine: number;
  #hasLines = false;

  constructor(bar: BarHost, clock: Clock) {
    this.#bar = bar;
    this.#clock = clock;
    this.#lastLine = clock.now();
  }

  draw(frame: BarFrame, text?: string): boolean {
    const now = this.#clock.now();
    if (now - this.#lastLine < Math.max(frame.settings.mininterval, MIN_LINE_INTERVAL)) return true;
    this.#lastLine = now;
    this.#hasLines = true;
    lastLines.set(this.#bar.terminal, now);
    this.#bar.terminal.tryWrite(`${text ?? this.#bar.lineOf(frame)}\n`);
    return true;
  }

  /** Writes a line if no bar has written one for long. With many idle bars, only one of them writes. */
  tick(): void {
    const { terminal } = this.#bar;
    const silence = this.#clock.now() - Math.max(this.#lastLine, lastLines.get(terminal) ?? 0);
    if (silence < MAX_SILENCE) return;
    const frame = this.#bar.frame(true);
    const { mininterval, delay } = frame.settings;
    if (silence >= mininterval && frame.elapsed >= delay) this.draw(frame);
  }

  clear(): void {}

  finish(frame: BarFrame): void {
    lastLines.set(this.#bar.terminal, this.#clock.now());
    this.#bar.terminal.write(`${this.#bar.lineOf(frame)}\n`);
  }

  erase(frame: BarFrame): void {
    if (this.#hasLines) this.finish(frame);
  }
}

function roundToMilliseconds(seconds: number): number {
  return Math.round(seconds * 1000) / 1000;
}

/** Returns the escape sequence of a character in JSON. */
function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

/** Writes a line of JSON for the first frame, for one now and then, and for the last. */
export class JsonRenderer implements Renderer {
  readonly #bar: BarHost;
  readonly #clock: Clock;
  #lastLine: number | undefined;

  constructor(bar: BarHost, clock: Clock) {
    this.#bar = bar;
    this.#clock = clock;
  }

  draw(frame: BarFrame): boolean {
    const now = this.#clock.now();
    const last = this.#lastLine;
    if (last !== undefined && now - last < Math.max(frame.settings.mininterval, MIN_JSON_INTERVAL))
      return true;
    this.#lastLine = now;
    if (last === undefined) this.#bar.terminal.write(this.#line(frame, 'started'));
    else this.#bar.terminal.tryWrite(this.#line(frame));
    return true;
  }

  clear(): void {}

  finish(frame: BarFrame): void {
    this.#bar.terminal.write(this.#line(frame));
  }

  erase(frame: BarFrame): void {
    this.finish(frame);
  }

  #line(frame: BarFrame, state: FrameState | 'started' = frame.state): string {
    const { n, total, elapsed, time, error, settings } = frame;
    const rate = frame.rate ?? averageRate(n - settings.initial, elapsed);
    const line = {
      time: new Date(time * 1000).toISOString(),
      bar: this.#bar.id,
      state,
      desc: settings.desc.replace(/: $/, ''),
      n,
      total,
      unit: settings.unit,
      elapsed: roundToMilliseconds(elapsed),
      rate: rate ? Number(rate.toPrecision(6)) : null,
      eta: total !== null && rate && rate > 0 ? roundToMilliseconds(Math.max(total - n, 0) / rate) : null,
      postfix: plainPostfix(settings.postfix),
      error,
    };
    return `${JSON.stringify(line).replace(ALL_HARMFUL, escaped)}\n`;
  }
}
