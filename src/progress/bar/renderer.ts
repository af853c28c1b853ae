/** Who shows a bar. */

import type { Clock } from '../../system/clock.js';
import { Display } from '../screen/display.js';
import type { Terminal } from '../screen/terminal.js';
import { DisplayRenderer } from './display-renderer.js';
import { type Renderer, type Report, silentRenderer } from './drawing.js';
import { FrameRenderer } from './frame-renderer.js';
import { JsonRenderer, LineRenderer } from './line-renderer.js';
import type { OutputMode } from './output-mode.js';
import { TaskbarRenderer } from './taskbar.js';

export type { Place, Renderer, Report } from './drawing.js';

/** Least seconds between two lines of a log. */
const LINE_INTERVAL = 10;
/** Least seconds between two lines for programs. */
const JSON_INTERVAL = 1;

/** What decides how a bar is drawn. */
export interface Drawing {
  readonly terminal: Terminal;
  readonly mode: OutputMode;
  readonly mininterval: number;
  /** Show it on the taskbar too. */
  readonly taskbar: boolean;
  readonly report: () => Report;
}

export function createRenderer(
  { terminal, mode, mininterval, taskbar, report }: Drawing,
  clock: Clock,
): Renderer {
  switch (mode) {
    case 'none':
      return silentRenderer;
    case 'lines':
      return new LineRenderer(terminal, clock, Math.max(mininterval, LINE_INTERVAL));
    case 'json':
      return new JsonRenderer(terminal, clock, Math.max(mininterval, JSON_INTERVAL), report);
    case 'terminal': {
      const display = Display.of(terminal);
      const frames = display === null ? new FrameRenderer(terminal) : new DisplayRenderer(display);
      return taskbar && terminal.isTTY ? new TaskbarRenderer(frames, terminal, report) : frames;
    }
  }
}
