import { describe, expect, it } from "@jest/globals";
import { nearestCountries } from "../../src/voucher/nearest-countries.js";
import { answersOf, cellOf } from "./made-answers.js";

const kind = "frequent_segment" as const;

function publicationOf(...countries: readonly string[]) {
  return answersOf(
    countries.map((countryCode) => ({ kind, countryCode, segment: "0-4", cell: cellOf(2640) })),
  );
}

describe("the countries nearest to a name", () => {
  const known = publicationOf(
    "Peru",
    "Chile",
    "China",
    "Australia",
    "Austria",
    "Latvia",
    "Türkiye",
    "PE",
    "PL",
  );

  it.each([
    ["peru", ["Peru"]],
    ["PERÚ", ["Peru"]],
    ["Per", ["PE", "Peru"]],
    ["Perru", ["Peru"]],
    ["Pxru", ["Peru"]],
    ["Chlie", ["Chile"]],
    ["Chine", ["Chile", "China"]],
    ["Turkiye", ["Türkiye"]],
    ["Ausrtalai", ["Australia"]],
    ["Austrla", ["Austria", "Australia"]],
    ["pe", ["PE"]],
  ])("%j are %j", (name, nearest) => {
    expect(nearestCountries(known, name)).toEqual(nearest);
  });

  it.each(["Atlantis", "", "PX", "Xx", "Prue y", "P".repeat(65), "🦙🦙🦙"])("of %j are none", (name) => {
    expect(nearestCountries(known, name)).toEqual([]);
  });

  it("are three at most, the nearest first, then by code points", () => {
    const many = publicationOf("Aland", "Bland", "Cland", "Dland", "Eland!");
    expect(nearestCountries(many, "xland")).toEqual(["Aland", "Bland", "Cland"]);
  });

  it("are found quickly among 50,000, even for names that are slow to compare", () => {
    const many = publicationOf(
      ...Array.from({ length: 50_000 }, (_, index) => `Country ${index.toString()}`),
    );
    nearestCountries(many, "Country");
    const begun = process.cpuUsage();
    for (let name = 0; name < 20; name += 1)
      nearestCountries(many, `Country ${name.toString()}x${name.toString()}`);
    const { user, system } = process.cpuUsage(begun);
    expect((user + system) / 1_000 / 20).toBeLessThan(100);
  });
});
