/** Output that does not wait for a slow reader. */
import { constants, fstatSync, openSync, writeSync } from 'node:fs';
import { addExitStep, removeExitStep } from '../../system/exit-steps.js';

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

/** The text on its way to one terminal. Only `flush` may wait for the reader. */
export interface OutputQueue {
  /** Whether text is queued that is not written yet. */
  readonly isPending: boolean;
  /** Writes a frame if there is room. @returns false when nothing of it was written */
  tryWrite(text: string): boolean;
  /** Writes text now or, in order, as soon as there is room. */
  write(text: string): void;
  /** Writes the queue and then `text`, waiting for the reader: used before others write to the file. */
  flush(text: string): void;
}

/** Output to any stream, which buffers by itself. Frames are skipped while its buffer is full. */
export class StreamQueue implements OutputQueue {
  readonly isPending = false;
  readonly #file: OutputFile;

  constructor(file: OutputFile) {
    this.#file = file;
  }

  tryWrite(text: string): boolean {
    if (this.#file.writableNeedDrain === true) return false;
    this.#file.write(text);
    return true;
  }

  write(text: string): void {
    this.#file.write(text);
  }

  flush(text: string): void {
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
/** Milliseconds between two attempts to write the queue. */
const RETRY_MS = 50;
/** Milliseconds that the end of the process waits for a reader that takes nothing. */
const MAX_EXIT_WAIT_MS = 1000;

/** Queues that are not empty. */
const pending = new Set<DescriptorQueue>();

/** Writes all queues at the end of the process, for as long as their readers take something. */
export function drainQueues(): void {
  const pause = new Int32Array(new SharedArrayBuffer(4));
  for (let waited = 0; pending.size > 0 && waited < MAX_EXIT_WAIT_MS; waited += 10) {
    for (const queue of pending) if (queue.writeQueued()) waited = 0;
    if (pending.size > 0) Atomics.wait(pause, 0, 0, 10);
  }
}

/**
 * Output to the process's own terminal or pipe. Node's writes to these block, so a reader that stops would stop the
 * program. The file is opened once more, with a descriptor that does not block, which changes nothing for others.
 */
export class DescriptorQueue implements OutputQueue {
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
   * @param fail - called when a write failed, whose text is lost
   */
  static open(stream: ProcessStream, fail: (error: unknown) => void): DescriptorQueue | undefined {
    if (process.platform !== 'linux') return undefined;
    try {
      // A regular file that is opened again would be written from its beginning.
      if (stream.isTTY !== true && !fstatSync(stream.fd).isFIFO()) return undefined;
      const { O_WRONLY, O_NONBLOCK, O_NOCTTY } = constants;
      const descriptor = openSync(`/proc/self/fd/${stream.fd}`, O_WRONLY | O_NONBLOCK | O_NOCTTY);
      return new DescriptorQueue(descriptor, stream, fail);
    } catch {
      return undefined;
    }
  }

  get isPending(): boolean {
    return this.#queued.length > 0;
  }

  tryWrite(text: string): boolean {
    this.writeQueued();
    if (this.isPending) return false;
    const bytes = Buffer.from(text);
    const written = this.#writeBytes(bytes);
    if (written === 0) return false;
    this.#setQueued(bytes.subarray(written));
    return true;
  }

  write(text: string): void {
    this.#setQueued(Buffer.concat([this.#queued, Buffer.from(text)]));
    this.writeQueued();
  }

  flush(text: string): void {
    const queued = this.#queued;
    this.#setQueued(NOTHING);
    if (queued.length > 0) this.#stream.write(queued);
    if (text !== '') this.#stream.write(text);
  }

  /** Writes as much of the queue as there is room for. @returns whether anything was written */
  writeQueued(): boolean {
    if (!this.isPending) return false;
    const written = this.#writeBytes(this.#queued);
    this.#setQueued(this.#queued.subarray(written));
    return written > 0;
  }

  /** @returns the number of bytes written */
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
