/** `MultiProcessRedisBackend`: the numbers of any number of processes on any machines, added up in Redis. */
import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { DEFAULT_SCOPE } from '../../model/collector.js';
import type { Exemplar, FamilyDescriptor, FamilySnapshot } from '../../model/family.js';
import { ServerClock } from '../../system/clock.js';
import { addExitStep, removeExitStep } from '../../system/exit-steps.js';
import { findOrCreate } from '../../system/find-or-create.js';
import type { Backend, CellRequest, Cells, LabelPattern, SnapshotRequest } from '../backend.js';
import { SingleProcessBackend } from '../memory.js';
import { publicConfig, type RedisBackendConfig, type Settings, settingsOf } from './config.js';
import { Connection } from './connection.js';
import { ExemplarOutbox } from './exemplars.js';
import { familyId, keysOf } from './family-hash.js';
import { Flusher } from './flusher.js';
import type { Outbox } from './outbox.js';
import { PerWriterOutbox } from './per-writer.js';
import { Reader } from './reader.js';
import { RedisStatus } from './status.js';
import { SumOutbox } from './sum-outbox.js';

/**
 * Shares numbers through Redis. Counting only changes memory of this process. The changes are sent to Redis on a timer,
 * before a scrape and at a clean exit. While Redis is unavailable, they stay in memory.
 */
export class MultiProcessRedisBackend implements Backend {
  readonly config: Readonly<Record<string, unknown>>;
  readonly storage: string;
  readonly #settings: Settings;
  /** Name of this process, unique among all that share the keys. It is also the value of the `pid` label. */
  readonly #producer = `${hostname()}-${process.pid}-${randomBytes(4).toString('hex')}`;
  /** Owns the pages, and answers scrapes while Redis is unavailable. */
  readonly #own = new SingleProcessBackend();
  /** The outbox of each family, by family id. */
  readonly #outboxes = new Map<string, Outbox>();
  /** The exemplars of each family that has any, by family id. */
  readonly #exemplars = new Map<string, ExemplarOutbox>();
  readonly #status = new RedisStatus();
  readonly #clock = new ServerClock();
  #open: { readonly connection: Connection; readonly flusher: Flusher; readonly reader: Reader } | undefined;
  #timer: NodeJS.Timeout | undefined;

  /** @throws `METHEUS_INVALID_OPTIONS` */
  constructor(config: RedisBackendConfig = {}) {
    this.#settings = settingsOf(config);
    this.config = publicConfig(this.#settings);
    const { host, port, db, cluster, keyPrefix } = this.config;
    this.storage = `redis ${JSON.stringify({ host, port, db, cluster, keyPrefix })}`;
  }

  /** @throws `METHEUS_DEPENDENCY_MISSING`; with `failFast`, the error of Redis or the network */
  async open(): Promise<void> {
    const connection = await Connection.open(this.#settings);
    const context = {
      producer: this.#producer,
      connection,
      settings: this.#settings,
      keys: keysOf(this.#settings.keyPrefix),
      status: this.#status,
      clock: this.#clock,
    };
    const flusher = new Flusher(context, this.#outboxes, this.#exemplars);
    const reader = new Reader(context, this.#own, this.#outboxes, flusher);
    this.#open = { connection, flusher, reader };
    connection.onReady(() => void flusher.start());
    this.#timer = setInterval(() => void flusher.start(), 1000 * this.#settings.flushInterval).unref();
    addExitStep('redis', this.#atExit);
  }

  reserve(request: CellRequest): Cells {
    const { family, labels, writer } = request;
    const cells = this.#own.reserve(request);
    this.#outboxOf(family).add(cells, labels, writer);
    return cells;
  }

  release(family: FamilyDescriptor, cells: Cells, why: 'removed' | 'moved' = 'removed'): void {
    this.#outboxes.get(familyId(family))?.remove(cells, why);
    const exemplars = this.#exemplars.get(familyId(family));
    const text = exemplars && this.#own.labelTextOf(family, cells);
    if (text !== undefined) exemplars!.remove(text, family.cells);
    this.#own.release(family, cells);
  }

  removeEnded(family: FamilyDescriptor, labels: LabelPattern): void {
    this.#outboxOf(family).removeEnded(labels);
  }

  createdOf(family: FamilyDescriptor, cells: Cells): number | undefined {
    return this.#own.createdOf(family, cells);
  }

  putExemplar(family: FamilyDescriptor, cells: Cells, cell: number, exemplar: Exemplar): void {
    this.#own.putExemplar(family, cells, cell, exemplar);
    const text = family.merge === 'add' ? this.#own.labelTextOf(family, cells) : undefined;
    if (text === undefined) return;
    findOrCreate(this.#exemplars, familyId(family), () => new ExemplarOutbox()).put(text, cell, exemplar);
  }

  exemplarsOf(family: FamilyDescriptor, cells: Cells): readonly (Exemplar | undefined)[] | undefined {
    return this.#own.exemplarsOf(family, cells);
  }

  async snapshot(request: SnapshotRequest): Promise<FamilySnapshot[]> {
    const status = this.#status;
    let snapshots: FamilySnapshot[];
    try {
      snapshots = request.own ? await this.#own.snapshot(request) : await this.#flushAndRead(request);
    } catch (error) {
      if (error !== status.outage) status.reportOutage(error as Error);
      if (this.#settings.whenDown === 'error') throw error;
      snapshots = await this.#own.snapshot(request);
    }
    return request.scopes.includes(DEFAULT_SCOPE) ? [...snapshots, ...status.snapshots()] : snapshots;
  }

  /** Sends all changes. Rejects when Redis is unavailable: the changes are kept, and sent by a later flush. */
  async flush(): Promise<void> {
    await this.#open?.flusher.flushAll();
    if (this.#status.outage !== undefined) throw this.#status.outage;
  }

  /** Flushes, marks this process as ended, so that its live gauges disappear, and disconnects. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    removeExitStep('redis', this.#atExit);
    if (this.#open === undefined) return;
    await this.#open.flusher.signOff();
    const hasReleased = [...this.#outboxes.values()].some((outbox) => outbox.hasReleased);
    if (hasReleased && this.#status.outage !== undefined) this.#status.reportLeftBehind();
    this.#open?.connection.close();
    this.#open = undefined;
  }

  /**
   * Signs off before the process ends. Runs only once, since its asynchronous work makes Node emit `beforeExit` again.
   */
  readonly #atExit = (): void => {
    removeExitStep('redis', this.#atExit);
    void this.#open?.flusher.signOff();
  };

  #outboxOf(family: FamilyDescriptor): Outbox {
    return findOrCreate(this.#outboxes, familyId(family), () =>
      family.merge === 'add'
        ? new SumOutbox(family)
        : new PerWriterOutbox(family, this.#producer, this.#clock),
    );
  }

  async #flushAndRead(request: SnapshotRequest): Promise<FamilySnapshot[]> {
    // During an outage, a scrape tries to flush only once. A flush that is under way already counts as that attempt.
    if (this.#status.outage !== undefined) await this.#open?.flusher.start();
    if (this.#status.outage !== undefined) throw this.#status.outage;
    await this.flush();
    if (this.#open === undefined) return this.#own.snapshot(request);
    return this.#own.addExemplars(await this.#open.reader.read(request));
  }
}
