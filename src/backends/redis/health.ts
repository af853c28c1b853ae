/** How Redis is, as this process sees it: one warning when it goes, one when it is back, and metrics of that. */
import { warnOnce } from '../../errors.js';
import { createFamily } from '../../model/create-family.js';
import type { FamilyDescriptor, FamilySnapshot } from '../../model/family.js';

const WARNING = { type: 'MetheusWarning', code: 'METHEUS_WARNING' };
const warn = (message: string) => process.emitWarning(message, WARNING);

export class Health {
  /** Why Redis is away; undefined while it is not. */
  trouble: Error | undefined;
  #errors = 0;

  succeeded(): void {
    if (this.trouble === undefined) return;
    this.trouble = undefined;
    warn('Redis is back: metrics are shared again.');
  }

  failed(error: Error): void {
    const isNew = this.trouble === undefined;
    this.trouble = error;
    this.#errors += 1;
    if (isNew) warn(`Redis is away, metrics wait in memory: ${error.message}`);
  }

  /** Redis refuses one family; the others go on. */
  refused({ name }: FamilyDescriptor, error: Error): void {
    this.#errors += 1;
    const kind = error.message.split(' ')[0];
    warnOnce(`redis ${name} ${kind}`, `Redis refuses the metric '${name}': ${error.message}`);
  }

  /** Redis has lost what this process had sent. */
  forgot(families: number): void {
    this.#errors += 1;
    const what = families === 1 ? 'one metric' : `${families} metrics`;
    warn(
      `Redis has lost ${what}: what living programs have counted is sent anew, what others had counted is gone.`,
    );
  }

  /** Redis has gone back to an earlier state, after a failover or from an older file. */
  wentBack({ name }: FamilyDescriptor, flushes: number): void {
    this.#errors += 1;
    warn(`Redis has gone back to an earlier state: ${flushes} flushes of the metric '${name}' are lost.`);
  }

  conflict({ name }: FamilyDescriptor, one: string, other: string): void {
    const message = `Two programs define the metric '${name}' differently: ${one} and ${other}. The first is served.`;
    warnOnce(`redis conflict ${name}`, message);
  }

  families(): FamilySnapshot[] {
    return [
      createFamily('metheus_backend_up', 'Whether Redis takes and gives the numbers of this process.', {
        series: [{ value: this.trouble === undefined ? 1 : 0 }],
      }),
      createFamily('metheus_backend_errors_total', 'Trouble that this process had with Redis.', {
        type: 'counter',
        series: [{ value: this.#errors }],
      }),
    ];
  }
}
