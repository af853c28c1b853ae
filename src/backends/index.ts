/** `metheus/backends`: what a backend of one's own is built with, besides the types that `metheus` gives. */
export { type BegunMerge, finishAll, Merger, type MergeSource } from './merge.js';
