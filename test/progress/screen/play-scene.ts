/** Starts scenes of `scenes.ts`. */
import { fileURLToPath } from 'node:url';
import { runInTerminal, type TerminalOptions, type TerminalProgram } from '../../support/terminal.js';

export const SCENES = fileURLToPath(new URL('./scenes.js', import.meta.url));

/** Runs a scene on a terminal of its own. */
export function play(scene: string, { args = [], ...options }: TerminalOptions = {}): TerminalProgram {
  return runInTerminal(SCENES, { ...options, args: [scene, ...args] });
}
