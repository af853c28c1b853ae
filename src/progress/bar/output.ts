/** The output of a bar, chosen by its options, its file and the environment. */

import { Display } from '../screen/display.js';
import { type OutputFile, streamName, Terminal } from '../screen/terminal.js';
import type { BarEnvironment } from './environment.js';
import type { BarSettings } from './frame.js';
import { LineMaker } from './line.js';
import { JsonRenderer, LineRenderer } from './line-renderer.js';
import { hasColours, type OutputMode, outputMode } from './output-mode.js';
import { type BarHost, noRenderer, type Renderer } from './renderer.js';
import { TaskbarRenderer } from './taskbar.js';
import { DisplayRenderer, FrameRenderer } from './terminal-renderer.js';

export interface BarOutput {
  readonly terminal: Terminal;
  readonly lines: LineMaker;
  readonly renderer: Renderer;
  /** Whether the bar is only counted. */
  readonly isDisabled: boolean;
  /** Whether the program's output to the terminal is printed above the bar. */
  readonly redirects: boolean;
}

export function openOutput(
  settings: BarSettings,
  file: OutputFile | null,
  environment: BarEnvironment,
  bar: BarHost,
): BarOutput {
  const { output, disable, redirect, stream } = settings;
  const terminal = Terminal.of(file ?? environment.stderr);
  // A bar in a file of the user's own is always drawn by this thread.
  const board = file === null || stream !== null ? environment.board : undefined;
  if (board !== undefined) {
    const isDisabled = disable === true || output === 'none';
    const lines = new LineMaker(terminal.file, settings, environment, { follows: false, isColoured: true });
    const renderer = isDisabled ? noRenderer : board.createRenderer(bar);
    return { terminal, lines, renderer, isDisabled, redirects: redirect && !isDisabled };
  }
  const { isTTY } = terminal;
  const situation = { output, isNamed: file !== null, isTTY, env: environment.env };
  const mode = (disable ?? !isTTY) ? 'none' : outputMode(situation);
  const display = mode === 'terminal' ? Display.of(terminal) : undefined;
  const format = { follows: display !== undefined, isColoured: hasColours(situation) };
  const lines = new LineMaker(terminal.file, settings, environment, format);
  const renderer = createRenderer(mode, bar, lines, environment, display);
  return {
    terminal,
    lines,
    renderer:
      settings.taskbar && mode === 'terminal' && isTTY ? new TaskbarRenderer(bar, renderer) : renderer,
    isDisabled: mode === 'none',
    redirects: display !== undefined && redirect && streamName(terminal.file, environment) !== undefined,
  };
}

function createRenderer(
  mode: OutputMode,
  bar: BarHost,
  lines: LineMaker,
  { clock }: BarEnvironment,
  display: Display | undefined,
): Renderer {
  switch (mode) {
    case 'none':
      return noRenderer;
    case 'lines':
      return new LineRenderer(bar, lines, clock);
    case 'json':
      return new JsonRenderer(bar, clock);
    case 'terminal':
      return display === undefined ? new FrameRenderer(bar, lines) : new DisplayRenderer(bar, lines, display);
  }
}
