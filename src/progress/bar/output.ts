/** The output of a bar, chosen by its options, its file and the environment. */

import { Display } from '../screen/display.js';
import { type OutputFile, streamName, Terminal } from '../screen/terminal.js';
import type { Clock } from './clock.js';
import type { BarEnvironment } from './environment.js';
import type { BarSettings, Output } from './frame.js';
import { LineMaker } from './line.js';
import { JsonRenderer, LineRenderer } from './line-renderer.js';
import { type BarHost, noRenderer, type Renderer } from './renderer.js';
import { DisplayRenderer, FrameRenderer, Taskbar } from './terminal-renderer.js';

type OutputMode = Exclude<Output, 'auto'>;

export interface OutputSituation {
  readonly output: Output;
  /** Whether the option `file` is not a standard stream. Such a file gets frames even if it is not a terminal. */
  readonly isNamed: boolean;
  readonly isTTY: boolean;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** Reports whether the program runs in CI, where its output becomes a log. */
function isContinuousIntegration({ CI = '' }: OutputSituation['env']): boolean {
  return CI !== '' && CI !== '0' && CI.toLowerCase() !== 'false';
}

export function outputMode({ output, isNamed, isTTY, env }: OutputSituation): OutputMode {
  if (output !== 'auto') return output;
  if (isNamed) return 'terminal';
  return isTTY && env.TERM !== 'dumb' && !isContinuousIntegration(env) ? 'terminal' : 'lines';
}

/** Values of `FORCE_COLOR` with which Node uses colours. */
const FORCED = new Set(['', '1', 'true', '2', '3']);

/**
 * Reports whether a bar may be coloured. As in Node, `FORCE_COLOR` decides if it is set; otherwise a `NO_COLOR` that is
 * not empty forbids colours. Without both, a file that the user gave and a terminal get colours.
 */
export function hasColours({ isNamed, isTTY, env }: Omit<OutputSituation, 'output'>): boolean {
  if (env.FORCE_COLOR !== undefined) return FORCED.has(env.FORCE_COLOR.toLowerCase());
  if (env.NO_COLOR) return false;
  return isNamed || isTTY;
}

export interface BarOutput {
  readonly terminal: Terminal;
  readonly lines: LineMaker;
  readonly renderer: Renderer;
  readonly taskbar?: Taskbar | undefined;
  /** Whether the bar is counted and not drawn. */
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
  // A board draws on the standard streams only. In any other file, this thread draws the bar itself.
  const board = file === null || stream !== null ? environment.board : undefined;
  if (board !== undefined) {
    const isDisabled = disable === true || output === 'none';
    const lines = new LineMaker(terminal.file, settings, environment, { follows: false, isColoured: true });
    const renderer = isDisabled ? noRenderer : board.createRenderer(bar);
    return { terminal, lines, renderer, isDisabled, redirects: redirect && !isDisabled };
  }
  const { isTTY } = terminal;
  const isNamed = file !== null && stream === null;
  const situation = { output, isNamed, isTTY, env: environment.env };
  const mode = (disable ?? !isTTY) ? 'none' : outputMode(situation);
  const display = mode === 'terminal' ? Display.of(terminal) : undefined;
  const format = { follows: display !== undefined, isColoured: hasColours(situation) };
  const lines = new LineMaker(terminal.file, settings, environment, format);
  return {
    terminal,
    lines,
    renderer: createRenderer(mode, bar, environment.clock, display),
    taskbar: settings.taskbar && mode === 'terminal' && isTTY ? new Taskbar(terminal) : undefined,
    isDisabled: mode === 'none',
    redirects: display !== undefined && redirect && streamName(terminal.file, environment) !== undefined,
  };
}

function createRenderer(mode: OutputMode, bar: BarHost, clock: Clock, display?: Display): Renderer {
  switch (mode) {
    case 'none':
      return noRenderer;
    case 'lines':
      return new LineRenderer(bar, clock);
    case 'json':
      return new JsonRenderer(bar, clock);
    case 'terminal':
      return display === undefined ? new FrameRenderer(bar) : new DisplayRenderer(bar, display);
  }
}
