/** Encodes families in any text format. */
import type { Exemplar, FamilySnapshot } from '../../model/family.js';
import { METRIC_TYPES } from '../../model/metric-types.js';
import { Chunk, copy, Fragment } from '../chunk.js';
import type { EncodeOptions, Encoder, Escaping } from '../formats.js';
import { checkEscaping, type Exposed, labelsText, namerOf } from '../naming.js';
import { formatValue } from '../value.js';
import { type Dialect, type FamilyText, familyTextOf } from './dialect.js';
import { SeriesWriter } from './series.js';

/** Creates the encoder of a text format. */
export function textEncoder(dialect: Dialect): Encoder {
  return (families, options) => encodeFamilies(families, options, dialect);
}

function* encodeFamilies(
  families: Iterable<FamilySnapshot>,
  { escaping, created, reuse }: EncodeOptions,
  dialect: Dialect,
): Generator<Uint8Array> {
  checkEscaping(escaping);
  const chunk = new Chunk(reuse);
  const names = namerOf(dialect.namers, escaping, dialect.shapesOf).begin(families);
  const series = new SeriesWriter(
    dialect.timestampOf,
    dialect.exemplars ? exemplarWriter(escaping) : undefined,
  );
  for (const snapshot of families) {
    if (METRIC_TYPES[snapshot.family.type].isHidden) continue;
    const exposed = names.exposedOf(snapshot.family);
    const text = textOf(exposed, snapshot, created, dialect);
    while (!chunk.fits(text.headerLength)) yield chunk.take();
    chunk.length = copy(chunk.view, chunk.length, text.view, 0, text.headerLength);
    series.begin(snapshot, text, exposed.relabel);
    while (!series.write(chunk)) yield chunk.take();
  }
  const end = new Fragment(dialect.end);
  while (!chunk.fits(end.length)) yield chunk.take();
  chunk.length = copy(chunk.view, chunk.length, end.view, 0, end.length);
  if (chunk.length > 0) yield chunk.take();
}

/** The texts of a family, encoded on first use. Snapshots with quantiles or creation times have more lines. */
function textOf(
  { shape, forms }: Exposed<FamilyText>,
  { family, quantiles, created }: FamilySnapshot,
  writesCreated: boolean,
  dialect: Dialect,
): FamilyText {
  const has = { quantiles: quantiles !== undefined, created: writesCreated && created !== undefined };
  const form = Number(has.quantiles) + 2 * Number(has.created);
  forms[form] ??= familyTextOf(dialect.headerOf(shape, family), dialect.linesOf(shape, family, has));
  return forms[form];
}

/** Maximum of code points in an exemplar's label names and values. Parsers reject a scrape with a longer one. */
const MAX_EXEMPLAR_LENGTH = 128;

/** Writes ` # {trace_id="1"} 0.5 1700000000`, and nothing for an exemplar that parsers reject. */
function exemplarWriter(escaping: Escaping): (exemplar: Exemplar) => string {
  return ({ labels, value, timestamp }) => {
    const length = Object.entries(labels).reduce((sum, [name, text]) => sum + [...name, ...text].length, 0);
    if (length > MAX_EXEMPLAR_LENGTH) return '';
    const time = Number.isFinite(timestamp) ? ` ${formatValue(timestamp!)}` : '';
    return ` # {${labelsText(labels, escaping)}} ${formatValue(value)}${time}`;
  };
}
