/**
 * Calls of `loadBackend` that must compile, and calls that must not, below `@ts-expect-error`. The tests compile this
 * file and never run it.
 */
import { loadBackend, SingleProcessBackend } from 'metheus';
import type { Backend, BackendClass } from 'metheus/backends';
import { MultiProcessFileBackend } from 'metheus/backends/file';
import { MultiProcessRedisBackend } from 'metheus/backends/redis';

declare class Mine extends SingleProcessBackend {
  constructor(config?: { readonly path: string });
}
declare class Bare extends SingleProcessBackend {
  constructor();
}
declare const any: BackendClass;

export async function choices(): Promise<void> {
  const backend: Backend = await loadBackend();
  await backend.flush();
  await loadBackend(undefined, { path: '/' });
  await loadBackend(SingleProcessBackend);
  await loadBackend(Bare);
  await loadBackend(any, { anything: 1 });
  await loadBackend(Mine, { path: '/' });
  await loadBackend(MultiProcessFileBackend, { directory: 'metrics' });
  await loadBackend(MultiProcessRedisBackend, { host: '127.0.0.1', ioredis: { name: 'main' } });
  await loadBackend({ backendClass: MultiProcessRedisBackend, backendConfig: { host: '::1', port: 6379 } });
  await loadBackend({ backendClass: Mine });
  await loadBackend({ backendConfig: { path: '/' } });
  // The configuration may come from the environment.
  await loadBackend(MultiProcessFileBackend);
}

export async function mistakes(): Promise<void> {
  // @ts-expect-error: it has no options
  await loadBackend(SingleProcessBackend, { directory: 'metrics' });
  // @ts-expect-error
  await loadBackend(Mine, { paths: '/' });
  // @ts-expect-error
  await loadBackend(MultiProcessFileBackend, { dir: 'metrics' });
  // @ts-expect-error
  await loadBackend(MultiProcessFileBackend, { directory: 1 });
  // @ts-expect-error
  await loadBackend(MultiProcessRedisBackend, { host: '127.0.0.1', sentinels: [] });
  // @ts-expect-error
  await loadBackend({ backendClass: MultiProcessFileBackend, backendConfig: { dir: 'metrics' } });
  // @ts-expect-error
  await loadBackend({ class: MultiProcessFileBackend });
  // @ts-expect-error
  await loadBackend('file');
  // @ts-expect-error
  new MultiProcessFileBackend();
}
