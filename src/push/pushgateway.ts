/** Numbers of jobs that are too short to be scraped, delivered to a Pushgateway. */
import { MetheusError, messageOf, show, warnOnce } from '../errors.js';
import { PROMETHEUS_CONTENT_TYPE, PROTOBUF_CONTENT_TYPE } from '../exposition/formats.js';
import type { FamilySnapshot } from '../model/family.js';
import { checkOptionNames, invalidValue } from '../model/options.js';
import { generateBytes } from '../registry/generate.js';
import { addExitStep, removeExitStep } from '../system/exit-steps.js';
import { collectorOf, PUSHED_OPTIONS, type PushedMetrics, withoutTimestamps } from './pushed-metrics.js';
import { DESTINATION_OPTIONS, Destination, type DestinationOptions, gzipped } from './request.js';

/** Options of {@link Pushgateway}. */
export interface PushgatewayOptions extends DestinationOptions, PushedMetrics {
  /** The name of the job, the first label of the group. */
  readonly job: string;
  /** Further labels of the group, such as `{ instance: 'db-1' }`. */
  readonly grouping?: Readonly<Record<string, string>>;
  /** The format of the metrics. @defaultValue `'text'` */
  readonly format?: 'text' | 'protobuf';
  /** Whether to compress with gzip, which a Pushgateway accepts from version 1.6 on. @defaultValue `false` */
  readonly compress?: boolean;
}

const OPTIONS = [...DESTINATION_OPTIONS, ...PUSHED_OPTIONS, 'job', 'grouping', 'format', 'compress'];

const CONTENT_TYPES = { text: PROMETHEUS_CONTENT_TYPE, protobuf: PROTOBUF_CONTENT_TYPE };

/**
 * A group of metrics on a Pushgateway, named by a job and further labels. The Pushgateway keeps a group until it is
 * deleted, so push from programs that end, and let Prometheus scrape the others.
 *
 * @example
 * ```ts
 * import { createGauge } from 'metheus';
 * import { Pushgateway } from 'metheus/push';
 *
 * const gateway = new Pushgateway({ url: 'http://127.0.0.1:9091', job: 'backup' });
 * createGauge('backup_last_success_timestamp_seconds', 'End of the last backup.').set(Date.now() / 1000);
 * await gateway.push();
 * ```
 * @see https://github.com/prometheus/pushgateway#api
 */
export class Pushgateway {
  readonly #destination: Destination;
  readonly #path: string;
  readonly #labels: readonly string[];
  readonly #collect: () => Promise<readonly FamilySnapshot[]>;
  readonly #format: 'text' | 'protobuf';
  readonly #compress: boolean;

  /** @throws `METHEUS_INVALID_OPTIONS` */
  constructor(options: PushgatewayOptions) {
    checkOptionNames('a Pushgateway', options, OPTIONS);
    const { job, grouping = {}, format = 'text', compress = false } = options;
    this.#destination = new Destination(options);
    if (typeof job !== 'string' || job === '') throw invalidValue('job', job, 'a string that is not empty');
    if (!Object.hasOwn(CONTENT_TYPES, format)) throw invalidValue('format', format, "'text' or 'protobuf'");
    this.#path = pathOf(job, grouping);
    this.#labels = ['job', ...Object.keys(grouping)];
    this.#collect = collectorOf(options);
    this.#format = format;
    this.#compress = compress;
  }

  /**
   * Replaces all metrics of the group. Timestamps are left out, since a Pushgateway refuses them.
   *
   * @throws `METHEUS_PUSH_FAILED`: the Pushgateway refuses them or does not answer; `METHEUS_RESERVED_LABEL_NAME`: a
   * metric has a label of the group; those of the collection
   */
  async push(): Promise<void> {
    await this.#send('PUT');
  }

  /** Replaces the metrics of the group that have the same names, and keeps the others. Throws as {@link push}. */
  async pushAdd(): Promise<void> {
    await this.#send('POST');
  }

  /** Deletes all metrics of the group. @throws `METHEUS_PUSH_FAILED` */
  async delete(): Promise<void> {
    await this.#destination.deliver('DELETE', this.#path);
  }

  /**
   * Pushes with {@link push} when the program has nothing left to do. A failure emits a warning. `process.exit()` and
   * signals end a program before that: set `process.exitCode`, or push before the call.
   *
   * @returns a function that cancels it
   */
  pushOnExit(): () => void {
    const cancel = () => removeExitStep('push', push);
    const push = (): void => {
      // The answer of the Pushgateway wakes the event loop, and Node emits `beforeExit` again.
      cancel();
      this.push().catch((error) => warnOnce('push on exit', `The last push failed: ${messageOf(error)}`));
    };
    addExitStep('push', push);
    return cancel;
  }

  async #send(method: 'PUT' | 'POST'): Promise<void> {
    const registry = { collect: async () => this.#checked(await this.#collect()) };
    const bytes = await generateBytes(registry, { format: this.#format });
    const { headers, body } = this.#compress ? gzipped(bytes) : { headers: {}, body: bytes };
    const type = { 'Content-Type': CONTENT_TYPES[this.#format] };
    await this.#destination.deliver(method, this.#path, { headers: { ...type, ...headers }, body });
  }

  /** Returns the families. The Pushgateway would overwrite labels that the group has too. */
  #checked(families: readonly FamilySnapshot[]): readonly FamilySnapshot[] {
    for (const { family } of families) {
      const label = family.labelNames.find((name) => this.#labels.includes(name));
      if (label === undefined) continue;
      throw new MetheusError('METHEUS_RESERVED_LABEL_NAME', {
        given: `label ${show(label)} of metric ${show(family.name)}`,
        expected: 'a label that the group of the Pushgateway does not have',
        todo: 'Rename one of them',
      });
    }
    return families.map(withoutTimestamps);
  }
}

/**
 * Returns the path of a group, relative to the URL of the Pushgateway.
 *
 * @throws `METHEUS_INVALID_OPTIONS`
 */
function pathOf(job: string, grouping: Readonly<Record<string, string>>): string {
  const segments = Object.entries(grouping).map(([name, value]) => {
    if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name) || name === 'job' || name.startsWith('__')) {
      throw invalidValue('grouping', grouping, 'label names other than job, without a leading __');
    }
    if (typeof value !== 'string') throw invalidValue('grouping', grouping, 'strings as values');
    return segmentOf(name, value);
  });
  return ['metrics', segmentOf('job', job), ...segments].join('/');
}

/** Returns a label as two segments of a path. Values that are empty, have a slash, or would be
 * resolved as part of a relative path are written in base64. */
function segmentOf(name: string, value: string): string {
  // Encoding also replaces lone surrogates, which `encodeURIComponent` refuses.
  const bytes = Buffer.from(value);
  if (value.includes('/') || /^\.{0,2}$/.test(value))
    return `${name}@base64/${bytes.toString('base64url') || '='}`;
  return `${name}/${encodeURIComponent(bytes.toString())}`;
}
