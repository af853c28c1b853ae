/** Cases that are the points of a curve. */
import type { Case, Curve, Size, Subject } from '../case.js';
import type { PromClient } from '../peers.js';

export interface Points {
  readonly curve: Curve;
  readonly at: readonly number[];
  /** The points that `--quick` measures, without peers. */
  readonly quickly: readonly number[];
  ours(x: number, size: Size): Subject | Promise<Subject>;
  theirs?(client: PromClient, x: number, size: Size): Subject | Promise<Subject>;
  readonly maxWithPeers?: number;
}

export function pointsOf(points: Points): Case[] {
  const { curve, at, quickly, ours, theirs, maxWithPeers = Number.POSITIVE_INFINITY } = points;
  return at.map((x) => ({
    group: 'growth',
    name: `${curve.name}: ${x.toLocaleString('en')} ${curve.x}`,
    unit: curve.unit,
    slow: true,
    point: { curve, x },
    ours: (size) => ours(x, size),
    ...(quickly.includes(x) ? {} : { quick: false as const }),
    ...(theirs !== undefined && x <= maxWithPeers
      ? { theirs: (client, size) => theirs(client, x, size) }
      : {}),
  }));
}
