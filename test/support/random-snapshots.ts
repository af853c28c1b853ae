/**
 * Random families of every type with everything that a snapshot can contain, and the samples that a parser
 * should read from them, computed without the library.
 */
import fc from 'fast-check';
import type { Exemplar, FamilySnapshot, MetricType } from 'metheus';
import { labelName, metricName, nastyNumber, nastyText } from './random-registry.js';
import { type HandMade, type HandMadeRow, snapshot } from './snapshots.js';
import type { ParsedFamily, ParsedSample } from './validators.js';

export interface FamilyPlan extends HandMade {
  readonly name: string;
}

const count = fc.oneof(fc.nat(10), fc.integer({ min: 0, max: 2 ** 40 }));
const time = fc.integer({ min: 0, max: 2 ** 42 }).map((milliseconds) => milliseconds / 1000);
const stateLabel = 'state';

/** Python's parser ends the labels of an exemplar at the first brace, even at one in a value. */
const exemplar: fc.Arbitrary<Exemplar> = fc
  .record({
    labels: fc.dictionary(
      labelName,
      nastyText.map((text) => text.toWellFormed().replaceAll('}', ')')),
      { maxKeys: 3 },
    ),
    value: nastyNumber,
    timestamp: fc.option(time),
  })
  .map(({ timestamp, ...rest }) => (timestamp === null ? rest : { ...rest, timestamp }));

const bounds = fc
  .uniqueArray(fc.double({ noNaN: true, noDefaultInfinity: true }), { maxLength: 4 })
  .map((all) => [...new Set(all.map((bound) => bound + 0))].sort((a, b) => a - b));
const quantiles = fc
  .uniqueArray(fc.double({ noNaN: true, min: 0, max: 1 }), { maxLength: 4 })
  .map((all) => [...new Set(all.map((quantile) => quantile + 0))].sort((a, b) => a - b));

function cellsOf(type: MetricType, boundCount: number): fc.Arbitrary<number[]> {
  const one = (arbitrary: fc.Arbitrary<number>) => arbitrary.map((cell) => [cell]);
  switch (type) {
    case 'histogram':
    case 'gaugehistogram':
      return (
        fc
          .tuple(fc.array(count, { minLength: boundCount + 1, maxLength: boundCount + 1 }), nastyNumber)
          // The sum of a gauge histogram without negative bounds is not negative; other sums are any number.
          .map(([counts, sum]) => [...counts, type === 'histogram' ? sum : Math.abs(sum) || 0])
      );
    case 'summary':
      return fc.tuple(nastyNumber, count);
    case 'info':
      return fc.constant([1]);
    case 'stateset':
      return one(fc.constantFrom(0, 1));
    default:
      return one(nastyNumber);
  }
}

const ENDINGS: Partial<Record<MetricType, readonly string[]>> = {
  counter: ['_total', '_total', ''],
  info: ['_info', ''],
};

const family = fc
  .record({
    type: fc.constantFrom<MetricType>(
      ...(['counter', 'gauge', 'histogram', 'gaugehistogram'] as const),
      ...(['summary', 'info', 'stateset', 'unknown'] as const),
    ),
    labelNames: fc.uniqueArray(labelName, { maxLength: 3 }),
    isTimed: fc.boolean(),
    bounds,
    quantiles,
  })
  .chain(({ type, labelNames, isTimed, ...given }) => {
    const isSet = type === 'stateset';
    const hasBuckets = type === 'histogram' || type === 'gaugehistogram';
    const own = type === 'summary' ? given.quantiles : hasBuckets ? given.bounds : [];
    const names = isSet ? [stateLabel] : labelNames;
    // Python treats all rows of an info or of a state set as one moment.
    const hasTimes = isTimed && type !== 'info' && !isSet;
    const exemplarCells = hasBuckets ? own.length + 1 : Number(type === 'counter');
    const row = fc.record({
      labels: fc.tuple(...names.map(() => nastyText.map((text) => text.toWellFormed()))),
      cells: cellsOf(type, own.length),
      created: fc.option(time),
      timestamp: hasTimes ? fc.option(time) : fc.constant(null),
      quantiles: fc.tuple(...own.map(() => nastyNumber)),
      exemplars: fc.array(fc.option(exemplar), { maxLength: exemplarCells }),
    });
    return fc.record({
      type: fc.constant(type),
      name: metricName,
      ending: fc.constantFrom(...(ENDINGS[type] ?? [''])),
      help: nastyText,
      unit: fc.constantFrom('', 'seconds', 'else'),
      labelNames: fc.constant(names),
      bounds: fc.constant(own),
      rows: fc.uniqueArray(row, {
        maxLength: names.length === 0 ? 1 : 4,
        selector: ({ labels }) => JSON.stringify(labels),
      }),
    });
  });

/** Appends a number to each name, so that no two families share the name of a sample. */
export const familyPlans: fc.Arbitrary<FamilyPlan[]> = fc.array(family, { maxLength: 6 }).map((families) =>
  families.map(({ name, ending, unit, labelNames, rows, type, ...rest }, i) => {
    const full = `${name}_${i}${unit === 'seconds' ? '_seconds' : ''}${ending}`;
    const names = type === 'stateset' ? [full.replaceAll(':', '_')] : labelNames;
    return {
      ...rest,
      type,
      unit,
      name: type === 'stateset' ? full.replaceAll(':', '_') : full,
      labelNames: names,
      rows: rows.map(
        ({ labels, created, timestamp, exemplars, ...row }): HandMadeRow => ({
          ...row,
          labels: Object.fromEntries(names.map((label, n) => [label, labels[n]!])),
          ...(created !== null && { created }),
          ...(timestamp !== null && { timestamp }),
          exemplars: Object.fromEntries([...exemplars.entries()].filter(([, one]) => one !== null)) as Record<
            number,
            Exemplar
          >,
        }),
      ),
    };
  }),
);

