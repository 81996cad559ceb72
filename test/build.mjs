import { execFileSync } from "node:child_process";

/**
 * Tests of the commands run what is built, once and before all of them: it must not change under them. They run what ships, except for
 * a process that a test stops at a failpoint: that one runs the bundle in dist-test/.
 */
export default function build() {
  for (const args of [[], ["--failpoints"]])
    execFileSync(process.execPath, ["build.mjs", ...args], { stdio: ["ignore", "inherit", "inherit"] });
}
