/**
 * All that native histograms and summaries with quantiles need: what `import 'metheus/native'` loads. It is loaded by
 * itself with the first of them, but in bundles and before Node.js 20.19 and 22.12.
 *
 * @packageDocumentation
 */
import { provideNative } from './loader.js';
import { makerOf } from './metric.js';
import { checkQuantiles, histogramRule, summaryRule } from './options.js';

provideNative({ checkQuantiles, histogramRule, summaryRule, makerOf });
