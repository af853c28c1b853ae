/** Programs in processes of their own, which share nothing but Redis with the test. */
import { fileURLToPath } from 'node:url';
import type { RedisBackendConfig } from 'metheus/backends/redis';
import { type RunningProcess, startProcess, until } from '../../support/processes.js';

/** Directory of the package, from which programs import `metheus`. */
const ROOT = fileURLToPath(new URL('../../../../', import.meta.url));

export interface Program extends RunningProcess {
  /** Waits until the program has printed `text`, and resolves with all its output. */
  printed(text: string): Promise<string>;
  /** Writes a line to its standard input. */
  sendLine(line: string): void;
  /** Waits until the program has ended, and resolves with its exit code or signal. */
  ended(): Promise<number | string>;
}

/**
 * Starts a program. Its code can use `metheus`, `options`, `print(text)` and `readLine()`.
 *
 * @param load - whether the backend is loaded before the code runs
 */
export function startProgram(code: string, options: RedisBackendConfig, load = true): Program {
  const before = `
    import * as metheus from 'metheus';
    import { MultiProcessRedisBackend } from 'metheus/backends/redis';
    const options = ${JSON.stringify(options)};
    const print = (text) => process.stdout.write(text + '\\n');
    const readLine = () => new Promise((resolve) => {
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
  const findOutput = async (text: string) => {
    if (output().includes(text)) return output();
    if (child.exitCode !== null) throw new Error(`The program ended before it printed ${text}: ${output()}`);
    return undefined;
  };
  return {
    ...running,
    printed: (text) => until(`'${text}'`, () => findOutput(text)),
    sendLine: (line) => void child.stdin!.write(`${line}\n`),
    ended: () => exit,
  };
}

/** Returns the lines of a scrape that contain `name`; without a name, all but those of Metheus's own metrics. */
export function linesOf(text: string, name?: string): string[] {
  const lines = text.split('\n').filter((line) => line !== '');
  return lines.filter((line) => (name === undefined ? !line.includes('metheus_') : line.includes(name)));
}
