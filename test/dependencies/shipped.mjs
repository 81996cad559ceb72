// Which packages of a package-lock.json of version 3 reach a user: all but those for development. The optional peers of the project are
// development packages to npm, but a user of a Spark installs them, and the image has them.

/** The places of the packages, such as `node_modules/a/node_modules/b`. */
export function shippedPlaces(packages) {
  const dependencies = Object.entries(packages).filter(([place, { dev }]) => place !== "" && dev !== true);
  const shipped = new Set(dependencies.map(([place]) => place));
  const peers = Object.keys(packages[""]?.peerDependencies ?? {});
  const toVisit = peers.flatMap((name) => placeOf(packages, "", name) ?? []);
  for (const place of toVisit) {
    if (shipped.has(place)) continue;
    shipped.add(place);
    const names = Object.keys({ ...packages[place].dependencies, ...packages[place].optionalDependencies });
    toVisit.push(...names.flatMap((name) => placeOf(packages, place, name) ?? []));
  }
  return shipped;
}

/** The place in which a package finds another one: below itself, or below a package around it. */
function placeOf(packages, from, name) {
  for (let place = from; ; place = place.slice(0, Math.max(0, place.lastIndexOf("/node_modules/")))) {
    const found = `${place === "" ? "" : `${place}/`}node_modules/${name}`;
    if (found in packages) return found;
    if (place === "") return undefined;
  }
}
