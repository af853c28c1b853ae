/** Sending what everybody adds to: counters, histograms and summaries. What is sent are differences. */
import { type Additions, ProducerFamily, type Removal, type Series } from './producer.js';

/** Cells of one batch. Redis does nothing else meanwhile. */
const MOST_CELLS = 8192;
/** Series of one batch, where Redis looks each one up by its name. */
const MOST_REMOVALS = 1000;

/** Where a batch is put together: one is made at a time, and it is mostly much smaller. */
let scratch = { values: new Float64Array(0), deltas: new Float64Array(0) };

function scratchOf(length: number): typeof scratch {
  if (scratch.values.length < length) {
    scratch = { values: new Float64Array(length), deltas: new Float64Array(length) };
  }
  return scratch;
}

export class SumProducer extends ProducerFamily<Additions | Removal> {
  protected keyOf(labels: string): string {
    return labels;
  }

  override add(...[cells, labels, writer]: Parameters<ProducerFamily['add']>): void {
    super.add(cells, labels, undefined);
    if (writer !== undefined) this.hasOthers = true;
  }

  protected isSeriesSent(series: Series): boolean {
    const { batch } = this;
    return series.row >= 0 || (batch?.kind === 'add' && batch.series.includes(series));
  }

  protected freeze(sequence: number): Additions | Removal | undefined {
    return this.#freezeRemoval(sequence) ?? this.#freezeWithdrawal(sequence) ?? this.#freezeChanges(sequence);
  }

  protected apply(batch: Additions | Removal): void {
    if (batch.kind === 'remove') return;
    const { cells } = this.family;
    const { series, values } = batch;
    for (let i = 0; i < series.length; i++) {
      const one = series[i]!;
      one.known = true;
      for (let cell = 0; cell < cells; cell++) one.sent[cell] = values[i * cells + cell]!;
    }
  }

  /** The sums are there, whoever is gone: there is nothing to send again. */
  returned(): void {
    this.hasReturned = true;
  }

  /** Before anything is added: a series may have been removed and made again meanwhile. */
  #freezeRemoval(sequence: number): Removal | undefined {
    const left = this.leaving.filter(({ why }) => why === 'removed').slice(0, MOST_REMOVALS);
    if (left.length === 0) return undefined;
    return { kind: 'remove', sequence, labels: left.map(({ series }) => series.labels), left };
  }

  /** What was counted here is taken away; where somebody has removed the series, there is nothing to take. */
  #freezeWithdrawal(sequence: number): Additions | undefined {
    const { cells } = this.family;
    const left = this.leaving.slice(0, Math.ceil(MOST_CELLS / cells));
    if (left.length === 0) return undefined;
    const series = left.map((leaving) => leaving.series);
    const values = new Float64Array(left.length * cells);
    const deltas = values.map((_, i) => 0 - series[Math.floor(i / cells)]!.sent[i % cells]!);
    return { kind: 'add', sequence, series, deltas, values, create: false, left };
  }

  #freezeChanges(sequence: number): Additions | undefined {
    const { cells } = this.family;
    const most = Math.ceil(MOST_CELLS / cells);
    const { values, deltas } = scratchOf(most * cells);
    const series: Series[] = [];
    while (series.length < most) {
      const { done, value: one } = this.rest.next();
      if (done) break;
      if (compare(one, values, deltas, series.length * cells) || !one.known) series.push(one);
    }
    if (series.length === 0) return undefined;
    const length = series.length * cells;
    return {
      kind: 'add',
      sequence,
      series,
      deltas: deltas.slice(0, length),
      values: values.slice(0, length),
      create: true,
      left: [],
    };
  }
}

/** Writes what a series has now, and by how much that is more than what was sent. Returns whether it differs. */
function compare({ parts, sent }: Series, values: Float64Array, deltas: Float64Array, at: number): boolean {
  let differs = false;
  for (let cell = 0; cell < sent.length; cell++) {
    let value = 0;
    for (let part = 0; part < parts.length; part++) {
      const { page, offset } = parts[part]!;
      value += page[offset + cell]!;
    }
    const before = sent[cell]!;
    values[at + cell] = value;
    if (isSame(value, before)) deltas[at + cell] = 0;
    else {
      deltas[at + cell] = value - before;
      differs = true;
    }
  }
  return differs;
}

/** Infinity too is no change where it was sent: its difference to itself is none. */
const isSame = (a: number, b: number) => a === b || (Number.isNaN(a) && Number.isNaN(b));
