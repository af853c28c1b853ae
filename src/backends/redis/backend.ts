/** `MultiProcessRedisBackend`: the numbers of any number of producers on any machines, added up in Redis. */
import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { setTimeout } from 'node:timers/promises';
import { warnOnce } from '../../errors.js';
import { createFamily } from '../../model/collector.js';
import { type FamilyDescriptor, type FamilySnapshot, familyKey } from '../../model/family.js';
import { DEFAULT_SCOPE } from '../../model/scope.js';
import type { Backend, CellRequest, Cells, SnapshotRequest } from '../backend.js';
import { SingleProcessBackend } from '../memory.js';
import { connect, Script, within } from './client.js';
import {
  publicConfig,
  type RedisBackendConfig,
  type RedisClient,
  type Settings,
  settingsOf,
} from './config.js';
import { familyId, ProducerFamily } from './producer.js';
import { RemoteFamily } from './reader.js';
import { FLUSH, HEARTBEAT } from './scripts.js';

const flushScript = new Script(FLUSH);
const heartbeatScript = new Script(HEARTBEAT);

/**
 * Shares numbers through Redis. A call adds to private memory and to nothing else; what has changed is sent
 * on a timer, before a scrape and at a clean exit. While Redis is away everything waits in the pages.
 */
export class MultiProcessRedisBackend implements Backend {
  readonly config: Readonly<Record<string, unknown>>;
  readonly #settings: Settings;
  /** Who this is among all producers: also its `pid` label. */
  readonly #producer = `${hostname()}-${process.pid}-${randomBytes(4).toString('hex')}`;
  /** Owner of the pages, and what a scrape falls back to. */
  readonly #own = new SingleProcessBackend();
  readonly #families = new Map<string, ProducerFamily>();
  readonly #remote = new Map<string, RemoteFamily>();
  #client: RedisClient | undefined;
  #timer: NodeJS.Timeout | undefined;
  #flushing: Promise<void> | undefined;
  #isUp = true;
  #lastError = new Error('Redis was not asked yet');
  #errors = 0;
  /** When this producer's keys were last looked at, on the monotonic clock. */
  #checked = performance.now();

