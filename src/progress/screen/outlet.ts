/** How text leaves the process: without waiting for a reader that is slow. */
import { constants, fstatSync, openSync, writeSync } from 'node:fs';
import { addExitStep, removeExitStep } from '../../system/exit-steps.js';

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
  /** Has it kept so much that frames should be left out? */
  readonly writableNeedDrain?: boolean | undefined;
  on?(event: 'error', listener: (error: Error) => void): unknown;
  /** A terminal of Node says so when its size has changed. */
  on?(event: 'resize', listener: () => void): unknown;
  off?(event: 'resize', listener: () => void): unknown;
}

/** Takes the text of one terminal. Everything but `force` returns at once, however slow the reader is. */
export interface Outlet {
  /** Is something kept that was not written yet? */
  readonly owes: boolean;
  /** Takes a frame that may be lost. @returns false when there is no room: nothing of it was taken */
  offer(text: string): boolean;
  /** Takes text that must not be lost: now, or as soon as there is room. */
  insist(text: string): void;
  /** Writes now what is kept and `text`, for others are going to write after it. May wait. */
  force(text: string): void;
}

/** Any stream: it keeps what its reader does not take. Frames are lost while it has kept enough. */
export class StreamOutlet implements Outlet {
  readonly owes = false;
  readonly #file: OutputFile;

  constructor(file: OutputFile) {
    this.#file = file;
  }

  offer(text: string): boolean {
    if (this.#file.writableNeedDrain === true) return false;
    this.#file.write(text);
    return true;
  }

  insist(text: string): void {
    this.#file.write(text);
  }

  force(text: string): void {
    this.#file.write(text);
  }
}

/** `process.stdout` or `process.stderr` of the main thread. */
export interface ProcessStream {
  readonly fd: number;
  readonly isTTY?: boolean | undefined;
  write(text: string | Uint8Array): unknown;
}

const NOTHING = new Uint8Array(0);
/** Milliseconds between two attempts to write what is kept. */
const RETRY = 50;
/** Milliseconds that the end of the process waits for a reader that takes nothing. */
const LAST_WAIT = 1000;

/** Outlets that keep something. */
const owing = new Set<DescriptorOutlet>();

/** The end of the process: writes what is kept, as long as somebody reads, however slowly. */
export function drainOutlets(): void {
  const pause = new Int32Array(new SharedArrayBuffer(4));
  for (let waited = 0; owing.size > 0 && waited < LAST_WAIT; waited += 10) {
    for (const outlet of owing) if (outlet.flush()) waited = 0;
    if (owing.size > 0) Atomics.wait(pause, 0, 0, 10);
  }
}

/**
 * The process's own terminal or pipe. Node writes to these and waits, so that a reader that stops would stop the
 * program. They are opened once more here, with a descriptor that refuses instead, which changes nothing for others.
 */
export class DescriptorOutlet implements Outlet {
  readonly #descriptor: number;
  readonly #stream: ProcessStream;
  readonly #fail: (error: unknown) => void;
  #kept: Uint8Array = NOTHING;
  #timer: ReturnType<typeof setInterval> | null = null;

  private constructor(descriptor: number, stream: ProcessStream, fail: (error: unknown) => void) {
    this.#descriptor = descriptor;
    this.#stream = stream;
    this.#fail = fail;
  }

  /**
   * `null` where it cannot be done: on other systems than Linux, and for files and sockets.
   *
   * @param fail - told when a write failed; what was to be written is lost
   */
  static open(stream: ProcessStream, fail: (error: unknown) => void): DescriptorOutlet | null {
    if (process.platform !== 'linux') return null;
    try {
      // A file that is opened again would be written from its beginning.
      if (stream.isTTY !== true && !fstatSync(stream.fd).isFIFO()) return null;
      const { O_WRONLY, O_NONBLOCK, O_NOCTTY } = constants;
      const descriptor = openSync(`/proc/self/fd/${stream.fd}`, O_WRONLY | O_NONBLOCK | O_NOCTTY);
      return new DescriptorOutlet(descriptor, stream, fail);
    } catch {
      return null;
    }
  }

  get owes(): boolean {
    return this.#kept.length > 0;
  }

  offer(text: string): boolean {
    this.flush();
    if (this.owes) return false;
    const bytes = Buffer.from(text);
    const written = this.#write(bytes);
    if (written === 0) return false;
    this.#keep(bytes.subarray(written));
    return true;
  }

  insist(text: string): void {
    this.#keep(Buffer.concat([this.#kept, Buffer.from(text)]));
    this.flush();
  }

  force(text: string): void {
    const kept = this.#kept;
    this.#keep(NOTHING);
    if (kept.length > 0) this.#stream.write(kept);
    if (text !== '') this.#stream.write(text);
  }

  /** Writes what is kept, as far as there is room. @returns whether there was some */
  flush(): boolean {
    if (!this.owes) return false;
    const written = this.#write(this.#kept);
    this.#keep(this.#kept.subarray(written));
    return written > 0;
  }

  /** @returns how many bytes were taken */
  #write(bytes: Uint8Array): number {
    let written = 0;
    try {
      while (written < bytes.length) written += writeSync(this.#descriptor, bytes, written);
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'EAGAIN') return written;
      this.#fail(error);
      return bytes.length;
    }
    return written;
  }

  #keep(bytes: Uint8Array): void {
    this.#kept = bytes;
    if (bytes.length === 0) {
      owing.delete(this);
      if (this.#timer !== null) clearInterval(this.#timer);
      this.#timer = null;
    } else if (this.#timer === null) {
      owing.add(this);
      this.#timer = setInterval(() => this.flush(), RETRY);
      this.#timer.unref();
    }
    if (owing.size > 0) addExitStep('terminal', drainOutlets);
    else removeExitStep('terminal', drainOutlets);
  }
}
