/** Turns of the event loop during some work. */

/** Counts the turns of the event loop during `work`. */
export async function turnsDuring(work: () => Promise<unknown>): Promise<number> {
  let turns = 0;
  let counting = setImmediate(function count() {
    turns += 1;
    counting = setImmediate(count);
  });
  await work();
  clearImmediate(counting);
  return turns;
}
