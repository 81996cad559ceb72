/** What is left when each of several things has been given one of the places that are allowed to it. */
export interface Unmatched {
  /** Things for which no place was left, by their number. */
  readonly things: readonly number[];
  /** Places that nothing could be given to. */
  readonly places: readonly string[];
}

/**
 * Gives every thing one of the places that it may have, as many as can be (augmenting paths).
 * @param allowed for each thing, the places that it may have.
 * @param places those that there are; a place that is there twice takes two things.
 */
export function match(allowed: readonly (readonly string[])[], places: readonly string[]): Unmatched {
  const room = new Map<string, number>();
  for (const place of places) room.set(place, (room.get(place) ?? 0) + 1);
  const holders = new Map<string, number[]>([...room.keys()].map((place) => [place, []]));

  const give = (thing: number, tried: Set<string>): boolean => {
    for (const place of allowed[thing] ?? []) {
      const held = holders.get(place);
      if (held === undefined || tried.has(place)) continue;
      tried.add(place);
      if (held.length < (room.get(place) ?? 0)) {
        held.push(thing);
        return true;
      }
      const movable = held.findIndex((holder) => give(holder, tried));
      if (movable === -1) continue;
      held[movable] = thing;
      return true;
    }
    return false;
  };

  const things = allowed.map((_, thing) => thing).filter((thing) => !give(thing, new Set()));
  const left = [...room].flatMap(([place, count]) =>
    Array.from({ length: count - (holders.get(place)?.length ?? 0) }, () => place),
  );
  return { things, places: left };
}
