/**
 * State of Redis as this process sees it: warnings when an outage begins and ends, and metrics of the backend itself.
 */
import { warnOnce } from '../../errors.js';
import { createFamily } from '../../model/create-family.js';
import { type FamilyDescriptor, type FamilySnapshot, familyKey } from '../../model/family.js';
import { BACKEND_ERRORS } from '../backend.js';

/**
 * Kinds of errors: `connection`, a flush or scrape that failed; `refused`, a family that Redis does not take or give;
 * `lost`, a loss of numbers that Redis had acknowledged; `conflict`, a family that another program defines differently.
 */
type ErrorKind = 'connection' | 'refused' | 'lost' | 'conflict';

const WARNING = { type: 'MetheusWarning', code: 'METHEUS_WARNING' };
const warn = (message: string) => process.emitWarning(message, WARNING);

export class RedisStatus {
  /** The error that keeps Redis from being used; undefined while it works. */
  outage: Error | undefined;
  readonly #errors: Record<ErrorKind, number> = { connection: 0, refused: 0, lost: 0, conflict: 0 };
  readonly #conflicts = new Set<string>();
  #isIndexMissing = false;

  reportRecovery(): void {
    this.outage = undefined;
    warn('Redis is available again: metrics are shared.');
  }

  reportOutage(error: Error): void {
    const isNew = this.outage === undefined;
    this.outage = error;
    this.#errors.connection += 1;
    if (isNew) warn(`Redis is unavailable, metrics are kept in memory: ${error.message}`);
  }

  /** Reports that Redis refuses one family; the others are still exchanged. */
  reportRefusal({ name }: FamilyDescriptor, error: Error): void {
    this.#errors.refused += 1;
    const kind = error.message.split(' ')[0];
    warnOnce(`redis ${name} ${kind}`, `Redis refuses the metric '${name}': ${error.message}`);
  }

  /** Reports that Redis has lost families that this process had sent. */
  reportLoss(families: number): void {
    this.#errors.lost += 1;
    const lost = families === 1 ? 'one metric' : `${families} metrics`;
    warn(
      `Redis has lost ${lost}: running programs send their numbers again, those of ended programs are gone.`,
    );
  }

  /** Reports that Redis has returned to an earlier state: after a failover, or a restart from an older file. */
  reportRollback({ name }: FamilyDescriptor, flushes: number): void {
    this.#errors.lost += 1;
    warn(`Redis has returned to an earlier state: ${flushes} flushes of the metric '${name}' are lost.`);
  }

  /** Reports that other programs run but Redis lists no families. Reports it again only after families were listed. */
  reportIndex(hasFamilies: boolean, areOthersRunning: boolean): void {
    const isMissing = !hasFamilies && areOthersRunning;
    if (isMissing && !this.#isIndexMissing) {
      warn('Other programs are running, but Redis lists no metrics: they announce their metrics at the next flush.');
    }
    this.#isIndexMissing = isMissing;
  }

  /** Reports that numbers could not be taken back from Redis when another backend was loaded. */
  reportLeftBehind(): void {
    warn('Redis is unavailable: the numbers that this program had sent stay there, as if it had ended.');
  }

  /** Reports a family that is not served, since another family has its name. Each definition is reported once. */
  reportConflict(family: FamilyDescriptor, served: string): void {
    const { name } = family;
    const key = familyKey(family);
    if (this.#conflicts.has(key)) return;
    this.#conflicts.add(key);
    this.#errors.conflict += 1;
    const message = `Two programs define the metric '${name}' differently: ${served} and ${key}. The first is served.`;
    warnOnce(`redis conflict ${name}`, message);
  }

  snapshots(): FamilySnapshot[] {
    return [
      createFamily('metheus_backend_up', 'Whether this process can exchange its metrics with Redis.', {
        series: [{ value: this.outage === undefined ? 1 : 0 }],
      }),
      createFamily(BACKEND_ERRORS.name, BACKEND_ERRORS.help, {
        type: 'counter',
        labelNames: BACKEND_ERRORS.labelNames,
        series: Object.entries(this.#errors).map(([kind, value]) => ({ labels: { kind }, value })),
      }),
    ];
  }
}
