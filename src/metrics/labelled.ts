/**
 * Labels in the type system: which may still be given, and which are still missing.
 *
 * A metric whose labels are complete has the operations of its kind. A metric that misses a label has none of them, so
 * that a forgotten label does not compile.
 */
import type { Backend } from '../backends/backend.js';
import type { Registerer } from '../model/collector.js';
import type { FamilyDescriptor } from '../model/family.js';
import type { LabelValue } from '../model/labels.js';

/** Values for some of the labels that are still open. */
export type Given<Open extends string> = { readonly [Name in Open]?: LabelValue };

/** The labels for which `G` has a value: not those that may be `undefined`, or whose names the compiler does not know. */
export type Named<G> = string extends keyof G
  ? never
  : { [Name in keyof G]-?: undefined extends G[Name] ? never : Name }[keyof G];

/** Refuses names that are not open. TypeScript alone does not check an object literal whose type is inferred. */
export type OnlyOpen<G, Open extends string> = string extends Open
  ? unknown
  : { readonly [Name in keyof G]: Name extends Open ? unknown : never };

/** The labels that may still be given after `G`. */
export type StillOpen<Open extends string, G> = string extends Open ? string : Exclude<Open, Named<G>>;

/** The labels that are still missing after `G`. Names only known as `string` are checked at run time only. */
export type StillMissing<Missing extends string, G> = string extends Missing
  ? never
  : Exclude<Missing, Named<G>>;

declare const LABELS: unique symbol;

/** The members of every metric, except `labels`. */
export interface Described<Open extends string, Missing extends string> {
  /** Exists only in the type. Without it, metrics with different labels would be assignable to each other. */
  readonly [LABELS]?: { readonly open: (name: Open) => void; readonly missing: Missing };
  readonly name: string;
  readonly help: string;
  readonly descriptor: FamilyDescriptor;
  /** The whole definition as text, by which a registry compares metrics. */
  readonly definition: string;
  /** The backend that holds the numbers at this moment. */
  readonly backend: Backend;

  /**
   * Removes every series that has these label values, and returns their number. Objects that `labels` returned for them
   * no longer count: get new ones.
   *
   * @throws `METHEUS_UNKNOWN_LABEL`, `METHEUS_LABELS_NOT_ALLOWED`, `METHEUS_INVALID_LABEL_VALUE`,
   * `METHEUS_LABEL_ALREADY_GIVEN`
   */
  remove(labels?: Given<Open>): number;

  /** Removes every series. A metric that is observable without further labels starts again at 0. */
  clear(): void;
}

/** The members of every metric, observable or not. */
export interface Labelled<Operations extends object, Open extends string, Missing extends string>
  extends Described<Open, Missing> {
  /**
   * Gives values to some or all labels, in any order. The same labels return the same object, so a result can be kept:
   * a partial metric to complete later, or a complete one to count without a lookup.
   *
   * @throws `METHEUS_UNKNOWN_LABEL`, `METHEUS_LABELS_NOT_ALLOWED`, `METHEUS_INVALID_LABEL_VALUE`,
   * `METHEUS_LABEL_ALREADY_GIVEN`
   */
  labels<const G extends Given<Open>>(
    given: object & G & OnlyOpen<G, Open>,
  ): WithLabels<Operations, StillOpen<Open, G>, StillMissing<Missing, G>>;
}

/** A metric whose labels `Open` may still be given, and whose labels `Missing` must be given. */
export type WithLabels<Operations extends object, Open extends string, Missing extends string> = Labelled<
  Operations,
  Open,
  Missing
> &
  ([Missing] extends [never] ? Operations : unknown);

/** Options of every metric. */
export interface LabelOptions<Names extends readonly string[], Defaults> {
  /** The labels of the metric. Each needs a value before anything can be counted. */
  readonly requiredLabels?: Names;
  /** Values for labels that are not given. */
  readonly defaultLabels?: Defaults & OnlyOpen<Defaults, Names[number]>;
  /** The registry of the metric; `null` for none. @defaultValue the default registry */
  readonly registry?: Registerer | null;
  /**
   * Whether the metric and its labels may have any characters in their names, such as `http.requests`. Prometheus
   * stores such names from version 3 on; for other readers they are escaped. @defaultValue `false`
   */
  readonly utf8Names?: boolean;
  /**
   * Whether a label value that is `undefined` or `null` throws `METHEUS_INVALID_LABEL_VALUE`. By default it counts as the
   * default of the label, else as `''`, and the first one emits a warning. @defaultValue `false`
   */
  readonly strict?: boolean;
}

/** Options of every metric whose value is a number. */
export interface MetricOptions<Names extends readonly string[], Defaults>
  extends LabelOptions<Names, Defaults> {
  /** A base unit, such as `seconds` or `bytes`. The name must end with it, before `_total`. */
  readonly unit?: string;
  /**
   * The maximum number of series. Further label sets count in one additional series whose labels are all
   * `__overflow__`, and in `metheus_series_dropped_total{family}`. @defaultValue no limit
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
