/** Draws the bars of the boards that this thread was told of: in rounds, while there are any. */

import { addExitStep, removeExitStep } from '../../system/exit-steps.js';
import type { BarEnvironment } from '../bar/environment.js';
import { BoardMirrors, type NewBar } from './board-mirrors.js';
import type { BoardView } from './board-view.js';
import { threadEnvironment } from './own-board.js';

/** Milliseconds between two rounds. */
const ROUND_MS = 100;

export class Drawer {
  readonly #environment: BarEnvironment;
  #boards: BoardMirrors[] = [];
  readonly #news: (() => void)[] = [];
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(environment: BarEnvironment = threadEnvironment) {
    this.#environment = environment;
  }

  /** Has `look` add the boards that are new, at the begin of every round. */
  before(look: () => void): void {
    this.#news.push(look);
  }

  add(board: BoardView): void {
    this.#boards.push(new BoardMirrors(board, this.#environment));
  }

  /** A bar is there: looks now, and again and again until there is none. The timer keeps no process alive. */
  wake(): void {
    if (this.#timer !== undefined) return;
    this.#timer = setInterval(() => this.round(), ROUND_MS);
    this.#timer.unref();
    addExitStep('remote bars', this.round);
    this.round();
  }

  /** Draws what is new. */
  readonly round = (): void => {
    for (const look of this.#news) look();
    const added: NewBar[] = [];
    for (const board of this.#boards) added.push(...board.follow());
    // In the order in which they were made, whoever made them.
    for (const { open } of added.sort((a, b) => a.begun - b.begun)) open();
    this.#boards = this.#boards.filter((board) => !board.hasEnded);
    if (this.#boards.every((board) => board.isEmpty)) this.#sleep();
  };

  #sleep(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    removeExitStep('remote bars', this.round);
  }
}
