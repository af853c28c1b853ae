/** `MultiProcessRedisBackend`: the numbers of any number of producers on any machines, added up in Redis. */
import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { type FamilyDescriptor, type FamilySnapshot, familyKey } from '../../model/family.js';
import { DEFAULT_SCOPE } from '../../model/scope.js';
import { addExitStep, removeExitStep } from '../../system/exit-steps.js';
import type { Backend, CellRequest, Cells, SnapshotRequest } from '../backend.js';
import { SingleProcessBackend } from '../memory.js';
import { publicConfig, type RedisBackendConfig, type Settings, settingsOf } from './config.js';
import { Connection, Script } from './connection.js';
import { Health } from './health.js';
import { Keys } from './keys.js';
import type { ProducerFamily } from './producer.js';
import { type OwnFamilies, Receiver } from './receiver.js';
import { GOODBYE } from './scripts.js';
import { Sender } from './sender.js';
import { SumProducer } from './sum-producer.js';
import { WriterProducer } from './writer-producer.js';

const goodbyeScript = new Script(GOODBYE);

/**
 * Shares numbers through Redis. A call adds to private memory and to nothing else; what has changed is sent
 * on a timer, before a scrape and at a clean exit. While Redis is away everything waits in the pages.
 */
export class MultiProcessRedisBackend implements Backend {
  readonly config: Readonly<Record<string, unknown>>;
  readonly #settings: Settings;
  readonly #keys: Keys;
  /** Who this is among all producers: also its `pid` label. */
  readonly #producer = `${hostname()}-${process.pid}-${randomBytes(4).toString('hex')}`;
  /** Owner of the pages, and what a scrape falls back to. */
  readonly #own = new SingleProcessBackend();
  readonly #families = new Map<string, ProducerFamily>();
  readonly #health = new Health();
  #link:
    | { readonly connection: Connection; readonly sender: Sender; readonly receiver: Receiver }
    | undefined;
  #timer: NodeJS.Timeout | undefined;
  #flushing: Promise<void> | undefined;
  #following: Promise<void> | undefined;

  /** @throws `METHEUS_INVALID_OPTIONS` */
  constructor(config: RedisBackendConfig = {}) {
    this.#settings = settingsOf(config);
    this.#keys = new Keys(this.#settings.keyPrefix);
    this.config = publicConfig(this.#settings);
  }

  /** @throws `METHEUS_DEPENDENCY_MISSING`; with `failFast`, what Redis or the network answers */
  async open(): Promise<void> {
    const connection = await Connection.open(this.#settings);
    const common = [connection, this.#settings, this.#keys, this.#health] as const;
    const sender = new Sender(this.#producer, ...common);
    const receiver = new Receiver(...common, this.#ownFamilies(sender));
    this.#link = { connection, sender, receiver };
    connection.onReady(() => void this.#tick());
    this.#timer = setInterval(() => void this.#tick(), this.#settings.flushInterval).unref();
    addExitStep('redis', this.#atExit);
  }

  reserve(request: CellRequest): Cells {
    const { family, labels, writer } = request;
    const cells = this.#own.reserve(request);
    const key = familyKey(family);
    let producing = this.#families.get(key);
    if (producing === undefined) {
      producing =
        family.merge === 'add' ? new SumProducer(family) : new WriterProducer(family, this.#producer);
      this.#families.set(key, producing);
    }
    producing.add(cells, labels, writer);
    return cells;
  }

  release(family: FamilyDescriptor, cells: Cells, why: 'removed' | 'moved' = 'removed'): void {
    this.#families.get(familyKey(family))?.remove(cells, why);
    this.#own.release(family, cells);
  }

  createdOf(family: FamilyDescriptor, cells: Cells): number | undefined {
    return this.#own.createdOf(family, cells);
  }

  async snapshot(request: SnapshotRequest): Promise<FamilySnapshot[]> {
    let snapshots: FamilySnapshot[];
    try {
      snapshots = await this.#flushAndRead(request);
    } catch (error) {
      // Trouble with sending has been told already.
      if (error !== this.#health.trouble) this.#health.failed(error as Error);
      if (this.#settings.whenDown === 'error') throw error;
      snapshots = await this.#own.snapshot(request);
    }
    return request.scopes.includes(DEFAULT_SCOPE) ? [...snapshots, ...this.#health.families()] : snapshots;
  }

  /** Rejects when Redis does not take everything: it is sent again then, sooner or later. */
  async flush(): Promise<void> {
    await this.#flushAll();
    if (this.#health.trouble !== undefined) throw this.#health.trouble;
  }

  /** Flushes, takes this producer's live gauges away, and disconnects. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    removeExitStep('redis', this.#atExit);
    if (this.#link === undefined) return;
    await this.#sayGoodbye();
    const isStranded = [...this.#families.values()].some(({ isLeaving }) => isLeaving);
    if (isStranded && this.#health.trouble !== undefined) this.#health.stranded();
    this.#link?.connection.close();
    this.#link = undefined;
  }

  /** Runs once: its work lets the event loop go on, and `beforeExit` would come again without end. */
  readonly #atExit = (): void => {
    removeExitStep('redis', this.#atExit);
    void this.#sayGoodbye();
  };

  /** A producer that ends takes its live gauges with it at once. If it goes on, it comes back with the next flush. */
  async #sayGoodbye(): Promise<void> {
    await this.#flushAll();
    if (this.#health.trouble !== undefined) return;
    await this.#link?.connection
      .run(goodbyeScript, this.#keys.producers, [this.#producer])
      .catch((error: Error) => this.#health.failed(error));
  }

  async #flushAndRead(request: SnapshotRequest): Promise<FamilySnapshot[]> {
    // While Redis is away, one attempt is enough, and the one that is under way will do.
    if (this.#health.trouble !== undefined) await this.#tick();
    if (this.#health.trouble !== undefined) throw this.#health.trouble;
    await this.flush();
    if (this.#link === undefined) return this.#own.snapshot(request);
    return this.#link.receiver.read(request);
  }

  /** A flush that is under way has read some pages before this call: another one follows it, for all who ask. */
  #flushAll(): Promise<void> {
    if (this.#flushing === undefined) return this.#tick();
    this.#following ??= this.#flushing.then(() => {
      this.#following = undefined;
      return this.#tick();
    });
    return this.#following;
  }

  /** Sends what has changed, unless that is under way. Never rejects: what was not taken is sent again. */
  #tick(): Promise<void> {
    this.#flushing ??= this.#send().finally(() => {
      this.#flushing = undefined;
    });
    return this.#flushing;
  }

  async #send(): Promise<void> {
    if (this.#link === undefined) return;
    try {
      await this.#link.sender.send([...this.#families.values()]);
      this.#health.succeeded();
    } catch (error) {
      this.#health.failed(error as Error);
    }
  }

  #ownFamilies(sender: Sender): OwnFamilies {
    const byId = (id: string) => [...this.#families.values()].find((family) => family.id === id);
    return {
      snapshot: async (family) => (await this.#own.snapshot({ families: [family], scopes: [] }))[0]!,
      arrivals: (id) => (byId(id)?.hasOthers === false ? byId(id)?.arrivals : undefined),
      isLost: (id) => {
        const isSent = byId(id)?.isSent === true;
        if (isSent) sender.suspect();
        return isSent;
      },
    };
  }
}
