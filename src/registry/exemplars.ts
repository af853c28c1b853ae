/** Putting the exemplars that this thread has kept beside the rows that they belong to. */
import type { MetricSource, SeriesExemplars } from '../model/collector.js';
import type { Exemplar, FamilySnapshot } from '../model/family.js';
import { REMOVED, rowText } from '../model/label-column.js';
import { labelText } from '../model/labels.js';

/** How long to hold the event loop before others run, and after how many series to look at the clock. */
const TURN_MS = 4;
const LOOK_AFTER = 256;

/** The snapshot with its exemplars, if there are any. Never holds the event loop for long. */
export async function withExemplars(snapshot: FamilySnapshot, source: MetricSource): Promise<FamilySnapshot> {
  const pause = pauses();
  const kept = new Map<string, (Exemplar | undefined)[]>();
  for (const series of source.exemplars?.() ?? []) {
    if (series !== undefined) keep(kept, labelText(snapshot.family.labelNames, series.labels), series);
    if (pause.isDue()) await pause.take();
  }
  if (kept.size === 0) return snapshot;
  const exemplars = new Map<number, Exemplar>();
  const { rows, family } = snapshot;
  for (let row = 0; row < rows.size; row++) {
    if (pause.isDue()) await pause.take();
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

function pauses() {
  let turn = performance.now();
  let steps = 0;
  return {
    isDue: () => ++steps % LOOK_AFTER === 0 && performance.now() - turn > TURN_MS,
    async take() {
      await new Promise(setImmediate);
      turn = performance.now();
    },
  };
}
