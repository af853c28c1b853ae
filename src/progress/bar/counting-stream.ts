/** Streams that count into a bar and pass everything on: nothing is copied, and back-pressure is kept. */

import { Transform, type TransformCallback } from 'node:stream';
import { TransformStream } from 'node:stream/web';
import { MetheusError, show } from '../../errors.js';
import { checkOptionNames } from '../../model/options.js';

/** Options of `bar.stream()` and `bar.webStream()`. */
export interface CountingOptions {
  /** Whether to count chunks, of any kind, instead of bytes. @defaultValue `false` */
  readonly objectMode?: boolean | undefined;
  /**
   * Whether the bar stays open when the stream ends without an error: for one bar over many streams.
   *
   * @defaultValue `false`
   */
  readonly keepOpen?: boolean | undefined;
}

/** Options of `bar.stream()`. */
export interface StreamOptions extends CountingOptions {
  /** Buffered bytes or objects from which back-pressure applies. @defaultValue Node's */
  readonly highWaterMark?: number | undefined;
}

const COUNTING_OPTIONS = ['objectMode', 'keepOpen'];

function endBar(bar: CountedBar, keepOpen: boolean, error: unknown): void {
  if (error !== undefined) bar.fail(error);
  else if (!keepOpen) bar.close();
}

/**
 * A `Transform` for `pipeline`. The bar closes when the last chunk has been read. If the stream is destroyed earlier,
 * the bar fails with the error; without an error it closes, as after a loop that is left by `break`.
 */
export class CountingStream extends Transform {
  readonly #bar: CountedBar;
  readonly #keepOpen: boolean;

  constructor(bar: CountedBar, options: StreamOptions = {}) {
    checkOptionNames('bar.stream()', options, [...COUNTING_OPTIONS, 'highWaterMark']);
    const { objectMode, keepOpen = false, highWaterMark } = options;
    super({ objectMode, highWaterMark });
    this.#bar = bar;
    this.#keepOpen = keepOpen;
  }

  /** Counts a chunk. Outside object mode it is a buffer, since Node has already encoded strings. */
  override _transform(chunk: Buffer, _encoding: BufferEncoding, callback: TransformCallback): void {
    this.#bar.update(this.writableObjectMode ? 1 : chunk.length);
    callback(null, chunk);
  }

  /** Ends the bar. Node calls this for every stream, also by itself after the last chunk has been read. */
  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    endBar(this.#bar, this.#keepOpen, error ?? undefined);
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

/**
 * Creates a web stream that does the same as {@link CountingStream}, for `pipeThrough`. An error fails the bar, and so
 * does an abort or a cancellation with a reason.
 */
export function countingTransform<T>(bar: CountedBar, options: CountingOptions = {}): TransformStream<T, T> {
  checkOptionNames('bar.webStream()', options, COUNTING_OPTIONS);
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
    flush: () => endBar(bar, keepOpen, undefined),
    // Called when the readable side is cancelled or the writable side is aborted.
    cancel: (reason: unknown) => endBar(bar, keepOpen, reason),
  };
  return new TransformStream(transformer);
}

/** A bar that streams can advance. */
export abstract class CountedBar {
  abstract update(n?: number): boolean;
  abstract close(): void;
  abstract fail(error?: unknown): void;

  /**
   * Returns a stream for `pipeline` that passes everything on and counts its bytes, or its objects. An error of the
   * stream fails the bar. The bar closes when the stream ends or is destroyed without an error.
   */
  stream(options?: StreamOptions): Transform {
    return new CountingStream(this, options);
  }

  /**
   * Returns a web stream that does the same as {@link stream}, for `pipeThrough`. It counts the bytes of views, buffers
   * and text; with `objectMode`, it counts chunks of any kind.
   */
  webStream<T = Uint8Array>(options?: CountingOptions): TransformStream<T, T> {
    return countingTransform(this, options);
  }
}
