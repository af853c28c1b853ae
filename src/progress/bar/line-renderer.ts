/** Lines that nothing overwrites: for logs, and for programs that read. */

import type { Clock } from '../../system/clock.js';
import { plainPostfix } from '../meter/postfix.js';
import type { Terminal } from '../screen/terminal.js';
import type { Place, Renderer, Report } from './drawing.js';

/** Lines for people who read a log: one now and then, and the last one. */
export class LineRenderer implements Renderer {
  readonly #terminal: Terminal;
  readonly #clock: Clock;
  readonly #interval: number;
  #lastLine: number;

  /** @param interval - least seconds between two lines, and before the first */
  constructor(terminal: Terminal, clock: Clock, interval: number) {
    this.#terminal = terminal;
    this.#clock = clock;
    this.#interval = interval;
    this.#lastLine = clock.now();
  }

  draw(_place: Place, line: () => string): boolean {
    const now = this.#clock.now();
    if (now - this.#lastLine < this.#interval) return true;
    this.#lastLine = now;
    this.#terminal.offer(`${line()}\n`);
    return true;
  }

  clear(): void {}

  finish(_place: Place, line: () => string): void {
    this.#terminal.insist(`${line()}\n`);
  }

  erase(): void {}
}

/** Seconds as exact as anybody needs them. */
function milliseconds<T extends number | null>(seconds: T): number | T {
  return seconds === null ? seconds : Math.round(seconds * 1000) / 1000;
}

/** Bars that were shown as JSON, in this process. */
let bars = 0;

/** JSON objects, one a line: the first, one now and then, and the last one. */
export class JsonRenderer implements Renderer {
  readonly #terminal: Terminal;
  readonly #clock: Clock;
  readonly #interval: number;
  readonly #report: () => Report;
  /** Tells this bar's lines from those of others. */
  readonly #bar: number;
  #lastLine = Number.NEGATIVE_INFINITY;

  /** @param interval - least seconds between two lines */
  constructor(terminal: Terminal, clock: Clock, interval: number, report: () => Report) {
    this.#terminal = terminal;
    this.#clock = clock;
    this.#interval = interval;
    this.#report = report;
    bars += 1;
    this.#bar = bars;
  }

  draw(): boolean {
    const now = this.#clock.now();
    if (now - this.#lastLine < this.#interval) return true;
    const first = this.#lastLine === Number.NEGATIVE_INFINITY;
    this.#lastLine = now;
    if (first) this.#terminal.insist(this.#line('started'));
    else this.#terminal.offer(this.#line());
    return true;
  }

  clear(): void {}

  finish(): void {
    this.#terminal.insist(this.#line());
  }

  erase(): void {
    this.#terminal.insist(this.#line());
  }

  #line(started?: 'started'): string {
    const { state, desc, n, total, unit, elapsed, rate, eta, postfix } = this.#report();
    const time = new Date(this.#clock.unix() * 1000).toISOString();
    const speed = {
      elapsed: milliseconds(elapsed),
      rate: rate && Number(rate.toPrecision(6)),
      eta: milliseconds(eta),
    };
    const bar = { bar: this.#bar, state: started ?? state, desc, n, total, unit };
    const line = { time, ...bar, ...speed, postfix: plainPostfix(postfix) };
    return `${JSON.stringify(line)}\n`;
  }
}
