/** Text that waits until the reader of the process's own terminal or pipe has room for it. */
import { constants, fstatSync, openSync, writeSync } from 'node:fs';
import { addExitStep, removeExitStep } from '../../system/exit-steps.js';

/** `process.stdout` or `process.stderr` of the main thread. */
export interface ProcessStream {
  readonly fd: number;
  readonly isTTY?: boolean | undefined;
  write(text: string | Uint8Array): unknown;
}

const NOTHING = new Uint8Array(0);
/** Milliseconds between two attempts to write the queue. */
const RETRY_MS = 50;
/** Milliseconds that the end of the process waits for a reader that reads nothing. */
const MAX_EXIT_WAIT_MS = 1000;

/** Queues that are not empty. */
const pending = new Set<OutputQueue>();

/** Writes all queues at the end of the process, for as long as their readers read. */
export function drainQueues(): void {
  const pause = new Int32Array(new SharedArrayBuffer(4));
  for (let waited = 0; pending.size > 0 && waited < MAX_EXIT_WAIT_MS; waited += 10) {
    for (const queue of pending) if (queue.writeQueued()) waited = 0;
    if (pending.size > 0) Atomics.wait(pause, 0, 0, 10);
  }
}

/**
 * Output to a terminal or pipe. Node's writes to these block, so a reader that stops would stop the program. Therefore
 * the file is opened again: writes to the new descriptor do not block, and other descriptors are not affected.
 */
export class OutputQueue {
  readonly #descriptor: number;
  readonly #stream: ProcessStream;
  readonly #fail: (error: unknown) => void;
  #queued: Uint8Array = NOTHING;
  #timer: ReturnType<typeof setInterval> | undefined;

  private constructor(descriptor: number, stream: ProcessStream, fail: (error: unknown) => void) {
    this.#descriptor = descriptor;
    this.#stream = stream;
    this.#fail = fail;
  }

  /**
   * Opens the queue of a stream, or returns undefined where that is impossible: on systems other than Linux, and for
   * files and sockets.
   *
   * @param fail - called with the error of a failed write; the text is lost
   */
  static open(stream: ProcessStream, fail: (error: unknown) => void): OutputQueue | undefined {
    if (process.platform !== 'linux') return undefined;
    try {
      // A regular file that is opened again would be written from its beginning.
      if (stream.isTTY !== true && !fstatSync(stream.fd).isFIFO()) return undefined;
      const { O_WRONLY, O_NONBLOCK, O_NOCTTY } = constants;
      const descriptor = openSync(`/proc/self/fd/${stream.fd}`, O_WRONLY | O_NONBLOCK | O_NOCTTY);
      return new OutputQueue(descriptor, stream, fail);
    } catch {
      return undefined;
    }
  }

  /** Whether text is queued. */
  get isPending(): boolean {
    return this.#queued.length > 0;
  }

  /** Writes a frame if there is room, and queues the rest. Returns false when nothing of it was written. */
  tryWrite(text: string): boolean {
    this.writeQueued();
    if (this.isPending) return false;
    const bytes = Buffer.from(text);
    const written = this.#writeBytes(bytes);
    if (written === 0) return false;
    this.#setQueued(bytes.subarray(written));
    return true;
  }

  /** Writes text now or, in order, as soon as there is room. */
  write(text: string): void {
    this.#setQueued(Buffer.concat([this.#queued, Buffer.from(text)]));
    this.writeQueued();
  }

  /** Writes the queue and then `text`, and waits for the reader. Called before other code writes to the file. */
  flush(text: string): void {
    const queued = this.#queued;
    this.#setQueued(NOTHING);
    if (queued.length > 0) this.#stream.write(queued);
    if (text !== '') this.#stream.write(text);
  }

  /** Writes as much of the queue as there is room for. Returns whether anything was written. */
  writeQueued(): boolean {
    if (!this.isPending) return false;
    const written = this.#writeBytes(this.#queued);
    this.#setQueued(this.#queued.subarray(written));
    return written > 0;
  }

  /** Writes until there is no room, and returns the number of bytes written. */
  #writeBytes(bytes: Uint8Array): number {
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

  #setQueued(bytes: Uint8Array): void {
    this.#queued = bytes;
    if (bytes.length === 0) {
      pending.delete(this);
      clearInterval(this.#timer);
      this.#timer = undefined;
    } else if (this.#timer === undefined) {
      pending.add(this);
      this.#timer = setInterval(() => this.writeQueued(), RETRY_MS);
      this.#timer.unref();
    }
    if (pending.size > 0) addExitStep('terminal', drainQueues);
    else removeExitStep('terminal', drainQueues);
  }
}
