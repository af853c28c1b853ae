/** The formats that there are. Their encoders are loaded when they are first asked for. */
import type { FamilySnapshot } from '../model/family.js';

/** Exposition formats: `text` is Prometheus' text format 0.0.4. */
export type ExpositionFormat = 'text';

/** Of the format `text`. */
export const PROMETHEUS_CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

/** Writes families as chunks of bytes. Nothing is kept: a chunk can be sent while the next is written. */
export type Encoder = (families: Iterable<FamilySnapshot>) => Iterable<Uint8Array>;

export const ENCODERS: Readonly<Record<ExpositionFormat, () => Promise<Encoder>>> = {
  text: async () => (await import('./text.js')).encodeText,
};
