/** Flushing: a heartbeat, then the changes of every family. */
import { mapConcurrently } from '../../system/time-slice.js';
import { isRefusal } from './connection.js';
import type { ExemplarOutbox } from './exemplars.js';
import type { RedisContext } from './family-hash.js';
import type { Outbox } from './outbox.js';
import { compactEnded, recordHeartbeat, signOff } from './producers.js';
import type { Loss } from './status.js';

/** Maximum milliseconds for which a planned failover delays the sign-off, while the last numbers are sent again. */
const FAILOVER_MS = 5000;

export class Flusher {
  readonly #context: RedisContext;
  readonly #outboxes: ReadonlyMap<string, Outbox>;
  readonly #exemplars: ReadonlyMap<string, ExemplarOutbox>;
  #running: Promise<void> | undefined;
  #following: Promise<void> | undefined;
  /** Time of the last check of all keys, by the monotonic clock. */
  #checked = performance.now();
  /** Whether the next flush must do everything, since a reader waits for it. */
  #isAwaited = false;
  /** Score of this producer since its last heartbeat. */
  #heartbeat = '';

  constructor(
    context: RedisContext,
    outboxes: ReadonlyMap<string, Outbox>,
    exemplars: ReadonlyMap<string, ExemplarOutbox>,
  ) {
    this.#context = context;
    this.#outboxes = outboxes;
    this.#exemplars = exemplars;
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
    this.#isAwaited = true;
    if (this.#running === undefined) return this.start();
    this.#following ??= this.#running.then(() => {
      this.#following = undefined;
      return this.start();
    });
    return this.#following;
  }

  /** Flushes, and marks this producer as ended. If the process goes on, its next flush marks it as running again. */
  async signOff(): Promise<void> {
    const { connection, status } = this.#context;
    await this.flushAll();
    if (status.outage !== undefined) return;
    const deadline = performance.now() + FAILOVER_MS;
    while (!(await connection.isPrimary()) && performance.now() < deadline) {
      await connection.reconnect();
      this.checkKeys();
      await this.flushAll();
    }
    if (status.outage !== undefined) return;
    await signOff(this.#context).catch((error: Error) => status.reportOutage(error));
  }

  /** Makes the next flush check all keys. A reader calls this when it has found that a key is gone. */
  checkKeys(): void {
    this.#checked = Number.NEGATIVE_INFINITY;
  }

  async #flush(outboxes: readonly Outbox[]): Promise<void> {
    const { settings, status } = this.#context;
    const isAwaited = this.#isAwaited;
    this.#isAwaited = false;
    const [{ before, now }] = await Promise.all([recordHeartbeat(this.#context), this.#checkIndex(outboxes)]);
    // The last heartbeat is missing if Redis has returned to an earlier state or if this producer was compacted.
    const isContinued = before !== '' && before === this.#heartbeat;
    const isDue = performance.now() - this.#checked > (settings.expireKeyTime * 1000) / 3;
    if (!isContinued || isDue) {
      await this.#checkKeys(outboxes);
      await compactEnded(this.#context);
    }
    // Set after the check, so that the next flush repeats a check that failed.
    this.#heartbeat = now;
    const errors: Error[] = [];
    const losses: Loss[] = [];
    let deadline = Number.POSITIVE_INFINITY;
    const flushOne = async (outbox: Outbox) => {
      // Without a deadline, an unresponsive server would delay the flush by one timeout for each remaining family.
      if (performance.now() > deadline) return;
      try {
        const loss = await outbox.flush(this.#context, isAwaited);
        if (loss !== undefined) losses.push(loss);
        const key = this.#context.keys.numbers(outbox.id);
        await this.#exemplars.get(outbox.id)?.flush(this.#context, key);
      } catch (error) {
        // A refusal concerns one family, so it does not count as an outage.
        if (isRefusal(error)) status.reportRefusal(outbox.family, error as Error);
        else {
          errors.push(error as Error);
          deadline = Math.min(deadline, performance.now() + 1000 * settings.timeout);
        }
      }
    };
    const isIndexChanged = outboxes.some(({ announced }) => !announced);
    await mapConcurrently(outboxes, flushOne);
    if (isIndexChanged) {
      const { connection, keys } = this.#context;
      await connection.call('EXPIRE', keys.families, settings.expireKeyTime).catch(nullIfRefused);
    }
    if (losses.length > 0) {
      // The cluster node that lost data may also hold unchanged families, for which nothing was sent.
      const stale = await this.#checkKeys(outboxes);
      await mapConcurrently(stale, flushOne);
      status.reportLoss(losses);
    }
    if (errors.length > 0) {
      // The server that takes over may lack acknowledged batches.
      this.checkKeys();
      throw errors[0];
    }
  }

  /**
   * Makes outboxes announce all families again if the index is gone or has returned to an earlier state. An earlier
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
   * Postpones the expiry of this producer's keys. Returns the outboxes whose hash lacks a batch that it acknowledged;
   * their next flush joins the hash again.
   */
  async #checkKeys(outboxes: readonly Outbox[]): Promise<Outbox[]> {
    const { connection, keys, settings, producer } = this.#context;
    const renew = (key: string) => connection.call('EXPIRE', key, settings.expireKeyTime);
    const joined = outboxes.filter(({ isJoined }) => isJoined);
    const index = await renew(keys.families);
    const fields = await mapConcurrently(joined, async ({ id }) => {
      const key = keys.numbers(id);
      const field = connection.call('HGET', key, `q:${producer}`).catch(nullIfRefused);
      return (await Promise.all([field, renew(key)]))[0] as string | null;
    });
    this.#checked = performance.now();
    if (index === 0) for (const outbox of outboxes) outbox.announced = false;
    const stale = joined.filter((outbox, i) => !outbox.isContinuedBy(fields[i]!));
    for (const outbox of stale) outbox.rejoin();
    return stale;
  }
}

/** Returns null if Redis refuses a command, because another application uses the key. */
function nullIfRefused(error: unknown): null {
  if (!isRefusal(error)) throw error;
  return null;
}
