/** A metric that counts what it observes in native buckets too: a native histogram, or a summary with quantiles. */
import type { FamilyDescriptor } from '../../model/family.js';
import type { Values } from '../label-tree.js';
import type { Metric } from '../metric.js';
import type { MetricFamily } from '../metric-family.js';
import type { NativeRule, Observer } from './rule.js';
import { NativeFamily, NativeSeries } from './series.js';

/** Makes the metrics of one family. */
export type MetricMaker = (family: MetricFamily<Metric>, given: Values) => Metric;
export type MetricConstructor = new (family: MetricFamily<Metric>, given: Values) => Metric;

type Observing = Metric & Observer & { get(): object };
type Maker<M> = new (family: MetricFamily<Metric>, given: Values) => M;
type NativeMaker = new (family: MetricFamily<Metric>, given: Values, native: NativeFamily) => Metric;

/** Of each class, the one with native buckets. */
const classes = new Map<MetricConstructor, NativeMaker>();

export function makerOf(Class: MetricConstructor, rule: NativeRule): MetricMaker {
  const Native = classes.get(Class) ?? withNative(Class as Maker<Observing>);
  classes.set(Class, Native);
  const native = new NativeFamily(rule);
  return (family, given) => new Native(family, given, native);
}

/** The class of such metrics: an observation goes where it did, and into native buckets. */
function withNative(Class: Maker<Observing>): NativeMaker {
  return class extends Class {
    readonly #nativeFamily: NativeFamily;
    #native!: NativeSeries;

    constructor(family: MetricFamily<Metric>, given: Values, native: NativeFamily) {
      super(family, given);
      this.#nativeFamily = native;
    }

    /** For the registry: see `MetricSource`. */
    get parts(): FamilyDescriptor {
      return this.#nativeFamily.rule.parts;
    }

    override observe(value: number, exemplar = this.family.settings.exemplars?.()): void {
      super.observe(value, exemplar);
      this.#native.observe(value);
    }

    override get(): object {
      return { ...super.get(), ...this.#native.read() };
    }

    override begin(labels: readonly string[]): void {
      this.#native = new NativeSeries(this.#nativeFamily, labels, this);
    }

    override share(other: this): void {
      this.#native = other.#native;
    }

    override end(): void {
      this.#native.end();
    }
  };
}
