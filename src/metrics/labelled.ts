/**
 * Labels in the type system: which may still be given, and which are still missing.
 *
 * A metric whose labels are complete has the operations of its kind. A metric that misses a label has none of them, so
 * that a forgotten label does not compile. Compiler errors show the names of types, so some types have a parameter only
 * to show the name of a label. Each union of names is computed once for each call, since a program may have hundreds of
 * metrics.
 */
import type { Backend } from '../backends/backend.js';
import type { Registerer } from '../model/collector.js';
import type { FamilyDescriptor } from '../model/family.js';
import type { LabelValue } from '../model/labels.js';

/** Values for some of the labels that are still open. */
export type Given<Open extends string> = { readonly [Name in Open]?: LabelValueOf<Name> };

/** The values of the label `_Name`. */
export type LabelValueOf<_Name> = string | number | boolean;

declare const NAME: unique symbol;

/** A type without values, for a label that the metric does not have or that already has a value. */
export interface NotAnOpenLabel<Name> {
  readonly [NAME]: Name;
}

/** The constraint on given labels: each must be open and have a value. */
export type LabelsOf<G, Open> = {
  readonly [Name in keyof G]: Name extends Open ? LabelValueOf<Name> : NotAnOpenLabel<Name>;
};

/** The labels that `G` names, without optional properties. */
export type Named<G> = undefined extends G[keyof G]
  ? string extends keyof G
    ? string
    : { [Name in keyof G]-?: object extends Pick<G, Name> ? never : Name }[keyof G]
  : keyof G;

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

/**
 * The members of every metric, observable or not. The labels that may still be given are the missing ones and the
 * optional ones, which have a default.
 */
export interface Labelled<Operations extends object, Missing extends string, Optional extends string>
  extends Described<Missing | Optional, Missing> {
  /**
   * Gives values to some or all labels, in any order. The same labels return the same object, so a result can be kept:
   * a partial metric to complete later, or a complete one to count without a lookup.
   *
   * @throws `METHEUS_UNKNOWN_LABEL`, `METHEUS_LABELS_NOT_ALLOWED`, `METHEUS_INVALID_LABEL_VALUE`,
   * `METHEUS_LABEL_ALREADY_GIVEN`
   */
  labels<const G extends LabelsOf<G, Missing | Optional>>(
    given: G & object,
  ): After<Operations, Missing, Optional, Named<G>>;
}

/** A metric whose labels have names that the compiler does not know. They are checked at run time. */
export interface DynamicLabels<Operations extends object> extends Described<string, string> {
  /** See {@link Labelled.labels}. */
  labels(given: Readonly<Record<string, LabelValue>>): DynamicLabels<Operations> & Operations;
}

/** A metric after labels were given. */
export type After<Operations extends object, Missing extends string, Optional extends string, Names> = [
  Missing,
] extends [Names]
  ? Labelled<Operations, never, Exclude<Optional, Names>> & Operations
  : Labelled<Operations, Exclude<Missing, Names>, Exclude<Optional, Names>>;

/** A metric whose labels `Open` may still be given, and whose labels `Missing` must be given. */
export type WithLabels<
  Operations extends object,
  Open extends string,
  Missing extends string,
> = string extends Open
  ? DynamicLabels<Operations> & ([Missing] extends [never] ? Operations : unknown)
  : [Missing] extends [never]
    ? Labelled<Operations, never, Open> & Operations
    : Labelled<Operations, Missing, Exclude<Open, Missing>>;

/** A metric as it is created: every label is open, and those without a default are missing. */
export type Created<Operations extends object, Name extends string, Defaulted> = string extends Name
  ? DynamicLabels<Operations>
  : [Name] extends [Defaulted]
    ? Labelled<Operations, never, Name> & Operations
    : Labelled<Operations, Exclude<Name, Defaulted>, Name & Defaulted>;

/** Options of every metric. */
export interface LabelOptions<Name extends string, Defaults> {
  /** The labels of the metric. Each needs a value before anything can be counted. */
  readonly requiredLabels?: readonly Name[];
  /** Values for labels that are not given. */
  readonly defaultLabels?: Defaults;
  /** The registry of the metric; `null` for none. @defaultValue the default registry */
  readonly registry?: Registerer | null;
  /**
   * Whether the metric and its labels may have any characters in their names, such as `http.requests`. Prometheus
   * stores such names from version 3 on; for other readers they are escaped. @defaultValue `false`
   */
  readonly utf8Names?: boolean;
  /**
   * Whether a label value that is `undefined` or `null` throws `METHEUS_INVALID_LABEL_VALUE`. By default, such a value
   * is replaced by the default of the label, or by `''` if there is none, and the first replacement emits a warning.
   * @defaultValue `false`
   */
  readonly strict?: boolean;
}

/** Options of every metric whose value is a number. */
export interface MetricOptions<Name extends string, Defaults> extends LabelOptions<Name, Defaults> {
  /** A base unit, such as `seconds` or `bytes`. The name must end with it, before `_total`. */
  readonly unit?: string;
  /**
   * The maximum number of series. Further label sets count in one additional series whose labels are all
   * `__overflow__`, and in `metheus_series_dropped_total{family}`. @defaultValue no limit
   */
  readonly maxSeries?: number;
}