export const snapshotsOf = (plans: readonly FamilyPlan[]): FamilySnapshot[] =>
  plans.map(({ name, ...made }) => snapshot(name, made));

/** Returns the families that a parser of OpenMetrics should read, created times included. */
export function expectedOpenMetrics(plan: FamilyPlan): ParsedFamily {
  const { type, name, help = '', unit = '', rows } = plan;
  const isCounter = type === 'counter' && name.endsWith('_total');
  const stem = name.replace(isCounter ? /_total$/ : type === 'info' ? /_info$/ : /$^/, '');
  const hasUnit = unit !== '' && stem.endsWith(`_${unit}`) && type !== 'info' && type !== 'stateset';
  return {
    name: stem,
    type: type === 'counter' && !isCounter ? 'unknown' : type,
    help: help.toWellFormed(),
    unit: hasUnit ? unit : '',
    samples: rows.flatMap((row) => samplesOf({ ...plan, name: stem }, row, isCounter)),
  };
}

function samplesOf(plan: FamilyPlan, row: HandMadeRow, isCounter: boolean): ParsedSample[] {
  const { type, name, bounds: own = [] } = plan;
  const { labels = {}, cells, timestamp, created, exemplars = {} } = row;
  const time = timestamp === undefined ? {} : { timestamp };
  const sample = (suffix: string, value: number, more: Record<string, string> = {}): ParsedSample => ({
    name: name + suffix,
    labels: { ...labels, ...more },
    value,
    ...time,
  });
  const begun = created === undefined || created === 0 ? [] : [sample('_created', created)];
  switch (type) {
    case 'counter': {
      if (!isCounter) return [sample('', cells[0]!)];
      const total = sample('_total', cells[0]!);
      return [...(cells[0]! >= 0 ? [withExemplar(total, exemplars[0])] : []), ...begun];
    }
    case 'histogram':
    case 'gaugehistogram': {
      const counts = cells.slice(0, -1);
      const sum = cells.at(-1)!;
      const all = counts.reduce((total, one) => total + one, 0);
      const isSigned = own.some((bound) => bound < 0);
      const isGauge = type === 'gaugehistogram';
      const [sumSuffix, countSuffix] = isGauge ? ['_gsum', '_gcount'] : ['_sum', '_count'];
      const hasSum = sum >= 0 && (isGauge || !isSigned);
      return [
        ...[...own, Number.POSITIVE_INFINITY].map((bound, i) =>
          withExemplar(
            sample(
              '_bucket',
              counts.slice(0, i + 1).reduce((total, one) => total + one, 0),
              { le: String(bound) },
            ),
            exemplars[i],
          ),
        ),
        ...(hasSum ? [sample(sumSuffix, sum), sample(countSuffix, all)] : []),
        ...(isGauge ? [] : begun),
      ];
    }
    case 'summary':
      return [
        ...own.flatMap((quantile, i) => {
          const value = row.quantiles![i]!;
          return value < 0 ? [] : [sample('', value, { quantile: String(quantile) })];
        }),
        ...(cells[0]! >= 0 ? [sample('_sum', cells[0]!)] : []),
        sample('_count', cells[1]!),
        ...begun,
      ];
    case 'info':
      return [sample('_info', 1)];
    default:
      return [sample('', cells[0]!)];
  }
}

function withExemplar(sample: ParsedSample, exemplar: Exemplar | undefined): ParsedSample {
  if (exemplar === undefined) return sample;
  const length = Object.entries(exemplar.labels).reduce((sum, [n, v]) => sum + [...n, ...v].length, 0);
  return length > 128 ? sample : { ...sample, exemplar };
}

const TEXT_TYPES: Partial<Record<MetricType, string>> = {
  gaugehistogram: 'histogram',
  info: 'gauge',
  stateset: 'gauge',
};

/**
 * Returns the families that a parser of text 0.0.4 should read. Python's counters have no `_total`, their
 * samples do.
 */
export function expectedText(plan: FamilyPlan): ParsedFamily {
  const { type, name, help = '', rows, bounds: own = [] } = plan;
  const stem = type === 'counter' ? name.replace(/_total$/, '') : name;
  const exposed = type === 'info' ? `${name.replace(/_info$/, '')}_info` : stem;
  const samples = rows.flatMap(({ labels = {}, cells, timestamp, quantiles: values = [] }) => {
    const time = timestamp === undefined ? {} : { timestamp };
    const sample = (suffix: string, value: number, more: Record<string, string> = {}): ParsedSample => ({
      name: exposed + suffix,
      labels: { ...labels, ...more },
      value,
      ...time,
    });
    if (type === 'summary') {
      const at = own.map((quantile, i) => sample('', values[i]!, { quantile: String(quantile) }));
      return [...at, sample('_sum', cells[0]!), sample('_count', cells[1]!)];
    }
    if (type !== 'histogram' && type !== 'gaugehistogram') {
      return [sample(type === 'counter' ? '_total' : '', cells[0]!)];
    }
    const upTo = (i: number) => cells.slice(0, i).reduce((total, one) => total + one, 0);
    const bucket = (bound: number, i: number) => sample('_bucket', upTo(i + 1), { le: String(bound) });
    const all = [...own, Number.POSITIVE_INFINITY];
    return [...all.map(bucket), sample('_sum', cells.at(-1)!), sample('_count', upTo(all.length))];
  });
  return { name: exposed, type: TEXT_TYPES[type] ?? type, help: help.toWellFormed(), unit: '', samples };
}
