/** Files for the textfile collector of node_exporter. */
import { randomBytes } from 'node:crypto';
import { open, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { checkOptionNames, invalidValue } from '../model/options.js';
import { generateBytes } from '../registry/generate.js';
import { collectorOf, PUSHED_OPTIONS, type PushedMetrics, withoutTimestamps } from './pushed-metrics.js';

/** Options of {@link writeTextfile}. */
export interface TextfileOptions extends PushedMetrics {
  /** Permissions of the file. node_exporter must be able to read it. @defaultValue `0o644` */
  readonly mode?: number;
}

/**
 * Writes all metrics of a registry to a file for node_exporter's textfile collector. The file is replaced as a whole, so
 * that a reader never finds a part of it. Timestamps are left out, since node_exporter refuses them.
 *
 * @param path - a name that ends with `.prom`, in the directory that node_exporter reads
 * @throws `METHEUS_INVALID_OPTIONS`; errors of the file system, after which the old file is unchanged; those of the
 * collection
 * @example
 * ```ts
 * await writeTextfile('/var/lib/prometheus/node-exporter/backup.prom');
 * ```
 */
export async function writeTextfile(path: string, options: TextfileOptions = {}): Promise<void> {
  checkOptionNames('writeTextfile', options, [...PUSHED_OPTIONS, 'mode']);
  const { mode = 0o644 } = options;
  const collectAll = collectorOf(options);
  if (typeof path !== 'string' || !path.endsWith('.prom')) {
    throw invalidValue('path', path, "a file name that ends with '.prom'");
  }
  const collect = async () => (await collectAll()).map(withoutTimestamps);
  const bytes = await generateBytes({ collect });
  // The collector reads names that end with `.prom` only.
  const temporary = join(dirname(path), `.${basename(path)}.${randomBytes(6).toString('hex')}.tmp`);
  try {
    const file = await open(temporary, 'wx', mode);
    try {
      await file.writeFile(bytes);
      await file.chmod(mode);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}
