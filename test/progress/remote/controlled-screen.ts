/** Runs `controlled-bars.ts` on a terminal. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { runInTerminal, type TerminalOptions, type TerminalProgram } from '../../support/terminal.js';
import type { Command, Order } from './controlled-bars.js';

const CONTROLLED_BARS = fileURLToPath(new URL('./controlled-bars.js', import.meta.url));

export interface Stage {
  readonly terminal: TerminalProgram;
  tell(to: string, order: Order): void;
  command(command: Command): void;
  /** Waits until the screen shows exactly these rows. */
  shows(...rows: string[]): Promise<void>;
}

export async function stage(t: TestContext, options: TerminalOptions = {}): Promise<Stage> {
  const terminal = runInTerminal(CONTROLLED_BARS, { cols: 60, rows: 12, ...options });
  t.after(() => terminal[Symbol.dispose]());
  await terminal.waitFor(([first]) => first === 'ready');
  const command = (given: Command) => terminal.write(`${JSON.stringify(given)}\n`);
  const shows = async (...rows: string[]) => {
    const wanted = rows.join('\n');
    // The row `ready` stands first until it scrolls away.
    const seen = (screen: string[]) => screen.slice(screen[0] === 'ready' ? 1 : 0).join('\n');
    await terminal
      .waitFor((screen) => seen(screen) === wanted)
      .catch((error: Error) => {
        throw new Error(`Wanted:\n${wanted}\n${error.message}\n${JSON.stringify(terminal.output())}`);
      });
  };
  return { terminal, command, shows, tell: (to, order) => command({ to, order }) };
}

/** Makes a folder that is removed at the end of the test. */
export function temporaryFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'metheus-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Returns the line of a bar of `controlled-bars.ts`. */
export function line(desc: string, n: number, total: number, postfix = '', columns = 60): string {
  const left = `${desc}: ${String(Math.round((n / total) * 100)).padStart(3)}%|`;
  const right = `| ${n}/${total}${postfix && `, ${postfix}`}`;
  const width = columns - left.length - right.length;
  const eighths = Math.floor((n / total) * width * 8);
  const full = Math.floor(eighths / 8);
  const bar = '█'.repeat(full) + (full < width ? ' ▏▎▍▌▋▊▉'[eighths % 8]! : '');
  return left + bar.padEnd(width) + right;
}
