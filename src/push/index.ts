/**
 * Metrics delivered to other servers and files: `metheus/push`.
 *
 * @example
 * ```ts
 * import { createCounter } from 'metheus';
 * import { Pushgateway } from 'metheus/push';
 *
 * createCounter('rows_total', 'Rows copied.').inc(1000);
 * await new Pushgateway({ url: 'http://127.0.0.1:9091', job: 'backup' }).push();
 * ```
 *
 * @packageDocumentation
 */

export { type OtlpOptions, startOtlp } from './otlp.js';
export type { PushedMetrics } from './pushed-metrics.js';
export { Pusher, type PusherOptions, type SampleCounts } from './pusher.js';
export { Pushgateway, type PushgatewayOptions } from './pushgateway.js';
export { type RemoteWriteOptions, startRemoteWrite } from './remote-write.js';
export { type ClientTls, type Credentials, type DestinationOptions, PushError } from './request.js';
export { type TextfileOptions, writeTextfile } from './textfile.js';
