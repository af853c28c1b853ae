/**
 * Methods that metrics decorate. Compiled with `experimentalDecorators`, as in programs of NestJS, and as standard
 * decorators with the other tests. Prints what the metrics counted.
 */
import { createCounter, createGauge, createHistogram } from 'metheus';

const time = createHistogram('time_seconds', 'T.', { registry: null });
const timed = createHistogram('timed_seconds', 'T.', { registry: null });
const errors = createCounter('errors_total', 'E.', { registry: null });
const some = createCounter('some_errors_total', 'E.', { registry: null });
const active = createGauge('active', 'A.', { registry: null });

class Service {
  factor = 2;

  @time.time
  @active.trackInProgress
  double(value: number): string {
    return `${value * this.factor} ${active.get()}`;
  }

  @timed.timed
  @errors.countErrors
  @some.countErrors([RangeError])
  async fail(error: Error): Promise<never> {
    throw error;
  }

  @time.time
  static fixed(): string {
    return 'fixed';
  }
}

const service = new Service();
const results = [service.double(21), Service.fixed()];
for (const error of [new RangeError('range'), new TypeError('type')]) {
  await service.fail(error).catch(({ message }: Error) => results.push(message));
}
const counts = [time, timed].map((metric) => metric.get().count);
console.log(JSON.stringify([...results, ...counts, errors.get(), some.get(), active.get()]));
