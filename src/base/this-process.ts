import os from "node:os";

/** The script of package.json that started this process (`npx` for npx); undefined if it was not npm. */
export function npmScript(): string | undefined {
  return process.env["npm_lifecycle_event"];
}

/** Whether npm took an option for itself instead of passing it to this process, because `--` was missing. */
export function takenByNpm(option: string): boolean {
  return process.env[`npm_config_${option.replaceAll("-", "_")}`] !== undefined;
}

/** User, host and process id of this process, for records. */
export function startedBy(): string {
  return `${userName()}@${os.hostname()} process ${process.pid}`;
}

/** In a container the user may have a number but no name. */
function userName(): string {
  try {
    return os.userInfo().username;
  } catch {
    return `user ${process.getuid?.() ?? "unknown"}`;
  }
}
