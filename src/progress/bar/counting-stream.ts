/** Streams that count into a bar and pass everything on: nothing is copied, and back-pressure is kept. */

import { Transform, type TransformCallback } from 'node:stream';
import { TransformStream } from 'node:stream/web';
import { MetheusError, show } from '../../errors.js';

/** The bar of a stream. */
export interface CountedBar {
  update(n?: number): boolean;
  close(): void;
  fail(error?: unknown): void;
}

/** Options of `bar.stream()` and `bar.webStream()`. */
export interface CountingOptions {
  /** Whether to count chunks, of any kind, instead of bytes. @defaultValue `false` */
  readonly objectMode?: boolean | undefined;
  /** Whether the bar stays open when the stream ends without an error: for one bar over many streams. @defaultValue `false` */
  readonly keepOpen?: boolean | undefined;
}

/** Options of `bar.stream()`. */
export interface StreamOptions extends CountingOptions {
  /** Where back-pressure begins, in bytes or objects. @defaultValue Node's */
  readonly highWaterMark?: number | undefined;
}

/**
 * A `Transform` for `pipeline`. The bar closes when the last chunk has been read or the stream is destroyed without an
 * error, as a loop that is left by `break`; it fails when the stream is destroyed with one.
 */
export class CountingStream extends Transform {
  readonly #bar: CountedBar;
  readonly #objects: boolean;
  readonly #keepOpen: boolean;

  constructor(bar: CountedBar, options: StreamOptions = {}) {
    const { objectMode = false, keepOpen = false, highWaterMark } = options;
    super({ objectMode, ...(highWaterMark !== undefined && { highWaterMark }) });
    this.#bar = bar;
    this.#objects = objectMode;
    this.#keepOpen = keepOpen;
  }

  /** Outside object mode chunks are buffers: `write` has encoded strings, as in every byte stream. */
  override _transform(chunk: Buffer, _encoding: BufferEncoding, callback: TransformCallback): void {
    this.#bar.update(this.#objects ? 1 : chunk.length);
    callback(null, chunk);
  }

  /** Called for every stream, also at its end, when the last chunk has been read. */
  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    if (error !== null && error !== undefined) this.#bar.fail(error);
    else if (!this.#keepOpen) this.#bar.close();
    callback(error);
  }
}

/** @throws `METHEUS_INVALID_VALUE` for anything but bytes and text */
function bytesOf(chunk: unknown): number {
  if (ArrayBuffer.isView(chunk) || chunk instanceof ArrayBuffer) return chunk.byteLength;
  if (typeof chunk === 'string') return Buffer.byteLength(chunk);
  throw new MetheusError('METHEUS_INVALID_VALUE', {
    given: `${show(chunk)} to a stream that counts bytes`,
    expected: 'bytes or text',
    todo: 'Count chunks with objectMode: true',
  });
}

/** Creates the same as a web stream, for `pipeThrough`: an error, or an abort with a reason, fails the bar. */
export function countingTransform<T>(bar: CountedBar, options: CountingOptions = {}): TransformStream<T, T> {
  const { objectMode = false, keepOpen = false } = options;
  const transformer = {
    transform(chunk: T, controller: { enqueue(chunk: T): void; error(reason: unknown): void }): void {
      try {
        bar.update(objectMode ? 1 : bytesOf(chunk));
      } catch (error) {
        bar.fail(error);
        throw error;
      }
      controller.enqueue(chunk);
    },
    flush(): void {
      if (!keepOpen) bar.close();
    },
    // Called when the reader cancels or the writer aborts.
    cancel(reason: unknown): void {
      if (reason !== undefined) bar.fail(reason);
      else if (!keepOpen) bar.close();
    },
  };
  return new TransformStream(transformer);
}
