/*
 * Calls into native code on threads of their own. The end of the process waits for them, and some cannot be interrupted, such as a
 * read of DuckDB from a silent server.
 */
let underWay = 0;

/** Counts a native call until it ends. */
export async function nativeCall<Result>(call: () => Promise<Result>): Promise<Result> {
  underWay += 1;
  try {
    return await call();
  } finally {
    underWay -= 1;
  }
}

export function hasNativeCalls(): boolean {
  return underWay > 0;
}
