/** The files in which bars are drawn. The error of a failed write never reaches the program. */

import { isMainThread } from 'node:worker_threads';
import { messageOf, warnOnce } from '../../errors.js';
import { OpenLine } from './open-line.js';
import { OutputQueue, type ProcessStream } from './output-queue.js';

/** A destination of text: `process.stderr`, a file stream, an object of a test. */
export interface OutputFile {
  write(text: string): unknown;
  /** Whether it is a terminal. */
  readonly isTTY?: boolean | undefined;
  /** Size of the terminal. */
  readonly columns?: number | undefined;
  readonly rows?: number | undefined;
  readonly destroyed?: boolean | undefined;
  readonly writableEnded?: boolean | undefined;
  /** Whether so much is buffered that frames should be skipped. */
  readonly writableNeedDrain?: boolean | undefined;
  on?(event: 'error', listener: (error: Error) => void): unknown;
  /** Node's terminals emit it when their size changes. */
  on?(event: 'resize', listener: () => void): unknown;
  off?(event: 'resize', listener: () => void): unknown;
}

/** A standard stream by name, as other threads and processes know it. */
export type StreamName = 'stderr' | 'stdout';

/** The standard streams of an environment: those of the process, unless it replaces them. */
export interface StandardStreams {
  readonly stdout: OutputFile;
  readonly stderr: OutputFile;
}

/** Returns the name of the standard stream that `file` is; undefined for any other file. */
export function streamName(file: OutputFile, streams: StandardStreams): StreamName | undefined {
  if (file === streams.stderr) return 'stderr';
  return file === streams.stdout ? 'stdout' : undefined;
}

/** Returns `file` if it is a standard stream of the process, to which Node may write synchronously. */
function processStream(file: OutputFile): ProcessStream | undefined {
  if (!isMainThread || !('fd' in file)) return undefined;
  const own = file.fd === 2 ? process.stderr : file.fd === 1 ? process.stdout : undefined;
  return own === file ? own : undefined;
}

const terminals = new WeakMap<OutputFile, Terminal>();

/** An output file that never throws. After a failed write it writes nothing more and warns once; counting goes on. */
export class Terminal {
  readonly file: OutputFile;
  /** The unfinished line of the program. The standard streams of one terminal share it. */
  openLine = new OpenLine();
  /** Whether the terminal is a standard stream of the process, so that other programs may write to its screen. */
  readonly isShared: boolean;
  #isBroken = false;
  #isWriting = false;
  #isOpened = false;
  #queue: OutputQueue | undefined;

  private constructor(file: OutputFile) {
    this.file = file;
    this.isShared = processStream(file) !== undefined;
    // A closed pipe emits 'error', which would end the process if nothing listened to it.
    file.on?.('error', (error) => this.#fail(error));
  }

  /** Returns the one terminal of `file`, which all its bars share. */
  static of(file: OutputFile): Terminal {
    let terminal = terminals.get(file);
    if (terminal === undefined) {
      terminal = new Terminal(file);
      terminals.set(file, terminal);
    }
    return terminal;
  }

  get isTTY(): boolean {
    return this.file.isTTY === true;
  }

  /** Reads the size again. Node does so on a signal only, which does not arrive while the event loop is blocked. */
  refreshSize(): void {
    const { file } = this;
    if (this.isBroken || !('_refreshSize' in file) || typeof file._refreshSize !== 'function') return;
    try {
      file._refreshSize();
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Whether a write failed or the file was closed. */
  get isBroken(): boolean {
    return this.#isBroken || this.file.destroyed === true || this.file.writableEnded === true;
  }

  /** Whether this terminal, and not the program, is writing to the file right now. */
  get isWriting(): boolean {
    return this.#isWriting;
  }

  /** Whether text is queued because the reader was too slow to take it. */
  get isPending(): boolean {
    return this.#queue?.isPending === true;
  }

  /** Writes a frame. Returns false when the reader is too slow and the frame is lost. */
  tryWrite(text: string): boolean {
    let isWritten = true;
    this.#guard((queue) => {
      if (queue !== undefined) isWritten = queue.tryWrite(text);
      else if (this.file.writableNeedDrain === true) isWritten = false;
      else this.file.write(text);
    });
    return isWritten;
  }

  /** Writes text that must not be lost, now or when the reader has room for it. */
  write(text: string): void {
    this.#guard((queue) => (queue ?? this.file).write(text));
  }

  /** Writes the queue and then `text`. Waits for a slow reader. */
  flush(text = ''): void {
    this.#guard((queue) => (queue === undefined ? this.file.write(text) : queue.flush(text)));
  }

  #guard(act: (queue: OutputQueue | undefined) => void): void {
    if (this.isBroken) return;
    this.#isWriting = true;
    try {
      act(this.#openQueue());
    } catch (error) {
      this.#fail(error);
    } finally {
      this.#isWriting = false;
    }
  }

  /** Returns the queue of a standard stream of the process; undefined for other files, and where none can be opened. */
  #openQueue(): OutputQueue | undefined {
    if (!this.#isOpened) {
      this.#isOpened = true;
      const stream = processStream(this.file);
      this.#queue = stream && OutputQueue.open(stream, (error) => this.#fail(error));
    }
    return this.#queue;
  }

  #fail(error: unknown): void {
    if (this.#isBroken) return;
    this.#isBroken = true;
    warnOnce(
      'progress-output',
      `A progress bar cannot write (${messageOf(error)}): drawing stops, counting goes on.`,
    );
  }
}
