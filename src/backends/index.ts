/** `metheus/backends`: the contract of backends, and the tools to build one with. */
export { familyKey } from '../model/family.js';
export { LabelColumn, type LabelRows, rowText } from '../model/label-column.js';
export { labelText } from '../model/labels.js';
export type { MergeMode, MergeRule } from '../model/metric-types.js';
export type {
  Backend,
  BackendChoice,
  BackendClass,
  BackendConfig,
  BackendHost,
  CellRequest,
  Cells,
  LabelPattern,
  SnapshotRequest,
  Writer,
} from './backend.js';
export { type CellExemplars, ExemplarTable } from './exemplar-table.js';
export { KeyValueBackend } from './key-value.js';
export { type BegunMerge, finishAll, Merger, type MergeSource } from './merge.js';
