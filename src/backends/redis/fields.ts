/** What the fields of a family's hash are called, and how numbers are written in them. */
import { createHash } from 'node:crypto';
import { type FamilyDescriptor, familyKey } from '../../model/family.js';

/** A short name that is equal in all programs with this family. */
export function familyId(family: FamilyDescriptor): string {
  return createHash('sha1').update(familyKey(family)).digest('hex').slice(0, 16);
}

/** Field of a cell that everybody adds to. `labels` are the label values as JSON. */
export const sharedField = (cell: number, labels: string) => `c:${cell}:${labels}`;

/** Field of all cells of a series of one writer, separated by spaces. JSON keeps any text in its place. */
export const writerField = (producer: string, writer: string, labels: string) =>
  `p:${JSON.stringify([producer, writer])}:${labels}`;

/** Field of the number of the producer's last batch. */
export const SEQUENCE_FIELD = 'q:';

/** Behind the numbers of a writer that is gone while its producer lives: a worker thread. */
export const GONE = 'gone';

/** What a field's name says. */
export interface FieldName {
  readonly labels: readonly string[];
  /** A cell that everybody adds to; -1 for all cells of one writer. */
  readonly cell: number;
  readonly producer: string;
  /** Empty for the producer itself. */
  readonly writer: string;
}

/** Reads a field's name; undefined for one that holds no numbers, or was written by somebody else. */
export function parseField(field: string): FieldName | undefined {
  const own = OWN.exec(field);
  const head = own ?? SHARED.exec(field);
  if (head === null) return undefined;
  const labels = parseTexts(field.slice(head[0].length));
  if (labels === undefined) return undefined;
  if (own === null) return { labels, cell: Number(head[1]), producer: '', writer: '' };
  const [producer, writer] = parseTexts(own[1]!) ?? [];
  if (producer === undefined || writer === undefined) return undefined;
  return { labels, cell: -1, producer, writer };
}

const SHARED = /^c:(\d+):/;
const OWN = /^p:(\["(?:[^"\\]|\\.)*","(?:[^"\\]|\\.)*"\]):/;

function parseTexts(json: string): string[] | undefined {
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
