/** Reading: the families that were asked for, and those that other producers have announced. */
import { type FamilyDescriptor, type FamilySnapshot, familyKey } from '../../model/family.js';
import { LabelColumn } from '../../model/label-column.js';
import type { SnapshotRequest } from '../backend.js';
import type { Settings } from './config.js';
import { type Connection, isRefusal } from './connection.js';
import { familyId, parseDescriptor } from './fields.js';
import type { Health } from './health.js';
import type { Keys } from './keys.js';
import { RemoteSums } from './remote-sums.js';
import { RemoteWriters } from './remote-writers.js';
import { heartbeatScript } from './sender.js';

/** What this process itself has of a family. */
export interface OwnFamilies {
  /** Its numbers, where Redis does not give those of all. */
  snapshot(family: FamilyDescriptor): Promise<FamilySnapshot>;
  /** How often it has come to the family's hash; undefined unless it counts there, and no other of its writers. */
  arrivals(id: string): number | undefined;
  /** Told that Redis has nothing of the family: whether it should have. */
  isLost(id: string): boolean;
}

export class Receiver {
  readonly #connection: Connection;
  readonly #settings: Settings;
  readonly #keys: Keys;
  readonly #health: Health;
  readonly #own: OwnFamilies;
  readonly #remote = new Map<string, RemoteSums | RemoteWriters>();
  /** Descriptors that were read, by their text. */
  #announced = new Map<string, FamilyDescriptor>();

  constructor(connection: Connection, settings: Settings, keys: Keys, health: Health, own: OwnFamilies) {
    this.#connection = connection;
    this.#settings = settings;
    this.#keys = keys;
    this.#health = health;
    this.#own = own;
  }

  async read({ families, scopes }: SnapshotRequest): Promise<FamilySnapshot[]> {
    const { heartbeat, expireKeyTime } = this.#settings;
    const ask = ['', String(heartbeat), String(expireKeyTime)];
    const [index, alive] = (await Promise.all([
      this.#connection.call('HGETALL', this.#keys.families),
      this.#connection.run(heartbeatScript, this.#keys.producers, ask),
    ])) as [string[], string[]];
    const living = new Set(alive.slice(1));
    const others = this.#others(index, families, scopes);
    const snapshots = await Promise.all([
      ...families.map((family) => this.#readWanted(family, living)),
      ...others.map((family) => this.#readOther(family, living)),
    ]);
    return snapshots.filter((snapshot) => snapshot !== undefined);
  }

  /** A family that was asked for is given, whatever Redis says of it. */
  async #readWanted(family: FamilyDescriptor, living: ReadonlySet<string>): Promise<FamilySnapshot> {
    const read = await this.#readFamily(family, living);
    return { ...(read ?? (await this.#own.snapshot(family))), family };
  }

  async #readOther(family: FamilyDescriptor, living: ReadonlySet<string>) {
    const snapshot = await this.#readFamily(family, living);
    const id = familyId(family);
    const own = this.#own.arrivals(id);
    // Nobody asked for it here: it is shown if somebody else has it too.
    return own === undefined || this.#remote.get(id)!.arrivals > own ? snapshot : undefined;
  }

  /** Undefined when Redis refuses this one, or has lost it. */
  async #readFamily(
    family: FamilyDescriptor,
    living: ReadonlySet<string>,
  ): Promise<FamilySnapshot | undefined> {
    const id = familyId(family);
    const key = this.#keys.numbers(id);
    let remote = this.#remote.get(id);
    if (remote === undefined) {
      remote = family.merge === 'add' ? new RemoteSums(family) : new RemoteWriters(family);
      this.#remote.set(id, remote);
    }
    try {
      const snapshot = await remote.read(this.#connection, key, living);
      if (snapshot === undefined && this.#own.isLost(id)) return undefined;
      // A scrape keeps keys too. Nobody waits for it.
      this.#connection.call('EXPIRE', key, this.#settings.expireKeyTime).catch(() => {});
      return snapshot ?? emptySnapshot(family);
    } catch (error) {
      if (!isRefusal(error)) throw error;
      this.#health.refused(family, error as Error);
      return undefined;
    }
  }

  /** Families that other producers have announced. One name can be one family only: the first wins. */
  #others(
    index: readonly string[],
    families: readonly FamilyDescriptor[],
    scopes: readonly string[],
  ): FamilyDescriptor[] {
    this.#connection.call('EXPIRE', this.#keys.families, this.#settings.expireKeyTime).catch(() => {});
    const names = new Map(families.map((family) => [nameOf(family), familyKey(family)]));
    const others: FamilyDescriptor[] = [];
    for (const family of this.#parse(index)) {
      if (!scopes.includes(family.scope)) continue;
      const key = familyKey(family);
      const known = names.get(nameOf(family));
      if (known === undefined) {
        names.set(nameOf(family), key);
        others.push(family);
      } else if (known !== key) this.#health.conflict(family, known, key);
    }
    return others;
  }

  /** Sorted by id, so that the same family wins at every scrape. */
  #parse(index: readonly string[]): FamilyDescriptor[] {
    const before = this.#announced;
    this.#announced = new Map();
    const parsed: [id: string, family: FamilyDescriptor][] = [];
    for (let i = 0; i < index.length; i += 2) {
      const text = index[i + 1]!;
      const family = before.get(text) ?? parseDescriptor(text);
      if (family === undefined) continue;
      this.#announced.set(text, family);
      parsed.push([index[i]!, family]);
    }
    return parsed.sort(([a], [b]) => (a < b ? -1 : 1)).map(([, family]) => family);
  }
}

const emptySnapshot = (family: FamilyDescriptor): FamilySnapshot => ({
  family,
  rows: new LabelColumn().view(),
  values: new Float64Array(0),
});

const nameOf = ({ scope, name }: FamilyDescriptor) => JSON.stringify([scope, name]);
