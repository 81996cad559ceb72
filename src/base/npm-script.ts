/** The script of package.json that npm has started this process for; undefined if npm has not. */
export function npmScript(): string | undefined {
  return process.env["npm_lifecycle_event"];
}
