/** Sending the numbers of writers, each for itself: gauges and progress bars. What is sent are the values. */
import type { Cells, Writer } from '../backend.js';
import { accumulate } from '../merge.js';
import { GONE, numberText, writerField } from './fields.js';
import { type Numbers, ProducerFamily, type Series } from './producer.js';

/** Fields of one batch. Redis does nothing else meanwhile; Lua passes on fewer than 8000 values at once. */
const MOST_FIELDS = 2000;

export class WriterProducer extends ProducerFamily<Numbers> {
  readonly #producer: string;

  constructor(family: ProducerFamily['family'], producer: string) {
    super(family);
    this.#producer = producer;
  }

  protected keyOf(labels: string, writer: Writer | undefined): string {
    return writerField(this.#producer, writer?.id ?? '', labels);
  }

  protected isSeriesSent(series: Series): boolean {
    return this.batch?.changes.some((change) => change.series === series) === true;
  }

  protected freeze(sequence: number): Numbers | undefined {
    const left = this.leaving.slice(0, MOST_FIELDS);
    const deletions = left.map(({ series }) => this.keyOf(series.labels, series.writer));
    const sets: string[] = [];
    const changes: Numbers['changes'][number][] = [];
    while (deletions.length + changes.length < MOST_FIELDS) {
      const { done, value: series } = this.rest.next();
      if (done) break;
      const change = this.#changeOf(series);
      if (change === undefined) continue;
      const text = change.values.map(numberText).join(' ');
      sets.push(this.keyOf(series.labels, series.writer), change.live ? text : `${text} ${GONE}`);
      changes.push(change);
    }
    if (deletions.length + changes.length === 0) return undefined;
    return { kind: 'set', sequence, deletions, sets, changes, left };
  }

  protected apply({ changes }: Numbers): void {
    for (const { series, values, live } of changes) {
      series.sent.set(values);
      series.known = true;
      series.live = live;
    }
  }

  returned(): void {
    this.hasReturned = true;
    this.forgotten();
  }

  #changeOf(series: Series): Numbers['changes'][number] | undefined {
    const { parts, sent, known, writer } = series;
    const live = writer?.live ?? true;
    const [{ page, offset }, ...more] = parts as [Cells, ...Cells[]];
    const cells = page.slice(offset, offset + sent.length);
    for (const part of more) accumulate(this.family, cells, 0, part.page, part.offset, live);
    const isKnown = known && live === series.live;
    if (isKnown && cells.every((value, cell) => Object.is(value, sent[cell]))) return undefined;
    return { series, values: [...cells], live };
  }
}
