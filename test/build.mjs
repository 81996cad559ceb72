import { execFileSync } from "node:child_process";
import path from "node:path";
import { copyShippedSql } from "./shipped-sql.mjs";

/**
 * Tests of the commands run what is built, once and before all of them: it must not change under them. They run what ships, except for
 * a process that a test stops at a failpoint: that one runs the bundle in dist-test/.
 */
export default function build() {
  for (const args of [[], ["--failpoints"]])
    execFileSync(process.execPath, ["build.mjs", ...args], { stdio: ["ignore", "inherit", "inherit"] });
  const project = path.dirname(import.meta.dirname);
  copyShippedSql(path.join(project, "sql"), path.join(project, "dist-test/sql"));
}
