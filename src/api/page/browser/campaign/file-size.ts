const UNITS = ["byte", "kilobyte", "megabyte", "gigabyte"] as const;

/** The size of a file in words: `3 bytes`, `1.4 MB`. */
export function fileSize(bytes: number): string {
  const step = Math.min(UNITS.length - 1, Math.floor(Math.log10(Math.max(1, bytes)) / 3));
  const unit = UNITS[step] ?? "byte";
  const format = new Intl.NumberFormat("en", {
    style: "unit",
    unit,
    unitDisplay: unit === "byte" ? "long" : "short",
    maximumFractionDigits: 1,
  });
  return format.format(bytes / 1_000 ** step);
}
