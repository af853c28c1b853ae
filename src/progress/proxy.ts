/** `TqdmPromProxy`: bars whose numbers are metrics, served over HTTP. */
import { MetheusError, messageOf, show, warnOnce } from '../errors.js';
import { type MetricsServer, type MetricsServerOptions, startServer } from '../exporter/server.js';
import type { Collector } from '../model/collector.js';
import type { FamilySnapshot } from '../model/family.js';
import type { CollectorRegistry } from '../registry/collector-registry.js';
import { type DefaultRegistry, REGISTRY } from '../registry/default-registry.js';
import { Bar } from './bar/bar.js';
import type { BarPublisher } from './bar/environment.js';
import { type BucketFunc, checkOptions, type TqdmPromProxyOptions } from './proxy-options.js';
import { serveAnywhere } from './proxy-server.js';
import { BucketFamilies } from './publish/bucket-metrics.js';
import { BucketReader, describeBucket } from './publish/buckets.js';
import { RecordPool } from './publish/record-pool.js';
import { children, publishInParent } from './remote/connect.js';
import { describeOpenBars } from './screen/live-bars.js';
import { createTqdm, createTrange, type Tqdm, type Trange } from './tqdm.js';

/** The bucket of bars without a description. */
const NO_DESCRIPTION = 'default';

/**
 * Creates bars whose numbers can be scraped. A bar is counted from its start, even if it is not drawn or the proxy is
 * not started. In a worker thread or child process, a proxy need not be started: the started proxy of the same name
 * serves its bars too.
 *
 * @example
 * ```ts
 * const proxy = new TqdmPromProxy({ httpHost: '::1', httpPort: 3000 });
 * await proxy.start();
 * for (const file of proxy.tqdm(files, { desc: 'Upload' })) upload(file);
 * await proxy.stop();
 * ```
 */
export class TqdmPromProxy implements Collector {
  /** Replaces `tqdm`: the same bars, published. */
  readonly tqdm: Tqdm;
  /** Replaces `trange`. */
  readonly trange: Trange;
  readonly name: string;
  readonly #address: Required<Pick<MetricsServerOptions, 'host' | 'port' | 'keepAlive'>> &
    Pick<MetricsServerOptions, 'allowedHosts' | 'auth' | 'requireAuth' | 'webConfig'>;
  readonly #isRequired: boolean;
  readonly #publisher: BarPublisher;
  readonly #registry: CollectorRegistry | DefaultRegistry;
  readonly #buckets: BucketReader;
  readonly #families: BucketFamilies;
  /** The server; resolves with undefined if no address is available. */
  #server: Promise<MetricsServer | undefined> | undefined;
  /** Resolves when the previous server has released its port. */
  #stopped: Promise<void> = Promise.resolve();
  #url: string | undefined;

