/** Generates the exposition of a registry: collects its families and encodes them. */
import { MetheusError } from '../errors.js';
import { REGISTRY } from './default-registry.js';
import type { Collectable, GenerateOptions } from './encode.js';

/**
 * Returns all metrics of a registry as text, to be served with the content type of the format:
 * {@link PROMETHEUS_CONTENT_TYPE} or {@link OPENMETRICS_CONTENT_TYPE}.
 *
 * @param registry - the default registry when left out
 * @throws `METHEUS_UNKNOWN_FORMAT`, also for protobuf, which is not text: see {@link generateBytes};
 * `METHEUS_INVALID_COLLECTOR`, `METHEUS_INVALID_OPTIONS`, and those of {@link CollectorRegistry.collect}
 */
export async function generateMetrics(
  registry: Collectable = REGISTRY,
  options: GenerateOptions = {},
): Promise<string> {
  const { checkArguments, textOf } = await import('./encode.js');
  checkArguments(registry, options);
  if (options.format === 'protobuf') {
    const [given, expected] = ["'protobuf'", "'text' or 'openmetrics' for a string"];
    throw new MetheusError('METHEUS_UNKNOWN_FORMAT', { given, expected, todo: 'Use generateBytes' });
  }
  return textOf(registry, options);
}

/** Returns all metrics of a registry as bytes. Like {@link generateMetrics}, but for every format. */
export async function generateBytes(
  registry: Collectable = REGISTRY,
  options: GenerateOptions = {},
): Promise<Uint8Array> {
  const { bytesOf, checkArguments } = await import('./encode.js');
  checkArguments(registry, options);
  return bytesOf(registry, options);
}

/**
 * Yields the bytes of {@link generateBytes} in chunks of about 64 KiB. Pauses for the event loop every few
 * milliseconds, and while the reader is slow, so that a large exposition does not block the program.
 */
export async function* streamMetrics(
  registry: Collectable = REGISTRY,
  options: GenerateOptions = {},
): AsyncGenerator<Uint8Array, void, undefined> {
  const { checkArguments, chunksOf } = await import('./encode.js');
  checkArguments(registry, options);
  yield* chunksOf(registry, options);
}
