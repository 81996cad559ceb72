/** Data goes to standard output. */
export function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** What goes wrong, and all else that is no data, goes to standard error. */
export function printError(text: string): void {
  process.stderr.write(`${text}\n`);
}
