/**
 * Metrics for Prometheus: one API from one process to a fleet.
 *
 * @example
 * ```ts
 * import { createCounter, generateMetrics } from 'metheus';
 *
 * const requests = createCounter('http_requests_total', 'Requests served.', {
 *   requiredLabels: ['method', 'status'],
 *   defaultLabels: { status: '200' },
 * });
 * requests.labels({ method: 'GET' }).inc();
 *
 * process.stdout.write(await generateMetrics());
 * // # HELP http_requests_total Requests served.
 * // # TYPE http_requests_total counter
 * // http_requests_total{method="GET",status="200"} 1
 * ```
 *
 * @packageDocumentation
 */
export { loadBackend } from './backends/active-backend.js';
export { SingleProcessBackend } from './backends/memory.js';
export { MetheusError, type MetheusErrorCode, UnobservableMetricError } from './errors.js';
export {
  type Escaping,
  type ExpositionFormat,
  OPENMETRICS_CONTENT_TYPE,
  PROMETHEUS_CONTENT_TYPE,
} from './exposition/formats.js';
export type { ErrorClass, ExemplarOptions, ObservableCounter } from './metrics/counter.js';
export {
  Counter,
  type Create,
  type CreateInfo,
  type CreateStateSet,
  createCounter,
  createGauge,
  createHistogram,
  createInfo,
  createStateSet,
  createSummary,
  Gauge,
  Histogram,
  Info,
  StateSet,
  Summary,
} from './metrics/create.js';
export { DEFAULT_BUCKETS } from './metrics/definition.js';
export type { GaugeOptions, ObservableGauge } from './metrics/gauge.js';
export type { HistogramOptions, HistogramValue, ObservableHistogram } from './metrics/histogram.js';
export type { Info as LabelledInfo, InfoOptions } from './metrics/info.js';
export type { Created, DynamicLabels, Labelled, MetricOptions, WithLabels } from './metrics/labelled.js';
export type { NativeOptions, QuantileOptions } from './metrics/native/options.js';
export type { ObservableStateSet, StateSetOptions } from './metrics/stateset.js';
export type { ObservableSummary, SummaryOptions, SummaryValue } from './metrics/summary.js';
export type { Timed, Timer } from './metrics/timed-metric.js';
export type { CallDecorator, CallWrapper, Method } from './metrics/wrapped-functions.js';
export type {
  CollectContext,
  CollectOptions,
  Collector,
  FamilyOptions,
  FamilySeries,
  MetricSource,
  OnCollectorError,
  Registerer,
} from './model/collector.js';
export { createFamily } from './model/create-family.js';
export {
  type Exemplar,
  type FamilyDescriptor,
  type FamilySnapshot,
  type NativeBuckets,
  type PowerBuckets,
  type SeriesView,
  seriesOf,
} from './model/family.js';
export type { Labels, LabelValue } from './model/labels.js';
export type { GaugeMode, MetricType } from './model/metric-types.js';
export { CollectorRegistry, type Registrable, type RegistryOptions } from './registry/collector-registry.js';
export { type DefaultRegistry, REGISTRY } from './registry/default-registry.js';
export type { Collectable, GenerateOptions } from './registry/encode.js';
export { generateBytes, generateMetrics, streamMetrics } from './registry/generate.js';
