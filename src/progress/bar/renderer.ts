/** The contract between a bar and its renderer. */

import type { LiveBar } from '../screen/live-bars.js';
import type { BarFrame } from './frame.js';
import type { BarRecord } from './record.js';

/** The properties of a bar that its renderer and its screen use. */
export interface BarHost extends LiveBar {
  /** Number of the bar, unique in its thread. */
  readonly id: number;
  readonly record: BarRecord;
  /** Units done now, those of a running loop included. */
  readonly n: number;
  /** Takes a frame. @param isIdle - whether nothing was counted for a second */
  frame(isIdle?: boolean): BarFrame;
  /** Returns the line of a frame. Never throws. */
  lineOf(frame: BarFrame): string;
}

/** Turns the frames of one bar into output. */
export interface Renderer {
  /**
   * Draws a frame.
   *
   * @param text - text to draw instead of the frame's line
   * @param row - row to draw in instead of the bar's own
   * @returns false when the row is off the screen
   */
  draw(frame: BarFrame, text?: string, row?: number): boolean;
  /** Draws an idle bar again, if its output shows the time. Called each second. */
  tick?(): void;
  /** Takes the line off the screen until the next frame. */
  clear(): void;
  /** Draws the last frame, which stays. */
  finish(frame: BarFrame): void;
  /** Takes the line off the screen for good. */
  erase(frame: BarFrame): void;
}

/** The renderer of a bar that is counted and not drawn. */
export const noRenderer: Renderer = {
  draw: () => true,
  clear() {},
  finish() {},
  erase() {},
};
