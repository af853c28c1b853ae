/** Reading the requested families, and those that other producers have announced. */
import type { FamilyDescriptor, FamilySnapshot } from '../../model/family.js';
import { LabelColumn } from '../../model/label-column.js';
import { mapConcurrently, TimeSlice } from '../../system/time-slice.js';
import type { Backend, SnapshotRequest } from '../backend.js';
import { isRefusal } from './connection.js';
import { familyId, parseDescriptor, type RedisContext } from './family-hash.js';
import type { Flusher } from './flusher.js';
import type { Outbox } from './outbox.js';
import { PerWriterReader } from './per-writer-reader.js';
import { readLiving } from './producers.js';
import { SumReader } from './sum-reader.js';

export class Reader {
  readonly #context: RedisContext;
  readonly #own: Backend;
  readonly #outboxes: ReadonlyMap<string, Outbox>;
  readonly #flusher: Flusher;
  readonly #readers = new Map<string, SumReader | PerWriterReader>();
  /** Descriptors of the last read, by their JSON. */
  #descriptors = new Map<string, FamilyDescriptor>();

  /**
   * @param own - has the numbers of this process, for families that Redis does not return
   * @param outboxes - of the families that this process counts in, by family id
   */
  constructor(context: RedisContext, own: Backend, outboxes: ReadonlyMap<string, Outbox>, flusher: Flusher) {
    this.#context = context;
    this.#own = own;
    this.#outboxes = outboxes;
    this.#flusher = flusher;
  }

  async read({ families, scopes }: SnapshotRequest): Promise<FamilySnapshot[]> {
    const { connection, keys } = this.#context;
    const [index, living] = await Promise.all([
      connection.call('HGETALL', keys.families) as Promise<string[]>,
      readLiving(this.#context),
    ]);
    this.#context.status.reportIndex(
      index.length > 0,
      living.size > (living.has(this.#context.producer) ? 1 : 0),
    );
    // Postpones the expiry, without waiting for the reply.
    connection.call('EXPIRE', keys.families, this.#context.settings.expireKeyTime).catch(() => {});
    const slice = new TimeSlice();
    const requested = new Set(families);
    const others = await this.#others(index, families, scopes);
    const snapshots = await mapConcurrently([...families, ...others], (family) =>
      requested.has(family)
        ? this.#readRequested(family, living, slice)
        : this.#readOther(family, living, slice),
    );
    return snapshots.filter((snapshot) => snapshot !== undefined);
  }

  /** Returns a requested family. If Redis does not return it, the numbers of this process are used. */
  async #readRequested(
    family: FamilyDescriptor,
    living: ReadonlySet<string>,
    slice: TimeSlice,
  ): Promise<FamilySnapshot> {
    const read = await this.#readFamily(family, living, slice);
    const [own] = read === undefined ? await this.#own.snapshot({ families: [family], scopes: [] }) : [];
    return { ...(read ?? own!), family };
  }

  /**
   * Reads a family that was not requested. Resolves with undefined if no other writer has counted in it: this thread
   * would have requested the family if it were to be shown.
   */
  async #readOther(family: FamilyDescriptor, living: ReadonlySet<string>, slice: TimeSlice) {
    const snapshot = await this.#readFamily(family, living, slice);
    const outbox = this.#outboxes.get(familyId(family));
    if (outbox === undefined || outbox.hasOtherWriters) return snapshot;
    return this.#readers.get(familyId(family))!.joins > outbox.joins ? snapshot : undefined;
  }

  /** Resolves with undefined for a family that Redis refuses or has lost. */
  async #readFamily(
    family: FamilyDescriptor,
    living: ReadonlySet<string>,
    slice: TimeSlice,
  ): Promise<FamilySnapshot | undefined> {
    const { keys, status } = this.#context;
    const id = familyId(family);
    let reader = this.#readers.get(id);
    if (reader === undefined) {
      const Kind = family.merge === 'add' ? SumReader : PerWriterReader;
      reader = new Kind(family, this.#context, keys.numbers(id));
      this.#readers.set(id, reader);
    }
    try {
      const snapshot = await reader.read(slice, living);
      if (snapshot === undefined && this.#outboxes.get(id)?.isJoined) {
        this.#flusher.checkKeys();
        return undefined;
      }
      return snapshot ?? emptySnapshot(family);
    } catch (error) {
      if (!isRefusal(error)) throw error;
      status.reportRefusal(family, error as Error);
      return undefined;
    }
  }

  /**
   * Returns the announced families that were not requested. If a name has several definitions, only the first is
   * returned.
   */
  async #others(
    index: readonly string[],
    families: readonly FamilyDescriptor[],
    scopes: readonly string[],
  ): Promise<FamilyDescriptor[]> {
    const slice = new TimeSlice();
    const served = new Map(families.map((family) => [nameOf(family), family]));
    const others: FamilyDescriptor[] = [];
    for (const family of await this.#parse(index, slice)) {
      if (slice.isOverAfterStep()) await slice.next();
      if (!scopes.includes(family.scope)) continue;
      const known = served.get(nameOf(family));
      if (known === undefined) {
        served.set(nameOf(family), family);
        others.push(family);
      } else if (familyId(known) !== familyId(family)) this.#context.status.reportConflict(family, known);
    }
    return others;
  }

  /** Returns descriptors sorted by id, so that every scrape serves the same definition of a name. */
  async #parse(index: readonly string[], slice: TimeSlice): Promise<FamilyDescriptor[]> {
    const before = this.#descriptors;
    const descriptors = new Map<string, FamilyDescriptor>();
    const parsed: [id: string, family: FamilyDescriptor][] = [];
    for (let i = 0; i < index.length; i += 2) {
      if (slice.isOverAfterStep()) await slice.next();
      const text = index[i + 1]!;
      const family = before.get(text) ?? parseDescriptor(text);
      if (family === 'newer') this.#context.status.reportNewer();
      if (typeof family !== 'object') continue;
      descriptors.set(text, family);
      parsed.push([index[i]!, family]);
    }
    this.#descriptors = descriptors;
    return parsed.sort(([a], [b]) => (a < b ? -1 : 1)).map(([, family]) => family);
  }
}

const emptySnapshot = (family: FamilyDescriptor): FamilySnapshot => ({
  family,
  rows: new LabelColumn().view(),
  values: new Float64Array(0),
});

const nameOf = ({ scope, name }: FamilyDescriptor) => `${scope.length} ${scope}${name}`;
