/** What a bar is shown with, by its options and what its file and the environment are. */

import type { ResolvedBarOptions } from './bar-options.js';
import { Display } from './display.js';
import type { Renderer, Report } from './drawing.js';
import type { BarEnvironment } from './environment.js';
import { hasColours, outputMode } from './output-mode.js';
import { createRenderer } from './renderer.js';
import { Screen } from './screen.js';
import { Terminal } from './terminal.js';

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

export function openOutput(
  options: ResolvedBarOptions,
  environment: BarEnvironment,
  report: () => Report,
): BarOutput {
  const { mininterval, taskbar, redirect, output, disable } = options;
  const terminal = Terminal.of(options.file ?? environment.stderr);
  const { isTTY, file } = terminal;
  const situation = { output, named: options.file !== null, isTTY, env: environment.env };
  const mode = (disable ?? !isTTY) ? 'none' : outputMode(situation);
  const display = mode === 'terminal' ? Display.of(terminal) : null;
  // Nobody is asked for stdout, which this would open, when the bar is on stderr.
  const standard = () => file === environment.stderr || file === environment.stdout;
  return {
    terminal,
    screen: new Screen(file, options, environment, display !== null),
    renderer: createRenderer({ terminal, mode, mininterval, taskbar, report }, environment.clock),
    disabled: mode === 'none',
    coloured: hasColours(situation),
    redirects: display !== null && redirect && standard(),
  };
}
