/** The families of several programs as families of one: each series is told by one label more whose it is. */
import { createFamily, type FamilySeries, type FamilySnapshot, type MetricType, seriesOf } from 'metheus';

/** Which program a series is from. */
const TARGET = 'target';

/** Joins families of the same name. */
export class JoinedFamilies {
  readonly #byName = new Map<string, { readonly first: FamilySnapshot; readonly series: FamilySeries[] }>();

  /** Returns whether the family is one with those of its name that are there: of the same type, with the same buckets. */
  add(target: string, snapshot: FamilySnapshot): boolean {
    const { name, type, bounds } = snapshot.family;
    const known = this.#byName.get(name) ?? { first: snapshot, series: [] };
    const { family } = known.first;
    if (family.type !== type || family.bounds.join() !== bounds.join()) return false;
    known.series.push(...seriesWith(target, snapshot));
    this.#byName.set(name, known);
    return true;
  }

  families(): FamilySnapshot[] {
    return Array.from(this.#byName.values(), ({ first: { family }, series }) => {
      const { name, help, type, unit, bounds } = family;
      // The label that says the state is the last one.
      const last = type === 'stateset' ? [name] : [];
      const names = new Set(series.flatMap(({ labels = {} }) => Object.keys(labels)));
      for (const label of [TARGET, ...last]) names.delete(label);
      const labelNames = [TARGET, ...names, ...last];
      // A label that a series does not have is an empty one.
      const none = Object.fromEntries(labelNames.map((label) => [label, '']));
      const filled = series.map((one) => ({ ...one, labels: { ...none, ...one.labels } }));
      return createFamily(name, help, {
        type,
        unit,
        labelNames,
        ...ends(type, bounds),
        series: filled,
        utf8Names: true,
      });
    });
  }
}

/** What the bounds of a family are depends on its type. */
function ends(type: MetricType, bounds: readonly number[]) {
  if (type === 'summary') return { quantiles: bounds };
  return type === 'histogram' || type === 'gaugehistogram' ? { buckets: bounds } : {};
}

/** All that is known of each series, in the form that `createFamily` takes. What was read has no removed rows. */
function* seriesWith(target: string, snapshot: FamilySnapshot): Generator<FamilySeries> {
  const { family, timestamps, created, quantiles, exemplars } = snapshot;
  const { type, cells, bounds } = family;
  const isGauge = type === 'gauge' || type === 'info' || type === 'stateset';
  let row = 0;
  for (const { labels, values } of seriesOf(snapshot)) {
    const { [TARGET]: own, ...others } = labels;
    const first = row * cells;
    const time = timestamps?.[row];
    yield {
      // As Prometheus does where a label is there already.
      labels: { [TARGET]: target, ...others, ...(own !== undefined && { [`exported_${TARGET}`]: own }) },
      value: isGauge ? values[0]! : [...values],
      ...(time !== undefined && !Number.isNaN(time) && { timestamp: time }),
      ...(created !== undefined && created[row]! > 0 && { created: created[row]! }),
      ...(quantiles !== undefined && {
        quantiles: [...quantiles.subarray(row * bounds.length, (row + 1) * bounds.length)],
      }),
      ...(exemplars !== undefined && {
        exemplars: Array.from({ length: cells }, (_, cell) => exemplars.get(first + cell)),
      }),
    };
    row += 1;
  }
}
