/** Things of one kind that are treated at the same time: files that are read, calls that are under way to a service. */
const AT_ONCE = 8;

/** Waits until all work has ended, well or not, and gives what came of it, or the first failure in the order of the work. */
export async function allEnded<Work extends readonly Promise<unknown>[] | []>(
  work: Work,
): Promise<{ -readonly [Index in keyof Work]: Awaited<Work[Index]> }> {
  await Promise.allSettled(work);
  return Promise.all(work);
}

/**
 * Treats each of many alike, a few at a time, and gives what came of them in their order. After a failure no other is
 * begun, and it is told when those under way have ended.
 * @param atOnce how many are under way at the same time at the most.
 */
export async function sideBySide<Item, Result>(
  items: readonly Item[],
  treat: (item: Item) => Promise<Result>,
  atOnce = AT_ONCE,
): Promise<Result[]> {
  const results: Result[] = [];
  const waiting = [...items.entries()];
  const work = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const [index, item] = next;
      try {
        results[index] = await treat(item);
      } catch (error) {
        waiting.length = 0;
        throw error;
      }
    }
  };
  await allEnded(Array.from({ length: atOnce }, work));
  return results;
}
