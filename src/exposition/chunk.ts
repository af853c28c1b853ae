/** The buffer that an encoder writes into: filled, handed out, and filled again. */
import { PADDING } from '../model/label-column.js';

/** Size of a chunk: about what a socket takes at once, and small enough for a processor's cache. */
export const CHUNK_BYTES = 65536;

/** An empty chunk, which an encoder yields where its reader may let the event loop run. */
export const PAUSE = new Uint8Array();

const encoder = new TextEncoder();

/** Text that is encoded once and copied many times, with padding to copy eight bytes at a time. */
export class Fragment {
  readonly view: DataView;
  readonly length: number;

  constructor(text: string | Uint8Array) {
    const encoded = typeof text === 'string' ? encoder.encode(text) : text;
    const padded = new Uint8Array(encoded.length + PADDING);
    padded.set(encoded);
    this.view = new DataView(padded.buffer);
    this.length = encoded.length;
  }
}

/** Size of the buffers of a {@link SharedFragments}. */
const FRAGMENTS_BYTES = 16_384;

/** Encoded texts like those of a {@link Fragment}, one after another in buffers that many families share. */
export class SharedFragments {
  #bytes = new Uint8Array();
  #view = new DataView(this.#bytes.buffer);
  #used = 0;

  /** Encodes texts into one buffer, and returns their positions. */
  add(texts: readonly string[]): {
    readonly view: DataView;
    readonly ranges: readonly { readonly start: number; readonly length: number }[];
  } {
    const all = texts.join('');
    const most = 3 * all.length + PADDING;
    if (this.#used + most > this.#bytes.length) {
      this.#bytes = new Uint8Array(Math.max(FRAGMENTS_BYTES, most));
      this.#view = new DataView(this.#bytes.buffer);
      this.#used = 0;
    }
    let start = this.#used;
    const { written } = encoder.encodeInto(all, this.#bytes.subarray(start));
    this.#used += written;
    const ranges = texts.map((text) => {
      const length = written === all.length ? text.length : Buffer.byteLength(text);
      start += length;
      return { start: start - length, length };
    });
    return { view: this.#view, ranges };
  }
}

export class Chunk {
  /**
   * An instance that is never freed, so that V8 keeps the optimized code between two scrapes. See docs/v8.md:
   * constructors kept by one live instance.
   */
  static readonly always = new Chunk();

  bytes = new Uint8Array(CHUNK_BYTES + PADDING);
  view = new DataView(this.bytes.buffer);
  length = 0;
  readonly #reuse: boolean;
  /** The buffer that was handed out last, if it may be filled again. */
  #spare: Uint8Array<ArrayBuffer> | undefined;

  /** @param reuse - whether to fill two buffers in turn: see `EncodeOptions.reuse` */
  constructor(reuse = false) {
    this.#reuse = reuse;
  }

  /** Reports whether this many bytes fit. An empty chunk that is too small for them grows. */
  fits(more: number): boolean {
    if (this.length + more <= this.bytes.length - PADDING) return true;
    if (this.length > 0) return false;
    this.bytes = new Uint8Array(more + PADDING);
    this.view = new DataView(this.bytes.buffer);
    return true;
  }

  /**
   * Returns the bytes written since the last call, and begins a new chunk. A buffer that has grown is not filled again.
   */
  take(): Uint8Array {
    const { bytes, length } = this;
    const hasGrown = bytes.length > CHUNK_BYTES + PADDING;
    this.length = 0;
    if (!hasGrown && !this.#reuse) return bytes.slice(0, length);
    this.bytes = this.#spare ?? new Uint8Array(CHUNK_BYTES + PADDING);
    this.view = new DataView(this.bytes.buffer);
    this.#spare = hasGrown ? undefined : bytes;
    return bytes.subarray(0, length);
  }
}

/**
 * Copies bytes, eight at a time, and returns the offset after them. Reads and writes up to seven bytes more, for which
 * both buffers have {@link PADDING}. See docs/v8.md: copying bytes as doubles.
 */
export function copy(to: DataView, at: number, from: DataView, start: number, length: number): number {
  for (let i = 0; i < length; i += 8) to.setFloat64(at + i, from.getFloat64(start + i, true), true);
  return at + length;
}