  /** @throws `METHEUS_INVALID_OPTIONS` */
  constructor(config: RedisBackendConfig = {}) {
    this.#settings = settingsOf(config);
    this.config = publicConfig(this.#settings);
  }

  /** @throws `METHEUS_DEPENDENCY_MISSING`; with `failFast`, what Redis or the network answers */
  async open(): Promise<void> {
    const { failFast, flushInterval } = this.#settings;
    this.#client = await connect(this.#settings);
    // Without a listener an error of the connection would end the process. Each is seen by the next command.
    this.#client.on('error', () => {});
    this.#client.on('ready', () => void this.#tryFlush());
    if (failFast) await this.#firstAnswer(this.#client);
    this.#timer = setInterval(() => void this.#tryFlush(), flushInterval).unref();
    process.on('beforeExit', this.#atExit);
  }

  reserve(request: CellRequest): Cells {
    const { family, labels, writer } = request;
    const cells = this.#own.reserve(request);
    const key = familyKey(family);
    let producing = this.#families.get(key);
    if (producing === undefined) {
      producing = new ProducerFamily(family, this.#producer);
      this.#families.set(key, producing);
    }
    producing.add(cells, labels, writer);
    return cells;
  }

  release(family: FamilyDescriptor, cells: Cells, why: 'removed' | 'moved' = 'removed'): void {
    this.#families.get(familyKey(family))?.remove(cells, why);
    this.#own.release(family, cells);
  }

  async snapshot(request: SnapshotRequest): Promise<FamilySnapshot[]> {
    let snapshots: FamilySnapshot[];
    try {
      await this.#tryFlush();
      if (!this.#isUp) throw this.#lastError;
      snapshots = await this.#read(request);
    } catch (error) {
      this.#failed(error as Error);
      if (this.#settings.whenDown === 'error') throw error;
      snapshots = this.#own.snapshot(request);
    }
    return request.scopes.includes(DEFAULT_SCOPE) ? [...snapshots, ...this.#selfFamilies()] : snapshots;
  }

  /** Rejects when Redis does not take everything: it is sent again then, sooner or later. */
  async flush(): Promise<void> {
    // A flush that is under way has read some pages before this call.
    await this.#flushing;
    await this.#tryFlush();
    if (!this.#isUp) throw this.#lastError;
  }

  /** Flushes, takes this producer's live gauges away, and disconnects. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    process.off('beforeExit', this.#atExit);
    const client = this.#client;
    if (client === undefined) return;
    try {
      await this.flush();
      await within(this.#settings.timeout, client.call('ZREM', this.#key('producers'), this.#producer));
    } catch (error) {
      this.#failed(error as Error);
    }
    this.#client = undefined;
    if (this.#settings.client === undefined) client.disconnect();
  }

  readonly #atExit = (): void => void this.#tryFlush();

  #key(name: string): string {
    return `${this.#settings.keyPrefix}:${name}`;
  }

  /** The braces make all of a family one slot of a cluster, and spread families over it. */
  #hashKey(id: string): string {
    return this.#key(`{${id}}`);
  }

  /** Tries again until Redis has answered or the time is over. */
  async #firstAnswer(client: RedisClient): Promise<void> {
    const deadline = performance.now() + this.#settings.timeout;
    for (;;) {
      try {
        await within(this.#settings.timeout, client.call('PING'));
        return;
      } catch (error) {
        if (performance.now() < deadline && !isRefusal(error)) await setTimeout(20);
        else {
          client.disconnect();
          throw error;
        }
      }
    }
  }

  /** Sends what has changed. Never rejects: what was not taken is sent again. */
  #tryFlush(): Promise<void> {
    this.#flushing ??= this.#send()
      .then(
        () => this.#succeeded(),
        (error: Error) => this.#failed(error),
      )
      .finally(() => {
        this.#flushing = undefined;
      });
    return this.#flushing;
  }

  async #send(): Promise<void> {
    const client = this.#client;
    if (client === undefined) return;
    const { heartbeat, expireKeyTime, timeout } = this.#settings;
    const beat = [this.#producer, String(heartbeat), String(expireKeyTime)];
    const [known] = (await within(
      timeout,
      heartbeatScript.run(client, this.#key('producers'), beat),
    )) as string[];
    const isDue = performance.now() - this.#checked > (expireKeyTime * 1000) / 3;
    if (known === '0' || isDue) await this.#check(client);
    for (const family of this.#families.values()) {
      try {
        await this.#sendFamily(client, family);
      } catch (error) {
        // What Redis refuses for one family, it may take for the others.
        if (!isRefusal(error)) throw error;
        this.#refused(family, error as Error);
      }
    }
  }

  /** Keeps this producer's keys, and notices those that are gone: they are sent anew. */
  async #check(client: RedisClient): Promise<void> {
    const { expireKeyTime, timeout } = this.#settings;
    this.#checked = performance.now();
    await within(timeout, client.call('EXPIRE', this.#key('families'), expireKeyTime));
    for (const family of this.#families.values()) {
      const there = await within(timeout, client.call('EXPIRE', this.#hashKey(family.id), expireKeyTime));
      if (there === 0) family.lost();
    }
  }

  async #sendFamily(client: RedisClient, family: ProducerFamily): Promise<void> {
    const { expireKeyTime, timeout } = this.#settings;
    for (let batch = family.batch(); batch !== undefined; batch = family.batch()) {
      if (!family.announced) {
        const descriptor = JSON.stringify(family.family);
        await within(timeout, client.call('HSET', this.#key('families'), family.id, descriptor));
        family.announced = true;
      }
      const args = [this.#producer, String(batch.sequence), String(expireKeyTime), ...batch.operations];
      const reply = await within(timeout, flushScript.run(client, this.#hashKey(family.id), args));
      if (reply === 'lost') family.lost();
      else family.acknowledge();
    }
  }

  async #read({ families, scopes }: SnapshotRequest): Promise<FamilySnapshot[]> {
    const client = this.#client!;
    const { timeout, heartbeat, expireKeyTime } = this.#settings;
    const ask = ['', String(heartbeat), String(expireKeyTime)];
    const [index, alive] = (await within(
      timeout,
      Promise.all([
        client.call('HGETALL', this.#key('families')),
        heartbeatScript.run(client, this.#key('producers'), ask),
      ]),
    )) as [string[], string[]];
    const living = new Set(alive.slice(1));
    const wanted = [...families, ...this.#others(index, families, scopes)];
    const hashes = (await within(
      timeout,
      Promise.all(wanted.map((family) => client.call('HGETALL', this.#hashKey(familyId(family))))),
    )) as string[][];
    this.#keep(client, wanted);
    return wanted.map((family, i) => ({ ...this.#remoteOf(family).snapshot(hashes[i]!, living), family }));
  }

  /** A scrape keeps keys too. Nobody waits for it. */
  #keep(client: RedisClient, families: readonly FamilyDescriptor[]): void {
    const { expireKeyTime } = this.#settings;
    const keys = [this.#key('families'), ...families.map((family) => this.#hashKey(familyId(family)))];
    for (const key of keys) client.call('EXPIRE', key, expireKeyTime).catch(() => {});
  }

  /** Families that other producers have announced. One name can be one family only: the first wins. */
  #others(
    index: readonly string[],
    families: readonly FamilyDescriptor[],
    scopes: readonly string[],
  ): FamilyDescriptor[] {
    const names = new Map(families.map((family) => [nameOf(family), familyKey(family)]));
    const others: FamilyDescriptor[] = [];
    for (let i = 1; i < index.length; i += 2) {
      const family = JSON.parse(index[i]!) as FamilyDescriptor;
      if (!scopes.includes(family.scope)) continue;
      const known = names.get(nameOf(family));
      if (known === undefined) {
        names.set(nameOf(family), familyKey(family));
        others.push(family);
      } else if (known !== familyKey(family)) {
        const message = `Two programs define the metric '${family.name}' differently: ${known} and ${familyKey(family)}.`;
        warnOnce(`redis conflict ${family.name}`, message);
      }
    }
    return others;
  }

  #remoteOf(family: FamilyDescriptor): RemoteFamily {
    const id = familyId(family);
    let remote = this.#remote.get(id);
    if (remote === undefined) {
      remote = new RemoteFamily(family);
      this.#remote.set(id, remote);
    }
    return remote;
  }

  #succeeded(): void {
    if (this.#isUp) return;
    this.#isUp = true;
    process.emitWarning('Redis is back: metrics are shared again.', WARNING);
  }

  #failed(error: Error): void {
    this.#lastError = error;
    this.#errors += 1;
    if (!this.#isUp) return;
    this.#isUp = false;
    process.emitWarning(`Redis is away, metrics wait in memory: ${error.message}`, WARNING);
  }

  #refused({ family }: ProducerFamily, error: Error): void {
    this.#errors += 1;
    const kind = error.message.split(' ')[0];
    warnOnce(`redis ${family.name} ${kind}`, `Redis refuses the metric '${family.name}': ${error.message}`);
  }

  #selfFamilies(): FamilySnapshot[] {
    return [
      createFamily('metheus_backend_up', 'Whether Redis takes and gives the numbers of this process.', {
        series: [{ value: this.#isUp ? 1 : 0 }],
      }),
      createFamily('metheus_backend_errors_total', 'Commands to Redis that failed, of this process.', {
        type: 'counter',
        series: [{ value: this.#errors }],
      }),
    ];
  }
}

const WARNING = { type: 'MetheusWarning', code: 'METHEUS_WARNING' };

const nameOf = ({ scope, name }: FamilyDescriptor) => JSON.stringify([scope, name]);

/** An answer of Redis itself, not of the connection. Those that mean "not now" count as the connection's. */
function isRefusal(error: unknown): boolean {
  const { name, message } = error as Error;
  return (
    name === 'ReplyError' && !/^(LOADING|READONLY|MASTERDOWN|CLUSTERDOWN|TRYAGAIN|NOAUTH|OOM)/.test(message)
  );
}
