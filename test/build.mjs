import { execFileSync } from "node:child_process";

/** Tests of the commands run what is built, once and before all of them: it must not change under them. */
export default function build() {
  execFileSync("npm", ["run", "--silent", "build"], { stdio: ["ignore", "inherit", "inherit"] });
}
