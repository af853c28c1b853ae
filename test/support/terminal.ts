/** Programs on a pseudo-terminal, and an emulator of its screen. */
import { constants } from 'node:os';
import { type IPty, spawn } from '@lydell/node-pty';
import xterm from '@xterm/headless';

export interface TerminalOptions {
  /** Columns of the terminal. @defaultValue 80 */
  readonly cols?: number;
  /** Rows of the terminal. @defaultValue 24 */
  readonly rows?: number;
  /** Arguments of the program. */
  readonly args?: readonly string[];
  /** Environment variables to set in addition; `undefined` removes one. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly cwd?: string;
}

/** The end of a program: an exit code, or a signal such as `SIGINT`. */
export interface Ending {
  readonly code: number | null;
  readonly signal: string | null;
}

/** A program on a terminal. `using` ends it. */
export interface TerminalProgram extends Disposable {
  readonly pid: number;
  /** Returns the rows of the screen, without trailing blanks and without empty rows at the bottom. */
  screen(): string[];
  /** Returns the rows of the screen and those that have scrolled away above it. */
  history(): string[];
  /** Returns the position of the cursor on the screen, from 0. */
  cursor(): { readonly row: number; readonly column: number };
  /** Returns everything that was written to the terminal. */
  output(): string;
  /** Waits until the condition holds, checked after each write. Rejects after a time limit. */
  waitFor(predicate: (screen: string[]) => boolean): Promise<string[]>;
  /** Waits until the screen has exactly these rows. */
  shows(rows: readonly string[]): Promise<void>;
  /** Types on the keyboard. */
  write(text: string): void;
  resize(cols: number, rows: number): void;
  kill(signal: string): void;
  /** Stops reading until `resume`, so that the terminal fills up. */
  pause(): void;
  resume(): void;
  /** Settles when the program has ended and its whole output is on the screen. */
  readonly exited: Promise<Ending>;
}

/** Environment variables of the machine that would change frames. */
const UNWANTED = ['CI', 'COLUMNS', 'LINES', 'NO_COLOR', 'FORCE_COLOR', 'NODE_TEST_CONTEXT', 'NODE_OPTIONS'];
const DEADLINE_SECONDS = 60;

/**
 * Returns the `skip` option of a test: `false` where there are pseudo-terminals. With `CI=true`, where
 * nothing may be skipped, their absence is an error.
 */
export function requireTerminal(): false | string {
  try {
    const probe = spawn(process.execPath, ['--version'], {});
    probe.onExit(() => {});
    return false;
  } catch (error) {
    const line = `pseudo-terminals are missing: ${error instanceof Error ? error.message.split('\n')[0] : error}`;
    if (process.env.CI === 'true') throw new Error(line);
    return line;
  }
}

/** Starts a compiled program on its own terminal, with the Node of the tests. */
export function runInTerminal(file: string, options: TerminalOptions = {}): TerminalProgram {
  return new Emulated(file, options);
}

class Emulated implements TerminalProgram {
  readonly exited: Promise<Ending>;
  readonly #pty: IPty;
  readonly #xterm: xterm.Terminal;
  readonly #watchers = new Set<() => void>();
  #output = '';
  #ended = false;

  constructor(file: string, { cols = 80, rows = 24, args = [], env = {}, cwd }: TerminalOptions) {
    const variables: Record<string, string | undefined> = { ...process.env };
    for (const name of Object.keys(variables)) {
      if (UNWANTED.includes(name) || name.startsWith('TQDM_')) delete variables[name];
    }
    for (const [name, value] of Object.entries(env)) {
      if (value === undefined) delete variables[name];
      else variables[name] = value;
    }
    this.#xterm = new xterm.Terminal({ cols, rows, scrollback: 10_000, allowProposedApi: true });
    this.#pty = spawn(process.execPath, [file, ...args], {
      name: 'xterm-256color',
      cols,
      rows,
      env: variables,
      ...(cwd !== undefined && { cwd }),
    });
    this.#pty.onData((text) => {
      this.#output += text;
      this.#xterm.write(text, () => this.#look());
    });
    readToTheEnd(this.#pty);
    this.exited = new Promise((resolve) => {
      this.#pty.onExit(({ exitCode, signal }) => {
        // Writes are parsed in order, so the last one is parsed last.
        this.#xterm.write('', () => {
          this.#ended = true;
          resolve(signal ? { code: null, signal: nameOf(signal) } : { code: exitCode, signal: null });
          this.#look();
        });
      });
    });
  }

  get pid(): number {
    return this.#pty.pid;
  }

  screen(): string[] {
    return this.history().slice(this.#xterm.buffer.active.baseY);
  }

  history(): string[] {
    const { active } = this.#xterm.buffer;
    const lines = Array.from({ length: active.length }, (_, row) =>
      active.getLine(row)!.translateToString().trimEnd(),
    );
    return lines.slice(0, lines.findLastIndex((line) => line !== '') + 1);
  }

  cursor(): { row: number; column: number } {
    const { active } = this.#xterm.buffer;
    return { row: active.cursorY, column: active.cursorX };
  }

  output(): string {
    return this.#output;
  }

  waitFor(predicate: (screen: string[]) => boolean): Promise<string[]> {
    return new Promise((resolve, reject) => {
      const settle = (act: () => void) => {
        clearTimeout(timer);
        this.#watchers.delete(look);
        act();
      };
      const fail = (why: string) =>
        settle(() => reject(new Error(`${why}. The screen:\n${this.screen().join('\n')}`)));
      const timer = setTimeout(() => fail(`Waited ${DEADLINE_SECONDS} s`), DEADLINE_SECONDS * 1000);
      const look = () => {
        const screen = this.screen();
        if (predicate(screen)) settle(() => resolve(screen));
        else if (this.#ended) fail('The program has ended');
      };
      this.#watchers.add(look);
      look();
    });
  }

  async shows(rows: readonly string[]): Promise<void> {
    const same = (screen: string[]) =>
      screen.length === rows.length && screen.every((row, i) => row === rows[i]);
    await this.waitFor(same).catch((error: Error) => {
      throw new Error(`${error.message}\nWanted:\n${rows.join('\n')}`);
    });
  }

  write(text: string): void {
    this.#pty.write(text);
  }

  resize(cols: number, rows: number): void {
    this.#xterm.resize(cols, rows);
    this.#pty.resize(cols, rows);
  }

  kill(signal: string): void {
    this.#pty.kill(signal);
  }

  pause(): void {
    this.#pty.pause();
  }

  resume(): void {
    this.#pty.resume();
  }

  [Symbol.dispose](): void {
    if (!this.#ended) this.#pty.kill('SIGKILL');
  }

  #look(): void {
    for (const look of [...this.#watchers]) look();
  }
}

/**
 * Keeps the terminal until its output is read. node-pty closes it 200 ms after the end of the program, which
 * on a busy machine is too early; here it is closed after a turn of the event loop that has read nothing.
 */
function readToTheEnd(pty: IPty): void {
  const { _socket: socket } = pty as unknown as { _socket: NodeJS.ReadStream };
  let reads = 0;
  socket.on('data', () => {
    reads += 1;
  });
  const destroy = socket.destroy.bind(socket);
  socket.destroy = (error) => {
    const before = reads;
    // Reads run between the timers and this callback.
    setImmediate(() => (reads === before ? destroy(error) : socket.destroy(error)));
    return socket;
  };
}

function nameOf(signal: number): string {
  const known = Object.entries(constants.signals).find(([, number]) => number === signal);
  return known?.[0] ?? `signal ${signal}`;
}
