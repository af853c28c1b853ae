/** Printing above the bars: they are hidden, the text is written, and they are drawn again. */

import type { Writable } from 'node:stream';
import { checkOptionNames } from '../../model/options.js';
import type { LiveBar, LiveBars } from './live-bars.js';
import { completeLength } from './sequences.js';
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

/** Makes the standard streams share their unfinished line, since both are the same terminal. */
function shareLine({ stdout, stderr }: SharedScreen): void {
  if (stdout.isTTY && stderr.isTTY) Terminal.of(stdout).openLine = Terminal.of(stderr).openLine;
}

/** Calls `write`, which writes `text` to `file`, while the bars on its screen are hidden. */
function writeAbove(screen: SharedScreen, file: OutputFile, text: string, write: () => void): void {
  shareLine(screen);
  const { openLine } = Terminal.of(file);
  const { writes } = openLine;
  const restore = screen.live.hide(onScreenOf(screen, file));
  try {
    write();
  } finally {
    // Another copy of the redirection may already have passed the text to the line.
    if (openLine.writes === writes) openLine.write(text, file.columns);
    restore();
  }
}

/** Prints `text` above the bars. */
export function printAbove(screen: SharedScreen, text: string, options: WriteOptions = {}): void {
  checkOptionNames('tqdm.write', options, ['file', 'end', 'nolock']);
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
  const { openLine } = Terminal.of(target);
  const { writes } = openLine;
  const show = screen.live.hide(onScreenOf(screen, target));
  const restore = once(() => {
    // Text that was not written through the streams is assumed to end its line.
    if (openLine.writes === writes) openLine.forget();
    show();
  });
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

/** A terminal whose `write` is replaced. */
interface Redirected {
  readonly terminal: Terminal;
  /** Writes to the terminal as the program would without the redirection. */
  readonly write: (bytes: Uint8Array) => void;
  readonly restore: () => void;
}

/** While it has holders, prints everything that the program writes to a terminal above the bars. */
export class Redirection {
  readonly #screen: SharedScreen;
  readonly #holders = new Set<object>();
  /** The redirected terminals. Streams that are not terminals stay unchanged. */
  #redirected: Redirected[] = [];
  /** The beginning of a character or sequence whose end the program has not written yet. */
  #held: Uint8Array = NOTHING;

  constructor(screen: SharedScreen) {
    this.#screen = screen;
  }

  hold(holder: object): void {
    this.#holders.add(holder);
    if (this.#redirected.length > 0) return;
    const { stdout, stderr } = this.#screen;
    shareLine(this.#screen);
    const terminals = [...new Set([stdout, stderr])].filter(({ isTTY }) => isTTY).map(Terminal.of);
    this.#redirected = terminals.map((terminal) => this.#redirect(terminal));
  }

  release(holder: object): void {
    if (this.#holders.delete(holder)) this.#end();
  }

  /** Restores the terminals once the last lines of the bars are written, so that later output cannot overtake these. */
  #end(): void {
    if (this.#holders.size > 0) return;
    if (this.#redirected.some(({ terminal }) => terminal.isPending)) {
      setTimeout(() => this.#end(), RETRY_MS).unref();
      return;
    }
    const redirected = this.#redirected.splice(0);
    if (this.#held.length > 0) redirected[0]?.write(this.#held);
    this.#held = NOTHING;
    for (const { restore } of redirected) restore();
  }

  /** Replaces the `write` of a terminal. */
  #redirect(terminal: Terminal): Redirected {
    const { file, openLine } = terminal;
    const own = Object.getOwnPropertyDescriptor(file, 'write');
    const original = file.write as (...args: unknown[]) => unknown;
    let isActive = true;
    const write = (...args: unknown[]): unknown => {
      const given = isActive && !terminal.isWriting ? bytesOf(args) : undefined;
      if (given === undefined) return original.apply(file, args);
      const bytes = this.#complete(given);
      const callback = args.findLast((argument) => typeof argument === 'function');
      const text = Buffer.from(bytes).toString();
      if (printOnBoard(this.#screen, file, text)) {
        if (typeof callback === 'function') callback();
        return true;
      }
      const passed = bytes === given ? args : [bytes, callback];
      if (bytes.length === 0) return original.apply(file, passed);
      for (const redirected of this.#redirected) redirected.terminal.flush();
      let result: unknown;
      writeAbove(this.#screen, file, text, () => {
        result = withoutCorks(file, () => original.apply(file, passed));
      });
      return result;
    };
    openLine.reset();
    openLine.isTracked = true;
    withoutCorks(file, () => {});
    Object.defineProperty(file, 'write', {
      value: write,
      writable: true,
      configurable: true,
      enumerable: true,
    });
    const restore = () => {
      isActive = false;
      openLine.isTracked = false;
      // Other code that has replaced `write` meanwhile still calls this function, which now only passes text on.
      if (file.write !== write) return;
      if (own === undefined) Reflect.deleteProperty(file, 'write');
      else Object.defineProperty(file, 'write', own);
    };
    return { terminal, write: (bytes) => original.call(file, bytes), restore };
  }

  /** Returns the bytes written so far up to the last complete character or sequence, and holds back the rest. */
  #complete(given: Uint8Array): Uint8Array {
    const bytes = this.#held.length === 0 ? given : Buffer.concat([this.#held, given]);
    const length = completeLength(bytes);
    this.#held = length === bytes.length ? NOTHING : bytes.slice(length);
    return length === bytes.length ? bytes : bytes.subarray(0, length);
  }
}

const NOTHING = new Uint8Array(0);

/** Returns the bytes that a call of `write` with these arguments writes; undefined for arguments that it rejects. */
function bytesOf([chunk, encoding]: readonly unknown[]): Uint8Array | undefined {
  if (ArrayBuffer.isView(chunk)) return new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength);
  if (typeof chunk !== 'string') return undefined;
  if (typeof encoding !== 'string') return Buffer.from(chunk);
  return Buffer.isEncoding(encoding) ? Buffer.from(chunk, encoding) : undefined;
}

/** Calls `act` with the stream uncorked, so that writes reach it even if the program has corked it. */
function withoutCorks<T>(file: OutputFile, act: () => T): T {
  const stream = file as Partial<Pick<Writable, 'writableCorked' | 'cork' | 'uncork'>>;
  const corks = stream.writableCorked ?? 0;
  for (let i = 0; i < corks; i += 1) stream.uncork?.();
  try {
    return act();
  } finally {
    for (let i = 0; i < corks; i += 1) stream.cork?.();
  }
}
