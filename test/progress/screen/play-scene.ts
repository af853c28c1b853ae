/** Starts a scene on a terminal. */
import { fileURLToPath } from 'node:url';
import { runInTerminal, type TerminalOptions, type TerminalProgram } from '../../support/terminal.js';

export const SCENES = fileURLToPath(new URL('./scenes.js', import.meta.url));

/** Plays a scene of `scenes.ts`. */
export function play(scene: string, { args = [], ...options }: TerminalOptions = {}): TerminalProgram {
  return runInTerminal(SCENES, { ...options, args: [scene, ...args] });
}
