/** Text of any dialect, from columns. */
import type { Exemplar, FamilySnapshot } from '../../model/family.js';
import { Chunk, copy, Fragment } from '../chunk.js';
import type { EncodeOptions, Escaping } from '../encoder.js';
import { checkEscaping } from '../escaping.js';
import { expose, labelsText } from '../exposed.js';
import { formatValue } from '../value.js';
import type { Dialect } from './dialect.js';
import { RowWriter } from './rows.js';

/** The families as chunks of text. Nothing is kept: what was taken can be sent while the rest is written. */
export function* encodeFamilies(
  families: Iterable<FamilySnapshot>,
  { escaping, created, reuse }: EncodeOptions,
  dialect: Dialect,
): Generator<Uint8Array> {
  checkEscaping(escaping);
  const chunk = new Chunk(reuse);
  const exemplarText = dialect.exemplars ? exemplarWriter(escaping) : undefined;
  const { timestampOf } = dialect;
  for (const { snapshot, shape, relabel } of expose(families, escaping, dialect)) {
    yield* writeText(chunk, dialect.headerOf(shape, snapshot.family));
    const lines = dialect.linesOf(shape, snapshot, created);
    const rows = new RowWriter(snapshot, { lines, relabel, timestampOf, exemplarText });
    while (!rows.write(chunk)) yield chunk.take();
  }
  yield* writeText(chunk, dialect.end);
  if (chunk.length > 0) yield chunk.take();
}

function* writeText(chunk: Chunk, text: string): Generator<Uint8Array> {
  const fragment = new Fragment(text);
  while (!chunk.fits(fragment.length)) yield chunk.take();
  chunk.length = copy(chunk.view, chunk.length, fragment.view, 0, fragment.length);
}

/** Code points of an exemplar's label names and values. One that has more makes others' parsers refuse a scrape. */
const MOST_EXEMPLAR_LENGTH = 128;

/** Writes ` # {trace_id="1"} 0.5 1700000000`; nothing for an exemplar that no reader takes. */
function exemplarWriter(escaping: Escaping): (exemplar: Exemplar) => string {
  return ({ labels, value, timestamp }) => {
    const length = Object.entries(labels).reduce((sum, [name, text]) => sum + [...name, ...text].length, 0);
    if (length > MOST_EXEMPLAR_LENGTH) return '';
    const time = Number.isFinite(timestamp) ? ` ${formatValue(timestamp!)}` : '';
    return ` # {${labelsText(labels, escaping)}} ${formatValue(value)}${time}`;
  };
}
