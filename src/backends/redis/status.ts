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

/**
 * A loss that was detected by the flush of a family. `lost`: the hash was created anew. `earlier`: the hash has
 * returned to an earlier state. In both cases, the numbers of this producer are complete after the flush.
 */
export type Loss = 'lost' | 'earlier';

/** Maximum number of warnings of one kind per period. An unstable server would otherwise cause any number of them. */
const MAX_WARNINGS = 5;
const PERIOD_MS = 600_000;

/** Limits the warnings of one kind. The errors that cause them are counted all the same. */
export class WarningLimit {
  #since = Number.NEGATIVE_INFINITY;
  #count = 0;

  /** Returns text to append to the next warning; undefined if the warning is over the limit. */
  next(now: number): string | undefined {
    if (now - this.#since >= PERIOD_MS) {
      this.#since = now;
      this.#count = 0;
    }
    this.#count += 1;
    if (this.#count > MAX_WARNINGS) return undefined;
    return this.#count < MAX_WARNINGS ? '' : ' Further warnings of this kind are left out for some minutes.';
  }
}

const countOf = (metrics: number) => (metrics === 1 ? 'one metric' : `${metrics} metrics`);

export class RedisStatus {
  /** The error that keeps Redis from being used; undefined while it works. */
  outage: Error | undefined;
  readonly #errors: Record<ErrorKind, number> = { connection: 0, refused: 0, lost: 0, conflict: 0 };
  readonly #conflicts = new Set<string>();
  #isIndexMissing = false;
  readonly #outages = new WarningLimit();
  readonly #losses = new WarningLimit();
  readonly #now: () => number;
  /** Whether a warning has reported the outage. */
  #isOutageWarned = false;

  /** @param now - returns milliseconds of a monotonic clock */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  reportRecovery(): void {
    this.outage = undefined;
    if (this.#isOutageWarned) warn('Redis is available again: metrics are shared.');
    this.#isOutageWarned = false;
  }

  reportOutage(error: Error): void {
    this.outage = error;
    this.#errors.connection += 1;
    if (this.#isOutageWarned) return;
    const suffix = this.#outages.next(this.#now());
    this.#isOutageWarned = suffix !== undefined;
    if (suffix === undefined) return;
    warn(`Redis is unavailable, metrics are kept in memory: ${error.message}${suffix}`);
  }

  /** Reports that Redis refuses one family; the others are still exchanged. */
  reportRefusal({ name }: FamilyDescriptor, error: Error): void {
    this.#errors.refused += 1;
    const kind = error.message.split(' ')[0];
    const message =
      error.name === 'ReplyError'
        ? `Redis refuses the metric '${name}': ${error.message}`
        : `Redis has invalid data of the metric '${name}': ${error.message}`;
    warnOnce(`redis ${name} ${kind}`, message);
  }

  /** Reports a family that only a newer version of the package can read. */
  reportNewer(): void {
    this.#errors.refused += 1;
    const message =
      'Redis has metrics of a newer version of the package, which are not served: upgrade this program.';
    warnOnce('redis newer', message);
  }

  /** Reports that Redis has lost families that this process had sent, or the latest of their numbers. */
  reportLoss(losses: readonly Loss[]): void {
    this.#errors.lost += 1;
    const suffix = this.#losses.next(this.#now());
    if (suffix === undefined) return;
    const again = 'running programs send their numbers again';
    const lost = losses.filter((loss) => loss === 'lost').length;
    if (lost > 0) {
      warn(`Redis has lost ${countOf(lost)}: ${again}, those of ended programs are gone.${suffix}`);
    }
    const earlier = losses.length - lost;
    if (earlier === 0) return;
    const gone = 'what ended programs had sent since then is gone';
    warn(`Redis has returned to an earlier state of ${countOf(earlier)}: ${again}, ${gone}.${suffix}`);
  }

  /** Reports that other programs run but Redis lists no families. Reports it again only after families were listed. */
  reportIndex(hasFamilies: boolean, areOthersRunning: boolean): void {
    const isMissing = !hasFamilies && areOthersRunning;
    const suffix = isMissing && !this.#isIndexMissing ? this.#losses.next(this.#now()) : undefined;
    this.#isIndexMissing = isMissing;
    if (suffix === undefined) return;
    const todo = 'they announce their metrics at the next flush';
    warn(`Other programs are running, but Redis lists no metrics: ${todo}.${suffix}`);
  }

  /** Reports that numbers could not be taken back from Redis when another backend was loaded. */
  reportLeftBehind(): void {
    warn('Redis is unavailable: the numbers that this program had sent stay there, as if it had ended.');
  }

  /** Reports a family that is not served, since another family has its name. Each definition is reported once. */
  reportConflict(family: FamilyDescriptor, served: FamilyDescriptor): void {
    const { name } = family;
    const key = familyKey(family);
    if (this.#conflicts.has(key)) return;
    this.#conflicts.add(key);
    this.#errors.conflict += 1;
    const message = `Two programs define the metric '${name}' differently: ${familyKey(served)} and ${key}. The first is served.`;
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
