/** Customers that something is the same of. */
export interface Gathered<Key> {
  readonly key: Key;
  readonly customers: number;
  readonly total_amount: number;
}

type Summed = Pick<Gathered<unknown>, "customers" | "total_amount">;

/** Sums up what has the same key, in the order in which the keys are met. */
export function gathered<Group extends Summed, Key>(
  groups: readonly Group[],
  keyOf: (group: Group) => Key,
): Gathered<Key>[] {
  const sums = new Map<Key, Gathered<Key>>();
  for (const group of groups) {
    const key = keyOf(group);
    const { customers, total_amount } = sums.get(key) ?? { customers: 0, total_amount: 0 };
    sums.set(key, {
      key,
      customers: customers + group.customers,
      total_amount: total_amount + group.total_amount,
    });
  }
  return [...sums.values()];
}
