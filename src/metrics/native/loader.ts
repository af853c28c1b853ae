/**
 * Native histograms and quantiles are loaded when the first metric asks for them, so that nobody else has to. Creating
 * a metric waits for nothing, and neither can this: ES modules are taken by `require`, where Node can. In older
 * versions, and in bundles, `import 'metheus/native'` brings them beforehand.
 */
import { createRequire } from 'node:module';
import { MetheusError } from '../../errors.js';
import type { FamilyDescriptor } from '../../model/family.js';
import type { Values } from '../label-tree.js';
import type { Metric } from '../metric.js';
import type { MetricFamily } from '../metric-family.js';
import type { NativeRule } from './rule.js';

/** Makes the metrics of one family. */
export type MetricMaker = (family: MetricFamily<Metric>, given: Values) => Metric;
export type MetricConstructor = new (family: MetricFamily<Metric>, given: Values) => Metric;

/** What is loaded. The checks throw `METHEUS_INVALID_OPTIONS`. */
export interface NativeModule {
  checkQuantiles(metric: string, quantiles: unknown): number[];
  histogramRule(family: FamilyDescriptor, native: unknown): NativeRule;
  summaryRule(family: FamilyDescriptor, options: object): NativeRule;
  /** For metrics of a class that count by the rule too. */
  makerOf(Class: MetricConstructor, rule: NativeRule): MetricMaker;
}

let loaded: NativeModule | undefined;

/** Called by the module itself, whoever loads it. */
export function provideNative(module: NativeModule): void {
  loaded = module;
}

/** @throws `METHEUS_DEPENDENCY_MISSING` where it has to be imported beforehand */
export function nativeModule(): NativeModule {
  try {
    if (loaded === undefined) createRequire(import.meta.url)('./native.js');
    return loaded!;
  } catch (cause) {
    throw new MetheusError('METHEUS_DEPENDENCY_MISSING', {
      given: `native buckets or quantiles in a bundle, or on Node.js ${process.versions.node}`,
      expected: 'them to be there already',
      todo: "Write `import 'metheus/native'` where the program begins",
      cause,
    });
  }
}
