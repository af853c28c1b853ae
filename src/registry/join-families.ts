/** Joins the families of several sources: families of the same name become one with all their series. */
import { MetheusError, show } from '../errors.js';
import type { Exemplar, FamilyDescriptor, FamilySnapshot, NativeBuckets } from '../model/family.js';
import { LabelColumn, REMOVED, rowText } from '../model/label-column.js';
import { labelText, parseLabelText } from '../model/labels.js';
import { sampleNames } from '../model/metric-types.js';
import { TimeSlice } from '../system/time-slice.js';
import type { CollectorFailure } from './run-collectors.js';

/** One family of one source. */
export interface SourceFamily {
  readonly source: string;
  readonly snapshot: FamilySnapshot;
}

/**
 * Joins families of the same name if type, unit, labels and bounds agree too. The help text of the first one is used.
 *
 * Leaves out families that do not agree with an earlier one of the same name, and series that an earlier source has
 * too. Both count as failures of the later source.
 *
 * @param metricOf - returns the name of the registry's metric that uses a sample name; `undefined` if none does
 */
export async function joinFamilies(
  given: readonly SourceFamily[],
  metricOf: (sampleName: string) => string | undefined,
): Promise<{ families: FamilySnapshot[]; failures: CollectorFailure[] }> {
  const failures: CollectorFailure[] = [];
  const groups = new Map<string, SourceFamily[]>();
  const sourceOf = new Map<string, string>();
  for (const added of given) {
    const { source, snapshot } = added;
    const { name } = snapshot.family;
    const group = groups.get(name);
    if (group !== undefined && areJoinable(group[0]!.snapshot.family, snapshot.family)) {
      group.push(added);
      continue;
    }
    const names = sampleNames(snapshot.family);
    const metric = names.map(metricOf).find((known) => known !== undefined);
    const other = names.map((sample) => sourceOf.get(sample)).find((known) => known !== undefined);
    if (metric === undefined && other === undefined) {
      groups.set(name, [added]);
      for (const sample of names) sourceOf.set(sample, source);
      continue;
    }
    const error = new MetheusError('METHEUS_DUPLICATE_FAMILY', {
      given: `${show(name)} from ${source} and from ${metric === undefined ? other : `the metric ${show(metric)}`}`,
      expected:
        metric === undefined
          ? 'the same type, unit, labels and bounds from both'
          : 'a name that no metric of the registry has',
    });
    failures.push({ collector: source, cause: 'duplicate', error });
  }
  const families: FamilySnapshot[] = [];
  for (const group of groups.values()) {
    families.push(group.length === 1 ? group[0]!.snapshot : await join(group, failures));
  }
  return { families, failures };
}

function areJoinable(one: FamilyDescriptor, other: FamilyDescriptor): boolean {
  const key = ({ type, unit, labelNames, bounds }: FamilyDescriptor) =>
    JSON.stringify([type, unit, [...labelNames].sort(), bounds]);
  return key(one) === key(other);
}

async function join(given: readonly SourceFamily[], failures: CollectorFailure[]): Promise<FamilySnapshot> {
  const { family } = given[0]!.snapshot;
  const { cells, labelNames, bounds } = family;
  const size = given.reduce((sum, { snapshot }) => sum + snapshot.rows.size, 0);
  const rows = new LabelColumn();
  const values = new Float64Array(size * cells);
  const created = new Float64Array(size);
  const timestamps = new Float64Array(size).fill(Number.NaN);
  const quantiles = new Float64Array(size * bounds.length).fill(Number.NaN);
  const exemplars = new Map<number, Exemplar>();
  const native: (NativeBuckets | undefined)[] = [];
  const sourceOf = new Map<string, string>();
  const slice = new TimeSlice();
  for (const { source, snapshot } of given) {
    const isOrdered = snapshot.family.labelNames.every((name, i) => name === labelNames[i]);
    let duplicate: string | undefined;
    for (let from = 0; from < snapshot.rows.size; from++) {
      if (slice.isOverAfterStep()) await slice.next();
      if (snapshot.rows.lengths[from] === REMOVED) continue;
      const text = isOrdered
        ? rowText(snapshot.rows, from)
        : reordered(rowText(snapshot.rows, from), labelNames);
      if (sourceOf.has(text)) {
        duplicate ??= text;
        continue;
      }
      sourceOf.set(text, source);
      const to = rows.add(text);
      values.set(snapshot.values.subarray(from * cells, (from + 1) * cells), to * cells);
      created[to] = snapshot.created?.[from] ?? 0;
      timestamps[to] = snapshot.timestamps?.[from] ?? Number.NaN;
      if (snapshot.quantiles !== undefined) {
        const { length } = bounds;
        quantiles.set(snapshot.quantiles.subarray(from * length, (from + 1) * length), to * length);
      }
      for (let cell = 0; cell < cells && snapshot.exemplars !== undefined; cell++) {
        const exemplar = snapshot.exemplars.get(from * cells + cell);
        if (exemplar !== undefined) exemplars.set(to * cells + cell, exemplar);
      }
      native.push(snapshot.native?.[from]);
    }
    if (duplicate !== undefined) failures.push(duplicateSeries(family.name, duplicate, source, sourceOf));
  }
  const some = (column: keyof FamilySnapshot) => given.some(({ snapshot }) => snapshot[column] !== undefined);
  return {
    family,
    rows: rows.view(),
    values,
    ...(some('created') && { created }),
    ...(some('timestamps') && { timestamps }),
    ...(some('quantiles') && { quantiles }),
    ...(some('exemplars') && { exemplars }),
    ...(some('native') && { native }),
  };
}

/** Returns a label text with its labels in another order. */
function reordered(text: string, labelNames: readonly string[]): string {
  const labels = parseLabelText(text);
  return labelText(
    labelNames,
    labelNames.map((name) => labels[name] ?? ''),
  );
}

function duplicateSeries(
  name: string,
  text: string,
  source: string,
  sourceOf: ReadonlyMap<string, string>,
): CollectorFailure {
  const given = `{${text}} of ${show(name)} from ${source} and from ${sourceOf.get(text)}`;
  const expected = 'each series from one source';
  const error = new MetheusError('METHEUS_DUPLICATE_SERIES', { given, expected });
  return { collector: source, cause: 'duplicate', error };
}
