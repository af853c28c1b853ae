/** The HTML page at `/` of a server: the families, those with the most series first. */
import type { FamilySnapshot } from '../model/family.js';
import { REMOVED, rowText } from '../model/label-column.js';
import { parseLabelText } from '../model/labels.js';
import { METRIC_TYPES } from '../model/metric-types.js';
import { TimeSlice } from '../system/time-slice.js';

/** Maximum series of a family whose label values are counted, since counting all of a large family takes long. */
const MAX_COUNTED = 10_000;

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

/** Escapes a text for HTML, also in attributes. */
const escapeHtml = (text: string): string => text.replace(/[&<>"]/g, (char) => ENTITIES[char]!);

const STYLE = `body { font: 15px/1.5 system-ui, sans-serif; margin: 2em; color-scheme: light dark }
table { border-collapse: collapse } th, td { text-align: left; vertical-align: top; padding: .2em 1em .2em 0 }
td.number, th.number { text-align: right } tbody tr { border-top: 1px solid #8884 } code { font-size: 14px }`;

/**
 * Returns the page, which has no script and loads nothing.
 *
 * @param path - the path of the metrics
 */
export async function indexPage(path: string, families: readonly FamilySnapshot[]): Promise<string> {
  const slice = new TimeSlice();
  const rows: { readonly series: number; readonly html: string }[] = [];
  let total = 0;
  for (const snapshot of families) {
    if (METRIC_TYPES[snapshot.family.type].isHidden) continue;
    const { series, labels } = await countsOf(snapshot, slice);
    total += series;
    rows.push({ series, html: rowOf(snapshot, series, labels) });
  }
  rows.sort((one, other) => other.series - one.series);
  const link = escapeHtml(path);
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Metrics</title>
<style>${STYLE}</style>
<h1>Metrics</h1>
<p><a href="${link}">${link}</a> has ${total} series of ${rows.length} metrics.</p>
<table>
<thead><tr><th>Name<th>Type<th class="number">Series<th class="number">Numbers<th>Values of labels<th>Help</tr></thead>
<tbody>
${rows.map(({ html }) => html).join('\n')}
</tbody>
</table>
</html>
`;
}

/** Counts the series of a family, and the different values of each label, in the order of the label names. */
async function countsOf({ family, rows }: FamilySnapshot, slice: TimeSlice) {
  const values = new Map(family.labelNames.map((name) => [name, new Set<string>()]));
  let series = 0;
  for (let row = 0; row < rows.size; row++) {
    if (rows.lengths[row] === REMOVED) continue;
    series += 1;
    if (series > MAX_COUNTED) continue;
    for (const [name, value] of Object.entries(parseLabelText(rowText(rows, row))))
      values.get(name)?.add(value);
    if (slice.isOverAfterStep()) await slice.next();
  }
  const isWhole = series <= MAX_COUNTED;
  const labels = Array.from(values, ([name, { size }]) => ({ name, size, isWhole }));
  return { series, labels: labels.sort((one, other) => other.size - one.size) };
}

function rowOf(
  { family: { name, type, unit, help, cells } }: FamilySnapshot,
  series: number,
  labels: readonly { readonly name: string; readonly size: number; readonly isWhole: boolean }[],
): string {
  const counts = labels.map(
    (label) => `${escapeHtml(label.name)}: ${label.size}${label.isWhole ? '' : ' or more'}`,
  );
  const kind = unit === '' ? type : `${type}, ${escapeHtml(unit)}`;
  const numbers = `<td class="number">${series}<td class="number">${series * cells}`;
  return `<tr><td><code>${escapeHtml(name)}</code><td>${kind}${numbers}<td>${counts.join(', ')}<td>${escapeHtml(help)}</tr>`;
}
