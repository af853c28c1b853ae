/**
 * Metrics over HTTP: `metheus/http`.
 *
 * @example
 * ```ts
 * import { createCounter } from 'metheus';
 * import { startMetricsServer } from 'metheus/http';
 *
 * createCounter('jobs_total', 'Jobs done.').inc();
 * const server = await startMetricsServer({ port: 9464 });
 * console.log(server.url); // http://127.0.0.1:9464/metrics
 * await server.close();
 * ```
 *
 * @packageDocumentation
 */
export { type Negotiated, negotiate } from '../exposition/negotiate.js';
export type { Auth, AuthCredentials, AuthRequest } from './authenticate.js';
export { type CloseOptions, closeOnSignal } from './close-on-signal.js';
export { createFetchHandler, type FetchHandler } from './fetch-handler.js';
export { createMetricsHandler, type MetricsHandler } from './node-handler.js';
export type { MetricsHandlerOptions } from './response.js';
export { type MetricsServer, type MetricsServerOptions, startMetricsServer } from './server.js';
export type { AccessOptions } from './web-access.js';
export type { WebConfig, WebTlsConfig } from './web-config.js';
