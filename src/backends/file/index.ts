/**
 * Metrics of many processes on one machine: `metheus/backends/file`.
 *
 * @example
 * ```ts
 * import { loadBackend } from 'metheus';
 * import { MultiProcessFileBackend } from 'metheus/backends/file';
 *
 * await loadBackend(MultiProcessFileBackend, { directory: './metrics' });
 * ```
 *
 * @packageDocumentation
 */
export { type FileBackendConfig, MultiProcessFileBackend } from './backend.js';
