/** The least work that an implementation has to do on this machine. No client can be faster. */
import { type Case, expectEqual, perRound, type Size, type Subject } from '../case.js';
import { labelSets } from '../workload/label-sets.js';

export const DEPENDENT_ADD = 'typed-array add, always the same cell';
export const INDEPENDENT_ADD = 'typed-array add, 16 cells in turn';
export const NESTED_MAPS = 'three nested map look-ups and an add';

function adding(loop: (cells: Float64Array, rounds: number) => void, size: Size): Subject {
  const cells = new Float64Array(16);
  return {
    check() {
      loop(cells, 1000);
      expectEqual(
        'adds',
        cells.reduce((sum, cell) => sum + cell),
        1000,
      );
    },
    run: perRound((rounds) => loop(cells, rounds), size),
  };
}

/**
 * Adds to one cell, so that each add waits until the previous one has been stored and loaded again. See
 * docs/v8.md: adding by subtracting.
 */
function addToOne(cells: Float64Array, rounds: number): void {
  for (let i = 0; i < rounds; i++) cells[3]! -= -1;
}

function addToMany(cells: Float64Array, rounds: number): void {
  for (let i = 0; i < rounds; i++) cells[i & 15]! -= -1;
}

/** Looks series up in a tree of maps, as a client may keep them, and does nothing else. */
function nestedMaps(size: Size): Subject {
  const sets = labelSets();
  const cells = new Float64Array(sets.length);
  const tree = new Map<string, Map<string, Map<string, number>>>();
  for (const [cell, { method, route, status }] of sets.entries()) {
    const routes = tree.get(method) ?? new Map<string, Map<string, number>>();
    const statuses = routes.get(route) ?? new Map<string, number>();
    tree.set(method, routes.set(route, statuses.set(status, cell)));
  }
  const loop = (rounds: number) => {
    for (let i = 0; i < rounds; i++) {
      const { method, route, status } = sets[i % sets.length]!;
      cells[tree.get(method)!.get(route)!.get(status)!]! += 1;
    }
  };
  return {
    check() {
      loop(sets.length * 2);
      if (cells.some((cell) => cell !== 2)) throw new Error('A cell was not found twice');
    },
    run: perRound(loop, size),
  };
}

export const CASES: readonly Case[] = [
  { group: 'limits', name: DEPENDENT_ADD, unit: 'ns', limit: (size) => adding(addToOne, size) },
  { group: 'limits', name: INDEPENDENT_ADD, unit: 'ns', limit: (size) => adding(addToMany, size) },
  { group: 'limits', name: NESTED_MAPS, unit: 'ns', limit: nestedMaps },
];
