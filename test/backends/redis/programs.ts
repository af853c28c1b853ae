/** Programs in processes of their own, which have only Redis in common with the test. */
import { fileURLToPath } from 'node:url';
import type { RedisBackendConfig } from 'metheus/backends/redis';
import { type RunningProcess, startProcess, until } from '../../support/processes.js';

/** The package: what a program imports as `metheus`. */
const ROOT = fileURLToPath(new URL('../../../../', import.meta.url));

export interface Program extends RunningProcess {
  /** Resolves with what it wrote when it has written `text`. */
  said(text: string): Promise<string>;
  /** Writes a line to it. */
  tell(line: string): void;
  /** Resolves with its exit code, or the signal that ended it. */
  ended(): Promise<number | string>;
}

/**
 * Starts a program. `metheus`, `options`, `say(text)` and `told()`, the one line that it is told, are there.
 *
 * @param code - a module's, with the backend loaded unless it is the program's own matter
 */
export function startProgram(code: string, options: RedisBackendConfig, load = true): Program {
  const before = `
    import * as metheus from 'metheus';
    import { MultiProcessRedisBackend } from 'metheus/backends/redis';
    const options = ${JSON.stringify(options)};
    const say = (text) => process.stdout.write(text + '\\n');
    const told = () => new Promise((resolve) => {
      process.stdin.once('data', (line) => {
        process.stdin.destroy();
        resolve(String(line));
      });
    });
    ${load ? 'await metheus.loadBackend(MultiProcessRedisBackend, options);' : ''}
  `;
  const args = ['--input-type=module', '-e', before + code];
  const running = startProcess(process.execPath, args, { cwd: ROOT });
  const { child, output } = running;
  const exit = new Promise<number | string>((resolve) => {
    child.once('exit', (exitCode, signal) => resolve(exitCode ?? signal ?? 'unknown'));
  });
  const hasSaid = async (text: string) => {
    if (output().includes(text)) return output();
    if (child.exitCode !== null) throw new Error(`It ended before it said ${text}: ${output()}`);
    return undefined;
  };
  return {
    ...running,
    said: (text) => until(`'${text}'`, () => hasSaid(text)),
    tell: (line) => void child.stdin!.write(`${line}\n`),
    ended: () => exit,
  };
}

/** The lines of a scrape that have to do with a metric, or those that have to do with none of Metheus' own. */
export function linesOf(text: string, name?: string): string[] {
  const lines = text.split('\n').filter((line) => line !== '');
  return lines.filter((line) => (name === undefined ? !line.includes('metheus_') : line.includes(name)));
}
