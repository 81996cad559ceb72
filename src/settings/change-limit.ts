/** How many answers a publish may change: a number of them, or a share of the previous answers, from 0 to 1. */
export type ChangeLimit = { readonly answers: number } | { readonly share: number };

/** Reads `5`, or `10%` of the previous answers; undefined if the text is neither. */
export function readChangeLimit(text: string): ChangeLimit | undefined {
  const [, digits = "", percent] = /^(\d{1,9}(?:\.\d{1,3})?)(%)?$/.exec(text) ?? [];
  const number = Number(digits);
  if (digits === "") return undefined;
  if (percent !== undefined) return number <= 100 ? { share: number / 100 } : undefined;
  return Number.isInteger(number) ? { answers: number } : undefined;
}
