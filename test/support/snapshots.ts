/** Snapshots written by hand, with everything that one can contain. */
import type { Exemplar, FamilySnapshot, MetricType } from 'metheus';
import { LabelColumn, labelText } from 'metheus/backends';

export interface HandMadeRow {
  readonly labels?: Readonly<Record<string, string>>;
  /** The cells in the order of the type's layout. The second cell of a gauge may be left out. */
  readonly cells: readonly number[];
  readonly created?: number;
  readonly timestamp?: number;
  /** Exemplars by cell. */
  readonly exemplars?: Readonly<Record<number, Exemplar>>;
  readonly quantiles?: readonly number[];
}

export interface HandMade {
  readonly type: MetricType;
  readonly help?: string;
  readonly unit?: string;
  readonly labelNames?: readonly string[];
  readonly bounds?: readonly number[];
  readonly rows: readonly HandMadeRow[];
}

const GAUGE_LIKE: readonly MetricType[] = ['gauge', 'info', 'stateset'];

/** Leaves out columns that are empty in every row, as a registry does. */
export function snapshot(name: string, made: HandMade): FamilySnapshot {
  const { type, help = 'h', unit = '', labelNames = [], bounds = [], rows } = made;
  const isGauge = GAUGE_LIKE.includes(type);
  const buckets = type === 'histogram' || type === 'gaugehistogram' ? bounds.length + 2 : 0;
  const cells = isGauge || type === 'summary' ? 2 : Math.max(1, buckets);
  const column = new LabelColumn();
  const exemplars = new Map<number, Exemplar>();
  for (const { labels = {}, exemplars: own = {} } of rows) {
    const row = column.add(
      labelText(
        labelNames,
        labelNames.map((label) => labels[label] ?? ''),
      ),
    );
    for (const [cell, exemplar] of Object.entries(own)) exemplars.set(row * cells + Number(cell), exemplar);
  }
  const values = rows.flatMap((row) => (isGauge && row.cells.length === 1 ? [...row.cells, 1] : row.cells));
  const has = (key: keyof HandMadeRow) => rows.some((row) => row[key] !== undefined);
  return {
    family: {
      scope: '',
      name,
      help,
      type,
      unit,
      labelNames,
      cells,
      merge: isGauge ? 'shared' : 'add',
      bounds,
    },
    rows: column.view(),
    values: Float64Array.from(values),
    ...(has('created') && { created: Float64Array.from(rows, ({ created = 0 }) => created) }),
    ...(has('timestamp') && {
      timestamps: Float64Array.from(rows, ({ timestamp = Number.NaN }) => timestamp),
    }),
    ...(has('exemplars') && { exemplars }),
    ...(has('quantiles') && {
      quantiles: Float64Array.from(
        rows.flatMap(({ quantiles }) => quantiles ?? bounds.map(() => Number.NaN)),
      ),
    }),
  };
}

/** Returns a registry with exactly these families. */
export const collectable = (...families: FamilySnapshot[]) => ({ collect: async () => families });
