/**
 * Labels in the type system: which may still be given, and which are still missing.
 *
 * A metric whose labels are complete has the operations of its type; one that misses a label has none of
 * them, so a forgotten label does not compile.
 */
import type { Backend } from '../backends/backend.js';
import type { Registerer } from '../model/collector.js';
import type { FamilyDescriptor } from '../model/family.js';
import type { LabelValue } from '../model/labels.js';

/** Values for some of the labels that are still open. */
export type Given<Open extends string> = { readonly [Name in Open]?: LabelValue };

/** The labels that `G` surely gives: one that may be `undefined`, or of a name not known, does not count. */
export type Named<G> = string extends keyof G
  ? never
  : { [Name in keyof G]-?: undefined extends G[Name] ? never : Name }[keyof G];

/** Refuses names that are not open. An object literal alone would not be checked when it is inferred. */
export type OnlyOpen<G, Open extends string> = string extends Open
  ? unknown
  : { readonly [Name in Exclude<keyof G, Open>]: never };

/** The labels that may still be given after `G`. */
export type StillOpen<Open extends string, G> = string extends Open ? string : Exclude<Open, Named<G>>;

/** The labels that are still missing after `G`. Names that are only known as `string` are taken on trust. */
export type StillMissing<Missing extends string, G> = string extends Missing
  ? never
  : Exclude<Missing, Named<G>>;

declare const LABELS: unique symbol;

/** What every metric is and can do, but for giving it labels. */
export interface Described<Open extends string, Missing extends string> {
  /** Never there: keeps metrics of other labels from passing for this one, which methods alone do not. */
  readonly [LABELS]?: { readonly open: (name: Open) => void; readonly missing: Missing };
  readonly name: string;
  readonly help: string;
  readonly descriptor: FamilyDescriptor;
  /** The whole definition as text, by which a registry tells metrics apart. */
  readonly definition: string;
  /** The backend that keeps the numbers at this moment. */
  readonly backend: Backend;

  /**
   * Removes every series that has these label values, and says how many there were. A child that was kept
   * counts for nobody afterwards: get a new one from `labels`.
   */
  remove(labels?: Given<Open>): number;

  /** Removes every series. A metric that is observable without further labels starts again from zero. */
  clear(): void;
}

/** What every metric can do, observable or not. */
export interface Labelled<Operations extends object, Open extends string, Missing extends string>
  extends Described<Open, Missing> {
  /**
   * Gives values to labels, in any order and any portion. The same labels give the same object, so a result
   * can be kept: keep partial ones to complete later, complete ones to count at full speed.
   *
   * @throws `METHEUS_UNKNOWN_LABEL`, `METHEUS_LABELS_NOT_ALLOWED`, `METHEUS_INVALID_LABEL_VALUE`
   */
  labels<const G extends Given<Open>>(
    given: object & G & OnlyOpen<G, Open>,
  ): WithLabels<Operations, StillOpen<Open, G>, StillMissing<Missing, G>>;
}

/** A metric with `Open` labels that may still be given and `Missing` ones that must be. */
export type WithLabels<Operations extends object, Open extends string, Missing extends string> = Labelled<
  Operations,
  Open,
  Missing
> &
  ([Missing] extends [never] ? Operations : unknown);

/** Options that even those metrics take that are no numbers. */
export interface LabelOptions<Names extends readonly string[], Defaults> {
  /** The labels of the metric. Each needs a value before anything can be counted. */
  readonly requiredLabels?: Names;
  /** Values for labels that are not given. */
  readonly defaultLabels?: Defaults & OnlyOpen<Defaults, Names[number]>;
  /** Where the metric is registered; left out: in the default registry; `null`: nowhere. */
  readonly registry?: Registerer | null;
  /**
   * Whether the metric and its labels may have any characters in their names, such as `http.requests`. Prometheus
   * stores them so from version 3 on; for others they are escaped. @defaultValue `false`
   */
  readonly utf8Names?: boolean;
}

/** Options that every metric takes whose value is a number. */
export interface MetricOptions<Names extends readonly string[], Defaults>
  extends LabelOptions<Names, Defaults> {
  /** A base unit, `seconds` or `bytes` for instance. The name must end with it, `_total` aside. */
  readonly unit?: string;
  /**
   * How many series there may be. Label sets beyond count together in one more series, each of whose labels
   * is `__overflow__`, and `metheus_series_dropped_total{family}` says how often. Without it: no limit.
   */
  readonly maxSeries?: number;
}

/** The labels without a default. */
export type Undefaulted<Names extends readonly string[], Defaults> = string extends Names[number]
  ? string
  : Exclude<Names[number], Named<Defaults>>;

/** A metric as it is created: every label is open, and those without a default are missing. */
export type Created<Operations extends object, Names extends readonly string[], Defaults> = WithLabels<
  Operations,
  Names[number],
  Undefaulted<Names, Defaults>
>;

/**
 * Creates a metric and registers it.
 *
 * The same definition under the same name gives the metric that is there already: a module may be loaded twice.
 *
 * @param name - `[a-zA-Z_:][a-zA-Z0-9_:]*`, or any text with `utf8Names`
 * @param help - what the metric counts, for people
 * @throws `METHEUS_CONFLICTING_METRIC` when the name is taken by another definition;
 * `METHEUS_INVALID_METRIC_NAME`, `METHEUS_INVALID_HELP`, `METHEUS_INVALID_LABEL_NAME`,
 * `METHEUS_RESERVED_LABEL_NAME`, `METHEUS_DUPLICATE_LABEL_NAME`, `METHEUS_INVALID_OPTIONS`,
 * `METHEUS_INVALID_BUCKETS`
 */
export type Create<Operations extends object, Extra = unknown> = <
  const Names extends readonly string[] = readonly [],
  // biome-ignore lint/complexity/noBannedTypes: the type of no defaults at all
  const Defaults extends Given<Names[number]> = {},
>(
  name: string,
  help: string,
  options?: MetricOptions<Names, Defaults> & Extra,
) => Created<Operations, Names, Defaults>;

/** A class whose `new` is {@link Create}. */
export interface MetricClass<Operations extends object, Extra = unknown> {
  new <
    const Names extends readonly string[] = readonly [],
    // biome-ignore lint/complexity/noBannedTypes: the type of no defaults at all
    const Defaults extends Given<Names[number]> = {},
  >(
    name: string,
    help: string,
    options?: MetricOptions<Names, Defaults> & Extra,
  ): Created<Operations, Names, Defaults>;
}
