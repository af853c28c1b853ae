/**
 * Metrics of many machines: `metheus/backends/redis`.
 *
 * @example
 * ```ts
 * import { loadBackend } from 'metheus';
 * import { MultiProcessRedisBackend } from 'metheus/backends/redis';
 *
 * await loadBackend(MultiProcessRedisBackend, { host: '127.0.0.1', port: 6379 });
 * ```
 *
 * @packageDocumentation
 */
export { MultiProcessRedisBackend } from './backend.js';
export type { RedisBackendConfig, RedisClient } from './config.js';
