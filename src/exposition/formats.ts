/** The formats that there are. Their encoders are loaded when they are first asked for. */
import type { FamilySnapshot } from '../model/family.js';

/** Exposition formats: `text` is Prometheus' text format 0.0.4, `openmetrics` is OpenMetrics 1.0.0. */
export type ExpositionFormat = 'text' | 'openmetrics' | 'protobuf';

/**
 * What becomes of names that not every reader knows, such as `http.requests`. `allow-utf-8` leaves them as they
 * are; the others replace what is not a letter, digit or underscore: `underscores` by `_`, `dots` by `_dot_` and
 * `__`, `values` by the number of the character.
 *
 * @see https://prometheus.io/docs/instrumenting/escaping_schemes/
 */
export type Escaping = 'underscores' | 'dots' | 'values' | 'allow-utf-8';

/** Of the format `text`. */
export const PROMETHEUS_CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8';
/** Of the format `openmetrics`. */
export const OPENMETRICS_CONTENT_TYPE = 'application/openmetrics-text; version=1.0.0; charset=utf-8';

/** What an encoder is told besides the families. */
export interface EncodeOptions {
  readonly escaping: Escaping;
  /** Whether to write when each series began to count, where the format has a place for it. */
  readonly created: boolean;
}

/** Writes families as chunks of bytes. Nothing is kept: a chunk can be sent while the next is written. */
export type Encoder = (families: Iterable<FamilySnapshot>, options: EncodeOptions) => Iterable<Uint8Array>;

export const ENCODERS: Readonly<Record<ExpositionFormat, () => Promise<Encoder>>> = {
  text: async () => (await import('./text.js')).encodeText,
  openmetrics: async () => (await import('./openmetrics.js')).encodeOpenMetrics,
  protobuf: async () => {
    // First, so that what is missing is told by its name.
    await (await import('./protobuf-peer.js')).importProtobuf();
    return (await import('./protobuf.js')).encodeProtobuf;
  },
};
