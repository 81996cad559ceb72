import os from "node:os";

/** The script of package.json that npm has started this process for; undefined if npm has not. */
export function npmScript(): string | undefined {
  return process.env["npm_lifecycle_event"];
}

/** Who does what this process does: user, host and process id, for records. */
export function startedBy(): string {
  return `${userName()}@${os.hostname()} process ${process.pid}`;
}

/** In a container the user may have a number and no name. */
function userName(): string {
  try {
    return os.userInfo().username;
  } catch {
    return `user ${process.getuid?.() ?? "unknown"}`;
  }
}
