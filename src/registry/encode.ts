/** Encodes the families of a registry in time slices. Loaded at the first scrape: most threads never have one. */
import { isAscii } from 'node:buffer';
import { MetheusError, show } from '../errors.js';
import type { EncodeOptions, Encoder, ExpositionFormat } from '../exposition/formats.js';
import type { CollectOptions } from '../model/collector.js';
import type { FamilySnapshot } from '../model/family.js';
import { checkOptionNames } from '../model/options.js';
import { TimeSlice } from '../system/time-slice.js';

export interface GenerateOptions extends Partial<EncodeOptions> {
  /** @defaultValue `'text'` */
  readonly format?: ExpositionFormat;
}

/** A registry, or another object whose families can be collected. */
export interface Collectable {
  collect(options?: CollectOptions): Promise<readonly FamilySnapshot[]>;
}

/** Encoders are loaded when a format is first requested. */
const ENCODERS: Readonly<Record<ExpositionFormat, () => Promise<Encoder>>> = {
  text: async () => (await import('../exposition/text/prometheus.js')).encodeText,
  openmetrics: async () => (await import('../exposition/text/openmetrics.js')).encodeOpenMetrics,
  protobuf: async () => (await import('../exposition/protobuf/encode.js')).encodeProtobuf,
};

const INITIAL_BYTES = 65_536;
/** Size of the next buffer, as a multiple of the last exposition. The excess leaves room for a little growth. */
const ROOM = 1.02;

/** Expected size of a registry's next exposition. With a buffer of this size, each byte is copied only once. */
const expectedBytes = new WeakMap<object, number>();

/** Returns the whole exposition of a registry. */
export async function bytesOf(registry: Collectable, options: GenerateOptions): Promise<Uint8Array> {
  let whole = Buffer.allocUnsafeSlow(expectedBytes.get(registry) ?? INITIAL_BYTES);
  let length = 0;
  const slice = new TimeSlice();
  for (const chunk of await encode(registry, { ...options, reuse: true })) {
    const end = length + chunk.length;
    if (end > whole.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(end, 2 * whole.length));
      whole.copy(larger, 0, 0, length);
      whole = larger;
    }
    whole.set(chunk, length);
    length = end;
    if (slice.isOver()) await slice.next();
  }
  expectedBytes.set(registry, Math.ceil(length * ROOM));
  return whole.subarray(0, length);
}

/**
 * Returns the exposition of a registry as text. Each chunk becomes a string, which V8 joins without a copy, so no
 * buffer has to hold all bytes at the same time.
 */
export async function textOf(registry: Collectable, options: GenerateOptions): Promise<string> {
  let text = '';
  const slice = new TimeSlice();
  for (const chunk of await encode(registry, { ...options, reuse: true })) {
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length);
    // Most chunks are ASCII, which makes a string of half the size in half the time. Chunks end after whole characters.
    text += bytes.toString(isAscii(bytes) ? 'latin1' : 'utf8');
    if (slice.isOver()) await slice.next();
  }
  return text;
}

/** Yields the chunks of an exposition. Pauses between chunks to let the event loop run. */
export async function* chunksOf(
  registry: Collectable,
  options: GenerateOptions,
): AsyncGenerator<Uint8Array, void, undefined> {
  const slice = new TimeSlice();
  for (const chunk of await encode(registry, options)) {
    // Encoders yield an empty chunk where only a pause is due.
    if (chunk.length > 0) yield chunk;
    if (slice.isOver()) await slice.next();
  }
}

/** @throws `METHEUS_INVALID_COLLECTOR`, `METHEUS_INVALID_OPTIONS` */
export function checkArguments(registry: Collectable, options: GenerateOptions): void {
  if (typeof (registry as Collectable | null)?.collect !== 'function') {
    const expected = 'a registry, or an object with a collect() method';
    const todo = 'Options are the second argument';
    throw new MetheusError('METHEUS_INVALID_COLLECTOR', { given: show(registry), expected, todo });
  }
  checkOptionNames('an exposition', options, ['format', 'escaping', 'created', 'reuse']);
}

async function encode(
  registry: Collectable,
  { format = 'text', escaping = 'underscores', created = false, reuse = false }: GenerateOptions,
): Promise<Iterable<Uint8Array>> {
  if (!Object.hasOwn(ENCODERS, format)) {
    const known = Object.keys(ENCODERS).map((name) => show(name));
    throw new MetheusError('METHEUS_UNKNOWN_FORMAT', { given: show(format), expected: known.join(' or ') });
  }
  const encoder = await ENCODERS[format]();
  return encoder(await registry.collect(), { escaping, created, reuse });
}
