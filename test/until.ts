/** Looks again and again until something is so, and fails when it is not within some seconds. */
export async function until(isSo: () => boolean | Promise<boolean>, seconds = 10): Promise<void> {
  for (const end = Date.now() + seconds * 1_000; !(await isSo());) {
    if (Date.now() > end) throw new Error(`it did not come to this: ${isSo.toString()}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
