/** Flushing: a heartbeat, then the changes of every family. */
import { isRefusal } from './connection.js';
import type { RedisContext } from './family-hash.js';
import type { Outbox } from './outbox.js';
import { compactEnded, recordHeartbeat, signOff } from './producers.js';

export class Flusher {
  readonly #context: RedisContext;
  readonly #outboxes: ReadonlyMap<string, Outbox>;
  #running: Promise<void> | undefined;
  #following: Promise<void> | undefined;
  /** Time of the last renewal of the keys, by the monotonic clock. */
  #renewed = performance.now();

  constructor(context: RedisContext, outboxes: ReadonlyMap<string, Outbox>) {
    this.#context = context;
    this.#outboxes = outboxes;
  }

  /** Starts a flush, or joins the one under way. Never rejects: a failure is recorded in the status. */
  start(): Promise<void> {
    const { status } = this.#context;
    this.#running ??= this.#flush([...this.#outboxes.values()])
      .then(() => {
        if (status.outage !== undefined) status.reportRecovery();
      })
      .catch((error: Error) => status.reportOutage(error))
      .finally(() => {
        this.#running = undefined;
      });
    return this.#running;
  }

  /**
   * Flushes everything that was counted before the call. A flush that is under way may have passed some cells already,
   * so a second flush follows it. All callers in the meantime share that second flush.
   */
  flushAll(): Promise<void> {
    if (this.#running === undefined) return this.start();
    this.#following ??= this.#running.then(() => {
      this.#following = undefined;
      return this.start();
    });
    return this.#following;
  }

  /** Flushes, and marks this producer as ended. If the process goes on, its next flush marks it as running again. */
  async signOff(): Promise<void> {
    await this.flushAll();
    const { status } = this.#context;
    if (status.outage !== undefined) return;
    await signOff(this.#context).catch((error: Error) => status.reportOutage(error));
  }

  /** Makes the next flush check all keys. A reader calls this when it has found that a key is gone. */
  checkKeys(): void {
    this.#renewed = Number.NEGATIVE_INFINITY;
  }

  async #flush(outboxes: readonly Outbox[]): Promise<void> {
    const { settings, status } = this.#context;
    const [{ wasListed }] = await Promise.all([recordHeartbeat(this.#context), this.#checkIndex(outboxes)]);
    const isDue = performance.now() - this.#renewed > (settings.expireKeyTime * 1000) / 3;
    let lost = 0;
    if (!wasListed || isDue) {
      lost = await this.#renewKeys(outboxes);
      // An unlisted producer may have been away for so long that it was compacted.
      if (!wasListed) for (const outbox of outboxes) outbox.expectGap();
      await compactEnded(this.#context);
    }
    const errors: Error[] = [];
    const flushOne = async (outbox: Outbox) => {
      try {
        if (await outbox.flush(this.#context)) lost += 1;
      } catch (error) {
        // A refusal concerns one family, so it does not count as an outage.
        if (isRefusal(error)) status.reportRefusal(outbox.family, error as Error);
        else errors.push(error as Error);
      }
    };
    await Promise.all(outboxes.map(flushOne));
    if (lost > 0) status.reportLoss(lost);
    if (errors.length > 0) throw errors[0];
  }

  /**
   * Has all families announced again if the index of families is gone or has returned to an earlier state. An earlier
   * index lacks the families that were announced last, so the last one is looked up.
   */
  async #checkIndex(outboxes: readonly Outbox[]): Promise<void> {
    const { connection, keys } = this.#context;
    const last = outboxes.findLast(({ announced }) => announced);
    if (last === undefined) return;
    const descriptor = await connection.call('HGET', keys.families, last.id).catch(nullIfRefused);
    if (descriptor === null) for (const outbox of outboxes) outbox.announced = false;
  }

  /**
   * Postpones the expiry of this producer's keys. Returns the number of hashes that are gone. Their numbers are then
   * sent again.
   */
  async #renewKeys(outboxes: readonly Outbox[]): Promise<number> {
    const { connection, keys, settings } = this.#context;
    const renew = (key: string) => connection.call('EXPIRE', key, settings.expireKeyTime);
    const joined = outboxes.filter(({ isJoined }) => isJoined);
    const [index, ...hashes] = await Promise.all(
      [keys.families, ...joined.map(({ id }) => keys.numbers(id))].map(renew),
    );
    this.#renewed = performance.now();
    if (index === 0) for (const outbox of outboxes) outbox.announced = false;
    const gone = joined.filter((_, i) => hashes[i] === 0);
    for (const outbox of gone) outbox.reset();
    return gone.length;
  }
}

/** Returns null if Redis refuses a command, since the key is one of another application. */
function nullIfRefused(error: unknown): null {
  if (!isRefusal(error)) throw error;
  return null;
}
