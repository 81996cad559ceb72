// The api of this project as a user has it: the pipeline publishes the committed sample, and the built api serves it.
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import path from "node:path";
import { startServer } from "./server-process.mjs";

const project = path.resolve(import.meta.dirname, "../..");
/** What `npm run api` gives to Node: its options, and the program. */
const API = JSON.parse(readFileSync(path.join(project, "package.json"), "utf8"))
  .scripts.api.replace("exec sh start.sh ", "")
  .split(" ");

/** Publishes the sample as of 29 May 2020, with all zones but the raw one in a folder of their own. */
export function publishSample(folder, consumptionUrl) {
  const main = path.join(project, "dist/cli/main.js");
  const { status, stderr } = spawnSync(process.execPath, [main, "--execution-date", "2020-05-29T00:00:00"], {
    // Away from the project, whose .env must not matter here.
    cwd: folder,
    encoding: "utf8",
    env: {
      ...process.env,
      RAW_ZONE: path.join(project, "data/raw"),
      CURATED_ZONE: path.join(folder, "curated"),
      PROVISION_ZONE: path.join(folder, "provision"),
      RUN_REPORTS: path.join(folder, "runs"),
      CONSUMPTION_URL: consumptionUrl,
    },
  });
  if (status !== 0) throw new Error(`the pipeline ended with ${status}: ${stderr}`);
}

/** Starts the built api over what is published. */
export function startApi(folder, logFile, consumptionUrl) {
  return startServer(process.execPath, [...API.slice(0, -1), path.join(project, API.at(-1))], {
    cwd: folder,
    environment: { CONSUMPTION_URL: consumptionUrl },
    logFile,
  });
}
