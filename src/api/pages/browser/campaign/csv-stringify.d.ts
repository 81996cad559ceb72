/** As much of the package as is used here: its own types want those of Node. */
export function stringify(
  records: readonly (readonly unknown[])[],
  options?: { readonly quoted_match?: string },
): string;
