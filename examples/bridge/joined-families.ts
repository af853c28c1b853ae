/** Families of several programs joined by name, with the program as one more label of each series. */
import { createFamily, type FamilySeries, type FamilySnapshot, type MetricType, seriesOf } from 'metheus';

/** Label that holds the program of a series. */
const TARGET = 'target';

/** Joins families of the same name. */
export class JoinedFamilies {
  readonly #byName = new Map<string, { readonly first: FamilySnapshot; readonly series: FamilySeries[] }>();

  /** Adds a family; returns false when one of its name was added with another type or other buckets. */
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
      // The label of the state comes last.
      const last = type === 'stateset' ? [name] : [];
      const names = new Set(series.flatMap(({ labels = {} }) => Object.keys(labels)));
      for (const label of [TARGET, ...last]) names.delete(label);
      const labelNames = [TARGET, ...names, ...last];
      // Labels that a series does not have are empty.
      const none = Object.fromEntries(labelNames.map((label) => [label, '']));
      const filled = series.map((one) => ({ ...one, labels: { ...none, ...one.labels } }));
      return createFamily(name, help, {
        type,
        unit,
        labelNames,
        ...boundsOption(type, bounds),
        series: filled,
        utf8Names: true,
      });
    });
  }
}

/** Returns the bounds of a family as the option that its type has for them. */
function boundsOption(type: MetricType, bounds: readonly number[]) {
  if (type === 'summary') return { quantiles: bounds };
  return type === 'histogram' || type === 'gaugehistogram' ? { buckets: bounds } : {};
}

/** Yields the series of a snapshot in the form that `createFamily` takes. Parsed snapshots have no removed rows. */
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
      // As in Prometheus, a label of the same name gets the prefix `exported_`.
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
