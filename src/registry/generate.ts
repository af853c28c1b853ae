/** A registry's families as bytes. */
import type { EncodeOptions, ExpositionFormat } from '../exposition/formats.js';
import type { FamilySnapshot } from '../model/family.js';
import { REGISTRY } from './default-registry.js';

export interface GenerateOptions extends Partial<EncodeOptions> {
  /** @defaultValue `'text'` */
  readonly format?: ExpositionFormat;
}

/** What can be scraped: any registry. */
export interface Collectable {
  collect(): Promise<readonly FamilySnapshot[]>;
}

/**
 * All metrics of a registry as text, ready to be served with the content type of the format:
 * {@link PROMETHEUS_CONTENT_TYPE} or {@link OPENMETRICS_CONTENT_TYPE}.
 *
 * @param registry - the default registry when left out
 * @throws `METHEUS_UNKNOWN_FORMAT`, for protobuf too, which is no text: see {@link generateBytes};
 * `METHEUS_INVALID_OPTIONS`, `METHEUS_COLLECTOR_FAILED`, `METHEUS_DUPLICATE_FAMILY`
 */
export async function generateMetrics(
  registry: Collectable = REGISTRY,
  options: GenerateOptions = {},
): Promise<string> {
  const { refuseProtobuf, textOf } = await import('./whole.js');
  refuseProtobuf(options.format);
  return textOf(await generateBytes(registry, options));
}

/** The same as bytes, which is what servers send, and in every format. */
export async function generateBytes(
  registry: Collectable = REGISTRY,
  options: GenerateOptions = {},
): Promise<Uint8Array> {
  const { wholeOf } = await import('./whole.js');
  return wholeOf(registry, streamMetrics(registry, { ...options, reuse: true }));
}

/**
 * The same in chunks of about 64 KiB. Every few milliseconds, and whenever its reader is slow, the event loop
 * runs: however many series there are, the program goes on.
 */
export async function* streamMetrics(
  registry: Collectable = REGISTRY,
  { format = 'text', escaping = 'underscores', created = false, reuse = false }: GenerateOptions = {},
): AsyncGenerator<Uint8Array, void, undefined> {
  const { encoderOf, givenInTurns } = await import('./stream.js');
  const encode = await encoderOf(format);
  yield* givenInTurns(encode(await registry.collect(), { escaping, created, reuse }));
}
