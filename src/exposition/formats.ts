/** The formats that there are. Their encoders are loaded when they are first asked for. */
import type { Encoder } from './encoder.js';

export type { EncodeOptions, Encoder, Escaping } from './encoder.js';

/** Exposition formats: `text` is Prometheus' text format 0.0.4, `openmetrics` is OpenMetrics 1.0.0. */
export type ExpositionFormat = 'text' | 'openmetrics' | 'protobuf';

/** Of the format `text`. */
export const PROMETHEUS_CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8';
/** Of the format `openmetrics`. */
export const OPENMETRICS_CONTENT_TYPE = 'application/openmetrics-text; version=1.0.0; charset=utf-8';

export const ENCODERS: Readonly<Record<ExpositionFormat, () => Promise<Encoder>>> = {
  text: async () => (await import('./text/prometheus.js')).encodeText,
  openmetrics: async () => (await import('./text/openmetrics.js')).encodeOpenMetrics,
  protobuf: async () => {
    // First, so that what is missing is told by its name.
    await (await import('./protobuf/peer.js')).importProtobuf();
    return (await import('./protobuf/encode.js')).encodeProtobuf;
  },
};
