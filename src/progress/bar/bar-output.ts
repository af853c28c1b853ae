/** What a bar is shown with, by its options and what its file and the environment are. */

import { standardStream } from '../remote/look.js';
import { type Shown, SlotRenderer } from '../remote/slot-renderer.js';
import { Display } from '../screen/display.js';
import { Terminal } from '../screen/terminal.js';
import type { ResolvedBarOptions } from './bar-options.js';
import { type Renderer, type Report, silentRenderer } from './drawing.js';
import type { BarEnvironment } from './environment.js';
import { hasColours, outputMode } from './output-mode.js';
import { createRenderer } from './renderer.js';
import { Screen } from './screen.js';

export interface BarOutput {
  readonly terminal: Terminal;
  readonly screen: Screen;
  readonly renderer: Renderer;
  /** Is it counted only? */
  readonly disabled: boolean;
  readonly coloured: boolean;
  /** Does what the program writes to its terminal go above the bar? */
  readonly redirects: boolean;
}

/** What a renderer may ask of its bar. */
export interface Drawn extends Shown {
  report(): Report;
}

export function openOutput(options: ResolvedBarOptions, environment: BarEnvironment, bar: Drawn): BarOutput {
  const { mininterval, taskbar, redirect, output, disable } = options;
  const terminal = Terminal.of(options.file ?? environment.stderr);
  // A file of the user's own is no other thread's business.
  const stream = standardStream(options.file, environment);
  const board = stream === undefined ? null : environment.board;
  if (stream !== undefined && board !== null) {
    const disabled = disable === true || output === 'none';
    const renderer = disabled ? silentRenderer : new SlotRenderer(board, bar, stream);
    const screen = new Screen(terminal.file, options, environment, false);
    return { terminal, screen, renderer, disabled, coloured: true, redirects: redirect && !disabled };
  }
  const { isTTY, file } = terminal;
  const situation = { output, named: options.file !== null, isTTY, env: environment.env };
  const mode = (disable ?? !isTTY) ? 'none' : outputMode(situation);
  const display = mode === 'terminal' ? Display.of(terminal) : null;
  // Nobody is asked for stdout, which this would open, when the bar is on stderr.
  const standard = () => file === environment.stderr || file === environment.stdout;
  return {
    terminal,
    screen: new Screen(file, options, environment, display !== null),
    renderer: createRenderer({ terminal, mode, mininterval, taskbar, report: bar.report }, environment.clock),
    disabled: mode === 'none',
    coloured: hasColours(situation),
    redirects: display !== null && redirect && standard(),
  };
}
