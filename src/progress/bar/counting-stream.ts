/** Streams that let everything through and count it into a bar. They copy nothing, and wait for whoever reads. */

import { Transform, type TransformCallback } from 'node:stream';
import { TransformStream } from 'node:stream/web';
import { MetheusError, show } from '../../errors.js';

/** What a stream needs of its bar. */
export interface CountedBar {
  update(n?: number): boolean;
  close(): void;
  fail(error?: unknown): void;
}

/** Options of `bar.stream()` and `bar.webStream()`. */
export interface CountingOptions {
  /** Count chunks, whatever they are, instead of bytes (default `false`). */
  readonly objectMode?: boolean | undefined;
  /** Leave the bar open when the stream ends well: for one bar over many streams (default `false`). */
  readonly keepOpen?: boolean | undefined;
}

/** Options of `bar.stream()`. */
export interface StreamOptions extends CountingOptions {
  /** Where back-pressure begins, in bytes or objects. Default: Node's. */
  readonly highWaterMark?: number | undefined;
}

/**
 * A `Transform` for `pipeline`. The bar is closed when the last chunk was read, fails when the stream is destroyed
 * with an error, and is closed when it is destroyed without one, as a loop that is left by `break`.
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

  /** Chunks that are not objects are Buffers here: strings were encoded by `write`, as for every byte stream. */
  override _transform(chunk: Buffer, _encoding: BufferEncoding, callback: TransformCallback): void {
    this.#bar.update(this.#objects ? 1 : chunk.length);
    callback(null, chunk);
  }

  /** Every stream comes here: at its end too, when the last chunk was read. */
  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    if (error !== null && error !== undefined) this.#bar.fail(error);
    else if (!this.#keepOpen) this.#bar.close();
    callback(error);
  }
}

/** @throws MetheusError `METHEUS_INVALID_VALUE` for what is neither bytes nor text */
function bytesOf(chunk: unknown): number {
  if (ArrayBuffer.isView(chunk) || chunk instanceof ArrayBuffer) return chunk.byteLength;
  if (typeof chunk === 'string') return Buffer.byteLength(chunk);
  throw new MetheusError('METHEUS_INVALID_VALUE', {
    given: `${show(chunk)} to a stream that counts bytes`,
    expected: 'bytes or text',
    todo: 'Count chunks with objectMode: true',
  });
}

/** The same as a web stream, for `pipeThrough`: closed at its end, failed by an error or an abort with a reason. */
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
    // The reader left, or the writer aborted.
    cancel(reason: unknown): void {
      if (reason !== undefined) bar.fail(reason);
      else if (!keepOpen) bar.close();
    },
  };
  return new TransformStream(transformer);
}
