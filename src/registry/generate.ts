/** A registry's families as bytes. */
import { MetheusError, show } from '../errors.js';
import { ENCODERS, type EncodeOptions, type ExpositionFormat } from '../exposition/formats.js';
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

/** How long a scrape may hold the event loop before it lets others run. */
const TURN_MS = 4;

/**
 * All metrics of a registry as text, ready to be served with {@link PROMETHEUS_CONTENT_TYPE}.
 *
 * @param registry - the default registry when left out
 * @throws `METHEUS_UNKNOWN_FORMAT`, `METHEUS_COLLECTOR_FAILED`, `METHEUS_DUPLICATE_FAMILY`
 */
export async function generateMetrics(
  registry: Collectable = REGISTRY,
  options: GenerateOptions = {},
): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of streamMetrics(registry, options)) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

/**
 * The same in chunks of about 64 KiB. Every few milliseconds, and whenever its reader is slow, the event loop
 * runs: however many series there are, the program goes on.
 */
export async function* streamMetrics(
  registry: Collectable = REGISTRY,
  { format = 'text', escaping = 'underscores', created = false }: GenerateOptions = {},
): AsyncGenerator<Uint8Array, void, undefined> {
  const load = Object.hasOwn(ENCODERS, format) ? ENCODERS[format] : undefined;
  if (load === undefined) {
    const expected = Object.keys(ENCODERS)
      .map((known) => show(known))
      .join(' or ');
    throw new MetheusError('METHEUS_UNKNOWN_FORMAT', { given: show(format), expected });
  }
  const encode = await load();
  const families = await registry.collect();
  let turn = performance.now();
  for (const chunk of encode(families, { escaping, created })) {
    // An encoder that is only counting gives empty ones.
    if (chunk.length > 0) yield chunk;
    if (performance.now() - turn < TURN_MS) continue;
    await new Promise(setImmediate);
    turn = performance.now();
  }
}
