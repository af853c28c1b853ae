/** Printing above the bars: what is written on their screen takes them away first and brings them back after. */

import { type Stream, standardStream } from '../remote/look.js';
import type { LiveBar, LiveBars } from './live-bars.js';
import { type OutputFile, Terminal } from './terminal.js';

/** The screen of a process, and the bars on it. */
export interface SharedScreen {
  /** Who shows the bars, when it is not this thread: prints above them, too. */
  readonly board: { print(stream: Stream, text: string): boolean } | null;
  readonly stdout: OutputFile;
  readonly stderr: OutputFile;
  readonly live: LiveBars;
}

export interface WriteOptions {
  /** Where to print. Default: `process.stdout`. */
  readonly file?: OutputFile | undefined;
  /** Written after the text (default: a line feed). */
  readonly end?: string | undefined;
  /** Has no effect: nothing else runs while a bar draws. tqdm has it. */
  readonly nolock?: boolean | undefined;
}

/** Bars that share a screen with `file`: what goes to stdout is seen beside what goes to stderr. */
function besides(screen: SharedScreen, file: OutputFile): (bar: LiveBar) => boolean {
  const standard = (other: OutputFile) => other === screen.stdout || other === screen.stderr;
  return ({ terminal }) => terminal.file === file || (standard(terminal.file) && standard(file));
}

/** Has the drawer print, when the bars on the screen are not this thread's. */
function printElsewhere(screen: SharedScreen, file: OutputFile, text: string): boolean {
  const stream = standardStream(file, screen);
  return stream ? (screen.board?.print(stream, text) ?? false) : false;
}

export function writeAbove(screen: SharedScreen, text: string, options: WriteOptions = {}): void {
  const { file = screen.stdout, end = '\n' } = options;
  const written = text + end;
  if (printElsewhere(screen, file, written)) return;
  screen.live.aside(besides(screen, file), () => Terminal.of(file).write(written), written);
}

/** Takes the bars away until the result is disposed of, or until `work` is done. */
export function externalWriteMode(screen: SharedScreen, file?: OutputFile): Disposable;
export function externalWriteMode<T>(screen: SharedScreen, work: () => T, file?: OutputFile): T;
export function externalWriteMode(
  screen: SharedScreen,
  given?: OutputFile | (() => unknown),
  file?: OutputFile,
): unknown {
  const work = typeof given === 'function' ? given : undefined;
  const where = (typeof given === 'function' ? file : given) ?? screen.stdout;
  const bringBack = once(screen.live.setAside(besides(screen, where)));
  if (work === undefined) return { [Symbol.dispose]: bringBack };
  let result: unknown;
  try {
    result = work();
  } catch (error) {
    bringBack();
    throw error;
  }
  if (!(result instanceof Promise)) {
    bringBack();
    return result;
  }
  return result.finally(bringBack);
}

function once(act: () => void): () => void {
  let done = false;
  return () => {
    if (!done) act();
    done = true;
  };
}

/** Milliseconds until a terminal is asked again whether it has taken all. */
const LATER = 50;

/** Has all that the program writes to its terminal printed above the bars, while somebody holds it. */
export class Redirection {
  readonly #screen: SharedScreen;
  readonly #holders = new Set<object>();
  /** What stands in for `write` of the streams that are terminals. The others are not touched in any way. */
  #redirected: { readonly terminal: Terminal; readonly restore: () => void }[] = [];

  constructor(screen: SharedScreen) {
    this.#screen = screen;
  }

  hold(holder: object): void {
    this.#holders.add(holder);
    if (this.#redirected.length > 0) return;
    const { stdout, stderr } = this.#screen;
    const terminals = [...new Set([stdout, stderr])].filter(({ isTTY }) => isTTY).map(Terminal.of);
    this.#redirected = terminals.map((terminal) => ({ terminal, restore: this.#redirect(terminal) }));
  }

  release(holder: object): void {
    if (this.#holders.delete(holder)) this.#end();
  }

  /** What bars have left goes before what the program writes next, even where the terminal has not taken it yet. */
  #end(): void {
    if (this.#holders.size > 0) return;
    if (this.#redirected.some(({ terminal }) => terminal.owes)) setTimeout(() => this.#end(), LATER).unref();
    else for (const { restore } of this.#redirected.splice(0)) restore();
  }

  /** Replaces the `write` of a terminal. @returns what puts it back */
  #redirect(terminal: Terminal): () => void {
    const { file } = terminal;
    const own = Object.getOwnPropertyDescriptor(file, 'write');
    const original: (...args: never[]) => unknown = file.write;
    let active = true;
    const write = (...args: never[]): unknown => {
      if (!active || terminal.writing) return original.apply(file, args);
      if (printElsewhere(this.#screen, file, textOf(args[0]))) {
        const done: unknown = args.at(-1);
        if (typeof done === 'function') done();
        return true;
      }
      for (const redirected of this.#redirected) redirected.terminal.write('');
      let result: unknown;
      const print = () => {
        result = original.apply(file, args);
      };
      this.#screen.live.aside(besides(this.#screen, file), print, textOf(args[0]));
      return result;
    };
    Object.defineProperty(file, 'write', {
      value: write,
      writable: true,
      configurable: true,
      enumerable: true,
    });
    return () => {
      active = false;
      // Somebody who replaced it meanwhile goes on to call this one, which does nothing more of its own.
      if (file.write !== write) return;
      if (own === undefined) Reflect.deleteProperty(file, 'write');
      else Object.defineProperty(file, 'write', own);
    };
  }
}

function textOf(chunk: unknown): string {
  if (typeof chunk === 'string') return chunk;
  return chunk instanceof Uint8Array ? Buffer.from(chunk).toString() : '';
}
