/** Programs on a pseudo-terminal, and an emulator that shows what a person would see there. */
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
  /** Variables besides those of this process; `undefined` takes one away. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly cwd?: string;
}

/** How a program ended: by itself with a code, or by a signal such as `SIGINT`. */
export interface Ending {
  readonly code: number | null;
  readonly signal: string | null;
}

/** A program that runs on a terminal. `using` ends it. */
export interface TerminalProgram extends Disposable {
  readonly pid: number;
  /** The rows on the screen, without blanks at their ends and without empty rows at the bottom. */
  screen(): string[];
  /** The same with the rows that have scrolled away above. */
  history(): string[];
  /** Where the cursor stands on the screen, from 0. */
  cursor(): { readonly row: number; readonly column: number };
  /** All that was written to the terminal, as it came. */
  output(): string;
  /** Waits until the screen is as wanted: asked after everything that is written. Rejects when that is never. */
  waitFor(predicate: (screen: string[]) => boolean): Promise<string[]>;
  /** Waits until exactly these rows are on the screen. */
  shows(rows: readonly string[]): Promise<void>;
  /** Types on the keyboard. */
  write(text: string): void;
  resize(cols: number, rows: number): void;
  kill(signal: string): void;
  /** Reads nothing more: the terminal is full soon. Until `resume`. */
  pause(): void;
  resume(): void;
  /** Settles when the program has ended and all it wrote is on the screen. */
  readonly exited: Promise<Ending>;
}

/** Variables of the machine that would change what is drawn. */
const UNWANTED = ['CI', 'COLUMNS', 'LINES', 'NO_COLOR', 'FORCE_COLOR', 'NODE_TEST_CONTEXT', 'NODE_OPTIONS'];
const DEADLINE_SECONDS = 60;

/**
 * What to give a test as `skip`: `false` where there are pseudo-terminals. In continuous integration, where nothing
 * may be skipped, their absence is an error.
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

/** Starts a compiled program, `file`, by this Node on a terminal of its own. */
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
        // What is written last is parsed last.
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
 * node-pty lets go of a terminal 200 ms after its program has ended, which on a busy machine is before all is read. Here
 * it does so when a turn of the event loop has brought nothing more.
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
    // After the timers comes what was read, and then this.
    setImmediate(() => (reads === before ? destroy(error) : socket.destroy(error)));
    return socket;
  };
}

function nameOf(signal: number): string {
  const known = Object.entries(constants.signals).find(([, number]) => number === signal);
  return known?.[0] ?? `signal ${signal}`;
}
