/** What bars write to, and the guard that keeps its failures away from the program. */

import { warnOnce } from '../errors.js';

/** Anything that takes text: `process.stderr`, a file stream, an object of a test. */
export interface OutputFile {
  write(text: string): unknown;
  /** Is it a terminal? `disable: null` asks. */
  readonly isTTY?: boolean | undefined;
  /** Size, when it is a terminal. */
  readonly columns?: number | undefined;
  readonly rows?: number | undefined;
  readonly destroyed?: boolean | undefined;
  readonly writableEnded?: boolean | undefined;
  on?(event: 'error', listener: (error: Error) => void): unknown;
}

const terminals = new WeakMap<OutputFile, Terminal>();

/**
 * An output file that never throws. Once a write fails it writes nothing any more, after one warning:
 * whatever is counted goes on.
 */
export class Terminal {
  readonly file: OutputFile;
  #broken = false;

  private constructor(file: OutputFile) {
    this.file = file;
    // A closed pipe reports its trouble as an event, which would end a process that nobody prepared for it.
    file.on?.('error', (error) => this.#fail(error));
  }

  /** The one terminal of `file`: bars on one file share its state. */
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

  /** Did a write fail, or was the file closed? */
  get broken(): boolean {
    return this.#broken || this.file.destroyed === true || this.file.writableEnded === true;
  }

  write(text: string): void {
    if (text === '' || this.broken) return;
    try {
      this.file.write(text);
    } catch (error) {
      this.#fail(error);
    }
  }

  #fail(error: unknown): void {
    if (this.#broken) return;
    this.#broken = true;
    const reason = error instanceof Error ? error.message : String(error);
    warnOnce('progress-output', `A progress bar cannot write (${reason}): drawing stops, counting goes on.`);
  }
}
