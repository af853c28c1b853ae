/** Printing above the bars: they are taken off the screen, the text is written, and they are drawn again. */

import type { LiveBar, LiveBars } from './live-bars.js';
import { type OutputFile, type StandardStreams, type StreamName, streamName, Terminal } from './terminal.js';

/** The standard streams of a process, and the bars on them. */
export interface SharedScreen extends StandardStreams {
  readonly live: LiveBars;
  /** Prints above the bars when another thread or process draws them; undefined when this thread does. */
  readonly board: { print(stream: StreamName, text: string): boolean } | undefined;
}

export interface WriteOptions {
  /** Where to print. @defaultValue `process.stdout` */
  readonly file?: OutputFile | undefined;
  /** Text written after `text`. @defaultValue `'\n'` */
  readonly end?: string | undefined;
  /** Accepted for tqdm's sake; has no effect, since no other code runs while a bar is drawn. */
  readonly nolock?: boolean | undefined;
}

/** Returns a filter for the bars that share a screen with `file`: stdout and stderr are seen side by side. */
function onScreenOf(screen: SharedScreen, file: OutputFile): (bar: LiveBar) => boolean {
  const isStandard = (other: OutputFile) => streamName(other, screen) !== undefined;
  return ({ terminal }) => terminal.file === file || (isStandard(terminal.file) && isStandard(file));
}

/** Prints where the bars are drawn, when that is another thread or process. @returns whether it did */
function printOnBoard(screen: SharedScreen, file: OutputFile, text: string): boolean {
  const stream = streamName(file, screen);
  return stream !== undefined && screen.board?.print(stream, text) === true;
}

/** Prints `text` above the bars. */
export function printAbove(screen: SharedScreen, text: string, options: WriteOptions = {}): void {
  const { file = screen.stdout, end = '\n' } = options;
  const printed = text + end;
  if (printOnBoard(screen, file, printed)) return;
  screen.live.printAbove(onScreenOf(screen, file), () => Terminal.of(file).flush(printed), printed);
}

/** Takes the bars off the screen until the result is disposed of, or until `work` is done. */
export function externalWriteMode(screen: SharedScreen, file?: OutputFile): Disposable;
export function externalWriteMode<T>(screen: SharedScreen, work: () => T, file?: OutputFile): T;
export function externalWriteMode(
  screen: SharedScreen,
  given?: OutputFile | (() => unknown),
  file?: OutputFile,
): unknown {
  const work = typeof given === 'function' ? given : undefined;
  const target = (typeof given === 'function' ? file : given) ?? screen.stdout;
  const restore = once(screen.live.hide(onScreenOf(screen, target)));
  if (work === undefined) return { [Symbol.dispose]: restore };
  let result: unknown;
  try {
    result = work();
  } catch (error) {
    restore();
    throw error;
  }
  if (!(result instanceof Promise)) {
    restore();
    return result;
  }
  return result.finally(restore);
}

function once(act: () => void): () => void {
  let isDone = false;
  return () => {
    if (!isDone) act();
    isDone = true;
  };
}

/** Milliseconds between two checks whether a terminal has taken everything. */
const RETRY_MS = 50;

/** Prints above the bars everything that the program writes to a terminal, while at least one holder wants that. */
export class Redirection {
  readonly #screen: SharedScreen;
  readonly #holders = new Set<object>();
  /** Terminals whose `write` is replaced. Streams that are not terminals are left untouched. */
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

  /** Restores the terminals once they have taken the bars' last lines, so that later output cannot overtake these. */
  #end(): void {
    if (this.#holders.size > 0) return;
    if (this.#redirected.some(({ terminal }) => terminal.isPending))
      setTimeout(() => this.#end(), RETRY_MS).unref();
    else for (const { restore } of this.#redirected.splice(0)) restore();
  }

  /** Replaces the `write` of a terminal. @returns a function that restores it */
  #redirect(terminal: Terminal): () => void {
    const { file } = terminal;
    const own = Object.getOwnPropertyDescriptor(file, 'write');
    const original: (...args: never[]) => unknown = file.write;
    let isActive = true;
    const write = (...args: never[]): unknown => {
      if (!isActive || terminal.isWriting) return original.apply(file, args);
      if (printOnBoard(this.#screen, file, textOf(args[0]))) {
        const callback: unknown = args.at(-1);
        if (typeof callback === 'function') callback();
        return true;
      }
      for (const redirected of this.#redirected) redirected.terminal.flush();
      let result: unknown;
      const print = () => {
        result = original.apply(file, args);
      };
      this.#screen.live.printAbove(onScreenOf(this.#screen, file), print, textOf(args[0]));
      return result;
    };
    Object.defineProperty(file, 'write', {
      value: write,
      writable: true,
      configurable: true,
      enumerable: true,
    });
    return () => {
      isActive = false;
      // A replacement made meanwhile by other code still calls this one, which then only passes text on.
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
