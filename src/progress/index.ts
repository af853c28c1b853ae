/**
 * Progress bars that are metrics: the exports of `metheus/progress`.
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
import { startDrawing } from './remote/connect.js';

export type { Bar } from './bar/bar.js';
export type { BarOptions } from './bar/bar-options.js';
export type { Clock } from './bar/clock.js';
export type { CountingOptions, StreamOptions } from './bar/counting-stream.js';
export type { BarSnapshot } from './bar/environment.js';
export type { FormatDict } from './bar/line.js';
export type { MeterOptions } from './meter/arguments.js';
export { displayLength, displayTrim } from './meter/display-width.js';
export { Ema } from './meter/ema.js';
export { formatMeter } from './meter/meter.js';
export type { Postfix } from './meter/postfix.js';
export { formatInterval, formatNum, formatSizeof } from './meter/quantity.js';
export { TqdmPromProxy } from './proxy.js';
export type { BucketFunc, TqdmPromProxyOptions } from './proxy-options.js';
export type { MetricFunc, MetricNaming } from './publish/bucket-metrics.js';
export type { BarProperty } from './publish/buckets.js';
export { progressEnv } from './remote/connect.js';
export type { OutputFile } from './screen/terminal.js';
export type { MapOptions } from './sources/concurrent-map.js';
export type { AsyncIterableBar, IterableBar } from './sources/iterable-bar.js';
export type { PromiseBars } from './sources/promises.js';
export {
  createOwnTqdm as createTqdm,
  type Tqdm,
  type TqdmEnvironment,
  type Trange,
  tqdm,
  trange,
  type WriteOptions,
} from './tqdm.js';

startDrawing();
