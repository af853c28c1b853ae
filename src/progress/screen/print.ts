/** Printing above the bars: they are hidden, the text is written, and they are drawn again. */

import type { LiveBar, LiveBars } from './live-bars.js';
import { type OutputFile, type StandardStreams, type StreamName, streamName, Terminal } from './terminal.js';

/** The standard streams of a process, and the bars on them. */
export interface SharedScreen extends StandardStreams {
  readonly live: LiveBars;
  /** Prints above bars that another thread or process draws; undefined when this thread draws them. */
  readonly board: { print(stream: StreamName, text: string): boolean } | undefined;
}

export interface WriteOptions {
  /** File to print to. @defaultValue `process.stdout` */
  readonly file?: OutputFile | undefined;
  /** Text written after `text`. @defaultValue `'\n'` */
  readonly end?: string | undefined;
  /** Has no effect: no other code runs while a bar is drawn. Exists for programs that were written for tqdm. */
  readonly nolock?: boolean | undefined;
}

/** Returns a filter for the bars on the screen of `file`. The standard streams count as one screen. */
function onScreenOf(screen: SharedScreen, file: OutputFile): (bar: LiveBar) => boolean {
  const isStandard = (other: OutputFile) => streamName(other, screen) !== undefined;
  return ({ terminal }) => terminal.file === file || (isStandard(terminal.file) && isStandard(file));
}

/** Makes another thread or process print above the bars. Returns false when this thread has to print. */
function printOnBoard(screen: SharedScreen, file: OutputFile, text: string): boolean {
  const stream = streamName(file, screen);
  return stream !== undefined && screen.board?.print(stream, text) === true;
}

/** Calls `write`, which writes `text` to `file`, while the bars on its screen are hidden. */
function writeAbove(screen: SharedScreen, file: OutputFile, text: string, write: () => void): void {
  const restore = screen.live.hide(onScreenOf(screen, file));
  try {
    write();
  } finally {
    restore(text);
  }
}

/** Prints `text` above the bars. */
export function printAbove(screen: SharedScreen, text: string, options: WriteOptions = {}): void {
  const { file = screen.stdout, end = '\n' } = options;
  const printed = text + end;
  if (printOnBoard(screen, file, printed)) return;
  writeAbove(screen, file, printed, () => Terminal.of(file).flush(printed));
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
    return result instanceof Promise ? result.finally(restore) : result;
  } finally {
    if (!(result instanceof Promise)) restore();
  }
}

function once(act: () => void): () => void {
  let isDone = false;
  return () => {
    if (!isDone) act();
    isDone = true;
  };
}

/** Milliseconds between two checks whether the queues of the terminals are empty. */
const RETRY_MS = 50;

/** While it has holders, prints everything that the program writes to a terminal above the bars. */
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

  /** Restores the terminals once the last lines of the bars are written, so that later output cannot overtake these. */
  #end(): void {
    if (this.#holders.size > 0) return;
    if (this.#redirected.some(({ terminal }) => terminal.isPending))
      setTimeout(() => this.#end(), RETRY_MS).unref();
    else for (const { restore } of this.#redirected.splice(0)) restore();
  }

  /** Replaces the `write` of a terminal, and returns a function that restores it. */
  #redirect(terminal: Terminal): () => void {
    const { file } = terminal;
    const own = Object.getOwnPropertyDescriptor(file, 'write');
    const original: (...args: never[]) => unknown = file.write;
    let isActive = true;
    const write = (...args: never[]): unknown => {
      if (!isActive || terminal.isWriting) return original.apply(file, args);
      const text = textOf(args[0]);
      if (printOnBoard(this.#screen, file, text)) {
        const callback: unknown = args.at(-1);
        if (typeof callback === 'function') callback();
        return true;
      }
      for (const redirected of this.#redirected) redirected.terminal.flush();
      let result: unknown;
      writeAbove(this.#screen, file, text, () => {
        result = original.apply(file, args);
      });
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
      // Other code that has replaced `write` meanwhile still calls this function, which now only passes text on.
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
