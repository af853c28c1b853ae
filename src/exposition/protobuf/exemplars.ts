/** Messages `Exemplar` of `io.prometheus.client`, and `google.protobuf.Timestamp`. */
import { type Exemplar, isTime } from '../../model/family.js';
import type { Escaping } from '../formats.js';
import { labelNamesOf, unquoted } from '../naming.js';
import { doubleTag, messageTag, varintTag, type WireWriter } from './wire.js';

/** Maximum bytes of a character in a name. The escaping scheme `values` writes, for example, `_1f600_`. */
const MAX_CHARACTER_BYTES = 9;
/** Maximum bytes of the tags and lengths of a label, and of an exemplar without its labels. */
const MAX_LABEL_BYTES = 24;
const MAX_EXEMPLAR_BYTES = 48;

/** Returns the maximum bytes of {@link writeExemplar}. */
export function maxExemplarBytes({ labels }: Exemplar): number {
  let most = MAX_EXEMPLAR_BYTES;
  for (const name of Object.keys(labels)) {
    most += MAX_LABEL_BYTES + MAX_CHARACTER_BYTES * (name.length + labels[name]!.length);
  }
  return most;
}

export function writeExemplar(
  writer: WireWriter,
  tag: number,
  { labels, value, timestamp }: Exemplar,
  escaping: Escaping,
): void {
  const exemplar = writer.open(tag);
  for (const [name, written] of labelNamesOf(Object.keys(labels), escaping)) {
    const label = writer.open(messageTag(1));
    writer.string(messageTag(1), unquoted(written));
    writer.string(messageTag(2), labels[name]!);
    writer.close(label);
  }
  writer.double(doubleTag(2), value);
  if (isTime(timestamp)) writeTimestamp(writer, messageTag(3), timestamp);
  writer.close(exemplar);
}

/** @param seconds - Unix seconds */
export function writeTimestamp(writer: WireWriter, tag: number, seconds: number): void {
  let whole = Math.floor(seconds);
  let nanos = Math.round((seconds - whole) * 1e9);
  if (nanos === 1e9) {
    whole += 1;
    nanos = 0;
  }
  const timestamp = writer.open(tag);
  writer.integer(varintTag(1), whole);
  writer.count(varintTag(2), nanos);
  writer.close(timestamp);
}
