/** Encodes families in any text format. */
import { codePointsOf, MAX_CODE_POINTS } from '../../model/exemplar.js';
import type { Exemplar, FamilySnapshot } from '../../model/family.js';
import { Chunk, copy, Fragment, PAUSE } from '../chunk.js';
import type { EncodeOptions, Encoder, Escaping } from '../formats.js';
import { type Exposed, FAMILIES_AT_ONCE, labelsText } from '../naming.js';
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
  const nameOf = yield* dialect.namerOf(escaping, created).begin(families);
  const chunk = new Chunk(reuse);
  const series = new SeriesWriter(
    dialect.timestampOf,
    dialect.isStrict ? exemplarWriter(escaping) : undefined,
  );
  let position = 0;
  for (const snapshot of families) {
    if (position % FAMILIES_AT_ONCE === 0) yield PAUSE;
    const exposed = nameOf(snapshot.family, position++);
    if (exposed === undefined) continue;
    const text = textOf(exposed, snapshot, created, dialect);
    const { start, length } = text.header;
    while (!chunk.fits(length)) yield chunk.take();
    chunk.length = copy(chunk.view, chunk.length, text.view, start, length);
    series.begin(snapshot, text, exposed.relabel);
    while (!series.write(chunk)) yield chunk.take();
  }
  const end = new Fragment(dialect.end);
  while (!chunk.fits(end.length)) yield chunk.take();
  chunk.length = copy(chunk.view, chunk.length, end.view, 0, end.length);
  if (chunk.length > 0) yield chunk.take();
}

/** Returns the texts of a family, encoded on first use. Snapshots with quantiles or creation times have more lines. */
function textOf(
  { shape, forms }: Exposed<FamilyText>,
  { family, quantiles, created }: FamilySnapshot,
  writesCreated: boolean,
  dialect: Dialect,
): FamilyText {
  const has = { quantiles: quantiles !== undefined, created: writesCreated && created !== undefined };
  const form = Number(has.quantiles) + 2 * Number(has.created);
  forms[form] ??= familyTextOf(dialect, shape, family, has);
  return forms[form];
}

/**
 * Returns a function that writes an exemplar as ` # {trace_id="1"} 0.5 1700000000`, or as nothing if parsers reject it.
 */
function exemplarWriter(escaping: Escaping): (exemplar: Exemplar) => string {
  return ({ labels, value, timestamp }) => {
    if (codePointsOf(Object.entries(labels)) > MAX_CODE_POINTS) return '';
    const time = Number.isFinite(timestamp) ? ` ${formatValue(timestamp!)}` : '';
    return ` # {${labelsText(labels, escaping)}} ${formatValue(value)}${time}`;
  };
}
