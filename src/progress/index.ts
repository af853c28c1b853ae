/**
 * Progress bars that are metrics: what `import 'metheus/progress'` gives.
 *
 * @example
 * ```ts
 * import { TqdmPromProxy } from 'metheus/progress';
 *
 * const proxy = new TqdmPromProxy({ httpHost: '::1', httpPort: 3000 });
 * await proxy.start();
 * for (const item of proxy.tqdm(items, { desc: 'My first bar' })) work(item);
 * {
 *   using bar = proxy.tqdm(null, { total: 100, desc: 'My second bar' });
 *   bar.update(50);
 * }
 * await proxy.stop();
 * ```
 *
 * @packageDocumentation
 */
import { startDrawing } from './remote/start.js';

export type { Bar, FormatDict } from './bar.js';
export type { BarOptions } from './bar-options.js';
export type { BarProperty, MetricFunc } from './bucket-metrics.js';
export type { MapOptions } from './concurrent-map.js';
export type { CountingOptions, StreamOptions } from './counting-stream.js';
export { displayLength, displayTrim } from './display-width.js';
export { Ema } from './ema.js';
export type { BarSnapshot } from './environment.js';
export type { AsyncIterableBar, IterableBar } from './iterable-bar.js';
export { formatMeter, type MeterOptions } from './meter.js';
export type { Postfix } from './postfix.js';
export type { PromiseBars } from './promises.js';
export { type BucketFunc, TqdmPromProxy, type TqdmPromProxyOptions } from './proxy.js';
export { formatInterval, formatNum, formatSizeof } from './quantity.js';
export { progressEnv } from './remote/start.js';
export type { OutputFile } from './terminal.js';
export { type Tqdm, type Trange, tqdm, trange, type WriteOptions } from './tqdm.js';

startDrawing();
