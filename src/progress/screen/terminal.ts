/** What bars write to, and the guard that keeps its failures away from the program. */

import { isMainThread } from 'node:worker_threads';
import { warnOnce } from '../../errors.js';
import {
  DescriptorOutlet,
  type Outlet,
  type OutputFile,
  type ProcessStream,
  StreamOutlet,
} from './outlet.js';

export type { OutputFile } from './outlet.js';

/** The stream that Node writes to without asking whether there is room, if `file` is one. */
function processStream(file: OutputFile): ProcessStream | null {
  if (!isMainThread || !('fd' in file)) return null;
  const own = file.fd === 2 ? process.stderr : file.fd === 1 ? process.stdout : null;
  return own === file ? own : null;
}

const terminals = new WeakMap<OutputFile, Terminal>();

/**
 * An output file that never throws. Once a write fails it writes nothing any more, after one warning:
 * whatever is counted goes on.
 */
export class Terminal {
  readonly file: OutputFile;
  #broken = false;
  #writing = false;
  #outlet: Outlet | null = null;

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

  /**
   * Looks at the size again. Node does this on a signal, which nobody hears while a loop runs that never gives the
   * event loop back.
   */
  refreshSize(): void {
    const { file } = this;
    if (this.broken || !('_refreshSize' in file) || typeof file._refreshSize !== 'function') return;
    try {
      file._refreshSize();
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Did a write fail, or was the file closed? */
  get broken(): boolean {
    return this.#broken || this.file.destroyed === true || this.file.writableEnded === true;
  }

  /** Is the file written to by this terminal at the moment, and not by the program? */
  get writing(): boolean {
    return this.#writing;
  }

  /** Is there something that the reader was too slow to take yet? */
  get owes(): boolean {
    return this.#outlet?.owes === true;
  }

  /** Writes at once, after what is kept. Where the reader is slow, this may wait. */
  write(text: string): void {
    this.#guard((outlet) => outlet.force(text));
  }

  /** Writes a frame, which may be lost: @returns false when the reader is too slow to take it. */
  offer(text: string): boolean {
    let taken = true;
    this.#guard((outlet) => {
      taken = outlet.offer(text);
    });
    return taken;
  }

  /** Writes what must not be lost, now or when the reader has room for it. */
  insist(text: string): void {
    this.#guard((outlet) => outlet.insist(text));
  }

  #guard(act: (outlet: Outlet) => void): void {
    if (this.broken) return;
    this.#writing = true;
    try {
      this.#outlet ??= this.#open();
      act(this.#outlet);
    } catch (error) {
      this.#fail(error);
    } finally {
      this.#writing = false;
    }
  }

  #open(): Outlet {
    const stream = processStream(this.file);
    const own = stream && DescriptorOutlet.open(stream, (error) => this.#fail(error));
    return own ?? new StreamOutlet(this.file);
  }

  #fail(error: unknown): void {
    if (this.#broken) return;
    this.#broken = true;
    const reason = error instanceof Error ? error.message : String(error);
    warnOnce('progress-output', `A progress bar cannot write (${reason}): drawing stops, counting goes on.`);
  }
}
