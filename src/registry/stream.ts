/** Encoding a registry's families in turns: what `generate.ts` needs when somebody reads, and not before. */
import { MetheusError, show } from '../errors.js';
import { ENCODERS, type Encoder } from '../exposition/formats.js';
import { TimeSlice } from '../system/time-slice.js';

/** @throws `METHEUS_UNKNOWN_FORMAT`, and what the format throws that needs a package */
export function encoderOf(format: string): Promise<Encoder> {
  if (Object.hasOwn(ENCODERS, format)) return ENCODERS[format as keyof typeof ENCODERS]();
  const known = Object.keys(ENCODERS).map((name) => show(name));
  throw new MetheusError('METHEUS_UNKNOWN_FORMAT', { given: show(format), expected: known.join(' or ') });
}

/** The chunks, while the event loop runs every few milliseconds. */
export async function* givenInTurns(
  chunks: Iterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  const slice = new TimeSlice();
  for (const chunk of chunks) {
    // An encoder that is only counting gives empty ones.
    if (chunk.length > 0) yield chunk;
    if (slice.isOver()) await slice.next();
  }
}
