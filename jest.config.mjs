import { existsSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { findChromium } from "./test/browser/chromium.mjs";

const compiled = ({ tsx }) => ({
  jsc: {
    target: "es2022",
    parser: { syntax: "typescript", tsx },
    transform: { react: { runtime: "automatic", importSource: "preact" } },
  },
  module: { type: "es6" },
});

const common = {
  testEnvironment: "node",
  extensionsToTreatAsEsm: [".ts", ".tsx"],
  moduleNameMapper: {
    "^(\\.{1,2}/.*)\\.js$": "$1",
    "^uuid$": "<rootDir>/test/engine/spark/no-uuid.cjs",
    // test/build.mjs bundles them.
    "^(kysely|zod|zod/v4|zod/v4/core)$": "<rootDir>/dist-test/packages/$1.js",
    "^(@duckdb/node-api)$": "<rootDir>/dist-test/packages/$1.cjs",
  },
  transform: {
    "^.+\\.ts$": ["@swc/jest", compiled({ tsx: false })],
    "^.+\\.tsx$": ["@swc/jest", compiled({ tsx: true })],
  },
};

const endToEnd = "<rootDir>/test/end-to-end/**/*.test.ts";
const scaleout = "<rootDir>/test/scaleout/**/*.test.ts";
const crash = "<rootDir>/test/crash/**/*.test.ts";
/** To kill runs takes long, and MariaDB is MySQL to it. */
const crashPlaces = ["local+sqlite", "minio+mysql"];

/**
 * The contracts of the zones and of the databases are proved in test/zones, test/consumption and test/services. Of whole runs, S3 with
 * MySQL has those that read or write much of the two, and MariaDB, which is MySQL to all others, those about rows and transactions.
 */
const onS3AndMysql =
  "<rootDir>/test/end-to-end/!(amount-usage|audits|diff|drift|metrics|notify|traces).test.ts";
const onMariadb =
  "<rootDir>/test/end-to-end/{changed-table,custom-model,many-rows,readers,run,status,withdraw}.test.ts";
const endToEndIn = { "minio+mysql": onS3AndMysql, "local+mariadb": onMariadb };

/** Where the tests of whole runs are made, and the environment variables that name what they need there. */
const places = {
  "local+sqlite": [],
  "minio+mysql": ["TEST_S3_ENDPOINT", "TEST_MYSQL_URL"],
  "local+mariadb": ["TEST_MARIADB_URL"],
};

/** What the tests of some folders need, beside those. */
const folders = {
  browser: ["CHROMIUM"],
  // It installs the project again, and is about the words of a document.
  tutorial: ["TEST_TUTORIAL"],
  "hostile/corpus": ["CORPUS_PYTHON"],
  "hostile/corpus/spark": ["SPARK_PYTHON"],
  // It draws vouchers with numpy.
  "certainty/calibration": ["CORPUS_PYTHON"],
  "readers/tables": ["CORPUS_PYTHON", "SPARK_PYTHON"],
  "services/nginx": ["TEST_SERVICES_DIRECTORY"],
  "services/s3": ["TEST_S3_ENDPOINT"],
  "services/s3-servers": ["TEST_SERVICES_DIRECTORY"],
  "services/mysql": ["TEST_MYSQL_URL", "TEST_MARIADB_URL"],
  "services/duckdb": ["TEST_DUCKDB_CLI"],
  "services/everywhere": ["TEST_S3_ENDPOINT", "TEST_MYSQL_URL", "TEST_MARIADB_URL"],
  "services/restarts": ["TEST_SERVICES_DIRECTORY"],
  "services/outages": ["TEST_SERVICES_DIRECTORY"],
};

process.env.CHROMIUM = findChromium() ?? "";

/** The commands of an environment that test/python-packages.sh has made; empty if it has not. */
const pythonOf = (name) => {
  const cache = process.env.XDG_CACHE_HOME || path.join(os.homedir(), ".cache");
  const environment = path.join(cache, "voucher-pipeline/python", name);
  return existsSync(path.join(environment, "installed.txt")) ? path.join(environment, "bin") : "";
};

process.env.CORPUS_PYTHON ??= pythonOf("corpus");
process.env.SPARK_PYTHON ??= pythonOf("bench");

const missingFor = (variables) => variables.filter((variable) => !process.env[variable]);
const isThere = ([, variables]) => missingFor(variables).length === 0;

for (const [name, variables] of [...Object.entries(places), ...Object.entries(folders)]) {
  const missing = missingFor(variables);
  if (missing.length === 0) continue;
  if (process.env.TEST_EVERYTHING !== undefined)
    throw new Error(`the tests with ${name} want ${missing.join(", ")}`);
  process.stderr.write(
    `SKIPPED: the tests with ${name}, for want of ${missing.join(", ")}; see docs/testing.md\n`,
  );
}

/** @type {import("jest").Config} */
export default {
  // Most take seconds; beside other work, on a machine of two cores, some take a minute.
  testTimeout: 120_000,
  // Many tests wait for processes that they have started: two cores are busy with three files at a time, and not with two.
  maxWorkers: 3,
  // A worker keeps in memory what every file has loaded, and is soon busy with little but collecting it.
  workerIdleMemoryLimit: "500MB",
  reporters: ["default"],
  globalSetup: "<rootDir>/test/before-all.mjs",
  globalTeardown: "<rootDir>/test/after-all.mjs",
  testSequencer: "<rootDir>/test/sequencer.mjs",
  projects: [
    {
      ...common,
      displayName: "unit",
      testMatch: ["<rootDir>/test/**/*.test.{ts,tsx}"],
      testPathIgnorePatterns: [
        "/node_modules/",
        "/test/end-to-end/",
        "/test/crash/",
        "/test/scaleout/",
        ...Object.entries(folders)
          .filter((folder) => !isThere(folder))
          .map(([name]) => `/test/${name}/`),
      ],
    },
    ...Object.entries(places)
      .filter(isThere)
      .map(([place]) => ({
        ...common,
        displayName: place,
        testMatch: [endToEndIn[place] ?? endToEnd, ...(crashPlaces.includes(place) ? [crash] : [])],
        globals: { TEST_PLACE: place },
      })),
    // On a cluster, and so apart from all others: npm run test:scaleout.
    ...(process.env.TEST_SPARK_URL === undefined
      ? []
      : [
          {
            ...common,
            displayName: "scaleout",
            testMatch: [scaleout],
            globals: { TEST_PLACE: "minio+mysql" },
          },
        ]),
  ],
};
