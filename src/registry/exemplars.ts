/** Putting the exemplars that this thread has kept beside the rows that they belong to. */
import type { MetricSource, SeriesExemplars } from '../model/collector.js';
import type { Exemplar, FamilySnapshot } from '../model/family.js';
import { REMOVED, rowText } from '../model/label-column.js';
import { labelText } from '../model/labels.js';
import { Turn } from '../model/turn.js';

/** The snapshot with its exemplars, if there are any. Never holds the event loop for long. */
export async function withExemplars(snapshot: FamilySnapshot, source: MetricSource): Promise<FamilySnapshot> {
  const turn = new Turn();
  const kept = new Map<string, (Exemplar | undefined)[]>();
  for (const series of source.exemplars?.() ?? []) {
    if (series !== undefined) keep(kept, labelText(snapshot.family.labelNames, series.labels), series);
    if (turn.isDue()) await turn.next();
  }
  if (kept.size === 0) return snapshot;
  const exemplars = new Map<number, Exemplar>();
  const { rows, family } = snapshot;
  for (let row = 0; row < rows.size; row++) {
    if (turn.isDue()) await turn.next();
    if (rows.lengths[row] === REMOVED) continue;
    kept.get(rowText(rows, row))?.forEach((exemplar, cell) => {
      if (exemplar !== undefined) exemplars.set(row * family.cells + cell, exemplar);
    });
  }
  return { ...snapshot, exemplars };
}

/** Two metrics may be one series, one of which leaves labels to their defaults: the newer exemplar wins. */
function keep(
  kept: Map<string, (Exemplar | undefined)[]>,
  text: string,
  { exemplars }: SeriesExemplars,
): void {
  const known = kept.get(text) ?? [];
  exemplars.forEach((exemplar, cell) => {
    if ((exemplar?.timestamp ?? 0) >= (known[cell]?.timestamp ?? 0)) known[cell] = exemplar;
  });
  kept.set(text, known);
}
