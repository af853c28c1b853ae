/** Encoding a registry's families in turns: what `generate.ts` needs when somebody reads, and not before. */
import { MetheusError, show } from '../errors.js';
import { ENCODERS, type Encoder } from '../exposition/formats.js';

/** How long a scrape may hold the event loop before it lets others run. */
const TURN_MS = 4;

/** @throws `METHEUS_UNKNOWN_FORMAT`, and what the format throws that needs a package */
export function encoderOf(format: string): Promise<Encoder> {
  if (Object.hasOwn(ENCODERS, format)) return ENCODERS[format as keyof typeof ENCODERS]();
  const known = Object.keys(ENCODERS).map((name) => show(name));
  throw new MetheusError('METHEUS_UNKNOWN_FORMAT', { given: show(format), expected: known.join(' or ') });
}

/** The chunks, while the event loop runs every few milliseconds. */
export async function* inTurns(chunks: Iterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
  let turn = performance.now();
  for (const chunk of chunks) {
    // An encoder that is only counting gives empty ones.
    if (chunk.length > 0) yield chunk;
    if (performance.now() - turn < TURN_MS) continue;
    await new Promise(setImmediate);
    turn = performance.now();
  }
}

/**
 * All chunks as one text.
 *
 * @throws `METHEUS_UNKNOWN_FORMAT` for protobuf, which is no text
 */
export async function textOf(format: string | undefined, chunks: AsyncIterable<Uint8Array>): Promise<string> {
  if (format === 'protobuf') {
    const [given, expected] = ["'protobuf'", "'text' or 'openmetrics' for a string"];
    throw new MetheusError('METHEUS_UNKNOWN_FORMAT', { given, expected, todo: 'Use streamMetrics' });
  }
  const all: Uint8Array[] = [];
  for await (const chunk of chunks) all.push(chunk);
  return Buffer.concat(all).toString();
}
