/** Putting the exemplars that this thread and its workers have kept beside the rows that they belong to. */
import type { MetricSource, SeriesExemplars } from '../model/collector.js';
import { keepNewest } from '../model/exemplar.js';
import type { Exemplar, FamilyDescriptor, FamilySnapshot } from '../model/family.js';
import { REMOVED, rowText } from '../model/label-column.js';
import { labelText } from '../model/labels.js';
import { TimeSlice } from '../system/time-slice.js';

/** Exemplars that others have told of. */
export interface OtherExemplars {
  of(family: FamilyDescriptor): readonly SeriesExemplars[];
  /** Of a series that is there no more. */
  forget(family: FamilyDescriptor, labels: readonly string[]): void;
}

/**
 * The snapshot with its exemplars, if there are any. Never holds the event loop for long.
 *
 * @param source - whose exemplars; undefined where only others count in the family
 * @param others - told before the snapshot was made, so that there is a row for each series that was not removed
 */
export async function withExemplars(
  snapshot: FamilySnapshot,
  source: MetricSource | undefined,
  others?: OtherExemplars,
): Promise<FamilySnapshot> {
  const slice = new TimeSlice();
  const { rows, family, created } = snapshot;
  const kept = new Map<string, (Exemplar | undefined)[]>();
  const textOf = ({ labels }: SeriesExemplars) => labelText(family.labelNames, labels);
  for (const series of source?.exemplars?.() ?? []) {
    if (series !== undefined) keep(kept, textOf(series), series);
    if (slice.isOverAfterStep()) await slice.next();
  }
  const told = others?.of(family) ?? [];
  for (const series of told) {
    keep(kept, textOf(series), series);
    if (slice.isOverAfterStep()) await slice.next();
  }
  if (kept.size === 0) return snapshot;
  const exemplars = new Map<number, Exemplar>();
  const found = new Set<string>();
  for (let row = 0; row < rows.size; row++) {
    if (slice.isOverAfterStep()) await slice.next();
    if (rows.lengths[row] === REMOVED) continue;
    const text = rowText(rows, row);
    const own = kept.get(text);
    if (own === undefined) continue;
    found.add(text);
    own.forEach((exemplar, cell) => {
      if (exemplar === undefined) return;
      // What others have told may be of a series that was removed and is there again.
      if (told.length > 0 && (exemplar.timestamp ?? 0) < (created?.[row] ?? 0)) return;
      exemplars.set(row * family.cells + cell, exemplar);
    });
  }
  for (const series of told) if (!found.has(textOf(series))) others!.forget(family, series.labels);
  return exemplars.size === 0 ? snapshot : { ...snapshot, exemplars };
}

/** Two metrics may be one series, one of which leaves labels to their defaults: the newer exemplar wins. */
function keep(
  kept: Map<string, (Exemplar | undefined)[]>,
  text: string,
  { exemplars }: SeriesExemplars,
): void {
  const known = kept.get(text) ?? [];
  keepNewest(known, exemplars);
  kept.set(text, known);
}
