/** Metrics that also count in native buckets: native histograms, and summaries with quantiles. */
import type { Exemplar, FamilyDescriptor } from '../../model/family.js';
import { HistogramMetric } from '../histogram.js';
import type { Values } from '../label-tree.js';
import type { Metric, MetricConstructor } from '../metric.js';
import type { Child, MetricFamily } from '../metric-family.js';
import { SummaryMetric } from '../summary.js';
import { type NativeOwner, NativeSeries } from './series.js';

type Observing = Metric & NativeOwner & Child & { get(): object };

/** Returns a subclass that also counts every observation in the native buckets of the series. */
function withNativeBuckets(
  Class: new (family: MetricFamily<Metric>, given: Values) => Observing,
): MetricConstructor {
  return class extends Class {
    #native!: NativeSeries;

    /** The hidden family of the blocks: see `MetricSource`. */
    get blocks(): FamilyDescriptor {
      return this.family.native!.rule.blockFamily;
    }

    override observe(value: number, exemplar = this.family.settings.exemplars?.()): void {
      super.observe(value, exemplar);
      this.#native.observe(value);
    }

    override keepExemplar(cell: number, value: number, given: unknown): Exemplar {
      const exemplar = super.keepExemplar(cell, value, given);
      this.#native.keepExemplar(exemplar);
      return exemplar;
    }

    override get(): object {
      return { ...super.get(), ...this.#native.read() };
    }

    override startSeries(labels: readonly string[]): void {
      this.#native = new NativeSeries(this.family.native!, labels, this);
    }

    override joinSeries(other: this): void {
      this.#native = other.#native;
    }

    override endSeries(): void {
      this.#native.end();
    }
  };
}

export const NativeHistogramMetric = withNativeBuckets(HistogramMetric);
export const QuantileSummaryMetric = withNativeBuckets(SummaryMetric);
