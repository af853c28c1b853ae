/** What the fields of a family's hash are called, and how numbers are written in them. */
import { createHash } from 'node:crypto';
import { type FamilyDescriptor, familyKey } from '../../model/family.js';

/** A short name that is equal in all programs with this family. */
export function familyId(family: FamilyDescriptor): string {
  return createHash('sha1').update(familyKey(family)).digest('hex').slice(0, 16);
}

/** Field of the row of a series whose cells everybody adds to. `labels` are the label values as JSON. */
export const ROW_FIELD = 'r:';

/** Fields of a hash that say what is in it. */
export const HEAD = {
  /** Which hash it is. */
  identity: 't',
  /** How often producers have come to it. */
  arrivals: 'm',
  /** How many rows were ever given. */
  rows: 'n',
  /** The latest generation of any block. */
  version: 'v',
} as const;

/** Field of all cells of a series of one writer, separated by spaces. JSON keeps any text in its place. */
export const writerField = (producer: string, writer: string, labels: string) =>
  `p:${JSON.stringify([producer, writer])}:${labels}`;

/** Behind the numbers of a writer that is gone while its producer lives: a worker thread. */
export const GONE = 'gone';

/** What the name of a writer's field says. */
export interface WriterField {
  readonly labels: readonly string[];
  readonly producer: string;
  /** Empty for the producer itself. */
  readonly writer: string;
}

/** Reads a field's name; undefined for one that is no writer's, or was made by somebody else. */
export function parseWriterField(field: string): WriterField | undefined {
  const head = WRITER.exec(field);
  if (head === null) return undefined;
  const labels = parseTexts(field.slice(head[0].length));
  const [producer, writer] = parseTexts(head[1]!) ?? [];
  if (labels === undefined || producer === undefined || writer === undefined) return undefined;
  return { labels, producer, writer };
}

const WRITER = /^p:(\["(?:[^"\\]|\\.)*","(?:[^"\\]|\\.)*"\]):/;

/** Reads a JSON array of texts; undefined for anything else. */
export function parseTexts(json: string): string[] | undefined {
  const texts = parseJson(json);
  return isTexts(texts) ? texts : undefined;
}

const isTexts = (texts: unknown): texts is string[] =>
  Array.isArray(texts) && texts.every((text) => typeof text === 'string');

function parseJson(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}

/** Reads a family's descriptor; undefined for what was written by somebody else. */
export function parseDescriptor(json: string): FamilyDescriptor | undefined {
  const family = parseJson(json) as FamilyDescriptor | undefined | null;
  const texts = [family?.scope, family?.name, family?.help, family?.type, family?.unit, family?.merge];
  const isOne = isTexts(texts) && isTexts(family?.labelNames) && Array.isArray(family?.bounds);
  return isOne && family !== null && Number.isSafeInteger(family?.cells) ? family : undefined;
}

/** Digits that read back to the same number; `inf`, `-inf` and `nan` as Lua reads and writes them. */
export function numberText(value: number): string {
  if (Number.isFinite(value)) return Object.is(value, -0) ? '-0' : String(value);
  return Number.isNaN(value) ? 'nan' : value > 0 ? 'inf' : '-inf';
}

/** Reads {@link numberText}, and what Lua makes of sums. */
export function parseNumber(text: string): number {
  const number = Number(text);
  if (!Number.isNaN(number)) return number;
  if (text.includes('nan')) return Number.NaN;
  return text.startsWith('-') ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
}