  /** @throws `METHEUS_INVALID_CALLBACK`, `METHEUS_INVALID_OPTIONS`; host and port are checked by `start` */
  constructor(options: TqdmPromProxyOptions = {}) {
    checkOptions(options);
    const { httpHost = '::1', httpPort = 3000, bucketFunc, registry = REGISTRY } = options;
    const { required = false, keepAlive = false, allowedHosts, auth, requireAuth, webConfig } = options;
    this.name = options.name ?? defaultName();
    this.#address = {
      host: httpHost,
      port: httpPort,
      keepAlive,
      ...(allowedHosts !== undefined && { allowedHosts }),
      ...{ auth, requireAuth, webConfig },
    };
    this.#isRequired = required;
    this.#registry = registry;
    this.#buckets = new BucketReader(this.name);
    this.#families = new BucketFamilies(this.name, options);
    this.#publisher = {
      openRecord: RecordPool.of(this.name).open,
      bucketOf: bucketNamer(this.name, bucketFunc),
      followsBuckets: bucketFunc !== undefined,
    };
    publishInParent();
    this.tqdm = createTqdm(this.#publisher);
    this.trange = createTrange(this.#publisher);
  }

  /** URL of the metrics, such as `http://[::1]:3000/metrics`; undefined while they are not served. */
  get url(): string | undefined {
    return this.#url;
  }

  /**
   * Publishes a bar that was created without a proxy, with everything counted so far. Has no effect on a bar that
   * has ended or that this proxy already publishes.
   *
   * @returns the bar
   * @throws `METHEUS_INVALID_VALUE` for anything else, and for a bar of another proxy
   */
  add<B extends Bar>(bar: B): B {
    if (!(bar instanceof Bar)) throw notAddable(show(bar));
    if (bar.proxy === this.name) return bar;
    if (bar.proxy !== undefined) throw notAddable(`a bar of the proxy ${show(bar.proxy)}`);
    bar.publishBy(this.#publisher);
    return bar;
  }

  /**
   * Serves the bars and the metrics of the registry until `stop`. Resolves when the server listens. Has no effect when
   * it listens already. If the address or port is not available, the proxy takes another one, with a warning; if none
   * works, `url` stays undefined. The proxy can then be started again, also after an error.
   *
   * @throws `METHEUS_INVALID_OPTIONS`; with `required`, also `METHEUS_PORT_IN_USE` and `METHEUS_LISTEN_FAILED`
   */
  async start(): Promise<void> {
    this.#server ??= this.#stopped.then(() => this.#listen());
    const starting = this.#server;
    let server: MetricsServer | undefined;
    try {
      server = await starting;
    } finally {
      if (this.#server === starting) {
        this.#url = server?.url;
        if (server === undefined) this.#server = undefined;
      }
    }
  }

  /** Stops serving. Bars keep counting, and their numbers are served again after the next `start`. */
  async stop(): Promise<void> {
    const server = this.#server;
    if (server !== undefined) {
      this.#server = undefined;
      this.#url = undefined;
      // A server that never listened need not be closed. Its error has been thrown by `start`.
      this.#stopped = server.then(
        (listening) => listening?.close(),
        () => {},
      );
    }
    await this.#stopped;
  }

  /**
   * Returns the families of the bars. A proxy is a collector: where metrics are served already, register it there
   * instead of starting it.
   */
  async collect(): Promise<FamilySnapshot[]> {
    children?.readRecords();
    return this.#families.snapshot(await this.#buckets.read());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  #listen(): Promise<MetricsServer | undefined> {
    const options = { ...this.#address, registry: { collect: () => this.#collectAll() } };
    const start = (address: object) =>
      startServer({ ...options, ...address }, [['/debug', () => this.#debugPage()]]);
    return this.#isRequired ? start({}) : serveAnywhere(this.#address, start);
  }

  /** Returns the page with the buckets of the proxy, and all bars that this process counts or draws. */
  async #debugPage(): Promise<readonly [type: string, content: string]> {
    children?.readRecords();
    const buckets = (await this.#buckets.read()).map(describeBucket);
    const content = JSON.stringify({ proxy: this.name, buckets, bars: describeOpenBars() });
    return ['application/json; charset=utf-8', `${content}\n`];
  }

  /**
   * Returns the metrics of the registry and the families of the bars. The proxy does not register itself: otherwise two
   * proxies could not serve one registry, and its prefix would change the names of the bars.
   */
  async #collectAll(): Promise<FamilySnapshot[]> {
    if (this.#registry.has?.(this)) return this.#registry.collect();
    // Collected first, since collectors of the registry may update bars.
    const metrics = await this.#registry.collect();
    const bars = await this.collect();
    const taken = new Set(metrics.map(({ family }) => family.name));
    const free = bars.filter(({ family: { name } }) => {
      if (!taken.has(name)) return true;
      warnOnce(
        `bars ${this.name} ${name}`,
        `The registry has a metric ${show(name)} already: the one of the progress bars is not published.`,
      );
      return false;
    });
    return [...metrics, ...free];
  }
}

/** Number of proxies without a name in this thread. */
let unnamed = 0;

/**
 * Returns the name of the next proxy without one. The names are the same in each run and in each worker thread that
 * creates its proxies in the same order.
 */
function defaultName(): string {
  unnamed += 1;
  return unnamed === 1 ? 'progress' : `progress-${unnamed}`;
}

function notAddable(given: string): MetheusError {
  const expected = 'a bar of tqdm that no other proxy publishes';
  return new MetheusError('METHEUS_INVALID_VALUE', { given, expected });
}

/** Returns the user's function with a fallback for a call that throws or returns no name. */
function bucketNamer(proxy: string, bucketFunc: BucketFunc = ({ desc }) => desc): BucketFunc {
  return (bar) => {
    const fallback = bar.desc || NO_DESCRIPTION;
    const warn = (problem: string) =>
      warnOnce(
        `bucketFunc ${proxy} ${fallback}`,
        `bucketFunc ${problem}. The bar is counted in the bucket ${show(fallback)}.`,
      );
    try {
      const bucket: unknown = bucketFunc(bar);
      if (typeof bucket === 'string') return bucket || NO_DESCRIPTION;
      warn(`gave ${show(bucket)}, which is not a string`);
    } catch (error) {
      warn(`threw: ${messageOf(error)}`);
    }
    return fallback;
  };
}
