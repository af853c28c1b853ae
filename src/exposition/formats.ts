/** Exposition formats, and the contract of their encoders. */
import type { FamilySnapshot } from '../model/family.js';

/** `text` is Prometheus' text format 0.0.4, `openmetrics` is OpenMetrics 1.0.0. */
export type ExpositionFormat = 'text' | 'openmetrics' | 'protobuf';

/** Content type of the format `text`. */
export const PROMETHEUS_CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8';
/** Content type of the format `openmetrics`. */
export const OPENMETRICS_CONTENT_TYPE = 'application/openmetrics-text; version=1.0.0; charset=utf-8';
/** Content type of the format `protobuf`. */
export const PROTOBUF_CONTENT_TYPE =
  'application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited';

/**
 * How names with characters other than letters, digits and underscores are written, such as `http.requests`.
 * `allow-utf-8` keeps these characters; the others replace each of them: `underscores` by `_`, `dots` by `_dot_` or
 * `__`, `values` by its code point.
 *
 * @see https://prometheus.io/docs/instrumenting/escaping_schemes/
 */
export type Escaping = 'underscores' | 'dots' | 'values' | 'allow-utf-8';

/** Options of an encoder. */
export interface EncodeOptions {
  /** @defaultValue `'underscores'` */
  readonly escaping: Escaping;
  /**
   * Whether to write when each series began to count, where the format has a place for it and the time is known.
   *
   * @defaultValue `false`
   */
  readonly created: boolean;
  /**
   * Whether a chunk may be overwritten when the second chunk after it is requested. Saves allocations in large scrapes.
   * Must be off for callers that keep chunks, or send them without waiting.
   *
   * @defaultValue `false`
   */
  readonly reuse?: boolean;
}

/** Encodes families as chunks, each made when it is requested, so that it can be sent before the next one is made. */
export type Encoder = (families: Iterable<FamilySnapshot>, options: EncodeOptions) => Iterable<Uint8Array>;
