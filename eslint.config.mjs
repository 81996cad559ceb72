import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import js from "@eslint/js";
import { importX } from "eslint-plugin-import-x";
import tseslint from "typescript-eslint";

/**
 * What each room of src/ may import beside base/, settings/ and sql-text/, which every room may. Data flows one way; the api knows only
 * what is published, recorded and documented.
 */
const rooms = {
  base: [],
  "sql-text": [],
  settings: [],
  voucher: [],
  zones: ["voucher"],
  models: ["voucher"],
  engine: [],
  consumption: ["voucher"],
  raw: ["engine", "models", "zones"],
  record: ["voucher", "models", "engine", "raw", "consumption"],
  run: ["voucher", "models", "engine", "zones", "raw", "consumption", "record"],
  introspect: ["voucher", "models", "engine", "zones", "raw", "consumption", "record", "run"],
  dictionary: ["voucher", "models"],
  api: ["voucher", "consumption", "dictionary", "record"],
  cli: ["voucher", "models", "record", "run", "introspect", "dictionary"],
};

/** The rooms at the ground: they know nothing of what the pipeline is for. */
const ground = { base: [], "sql-text": ["base"], settings: ["base"] };

const boundaries = Object.entries(rooms).map(([room, allowed]) => ({
  files: [`src/${room}/**/*.{ts,tsx}`],
  rules: {
    "no-restricted-imports": [
      "error",
      {
        patterns: Object.keys(rooms)
          .filter((other) => other !== room && !allowed.includes(other))
          .filter((other) => !(other in ground) || (room in ground && !ground[room].includes(other)))
          .map((other) => ({
            group: [`**/${other}/**`],
            message: `${room} must not know ${other}, see docs/architecture.md`,
          })),
      },
    ],
  },
}));

/**
 * What a rule that knows types may find in a file beside the file itself. It is a setting, and so part of what `--cache` goes by: a file
 * counts as linted only as long as nothing that it can import has changed. Nothing imports a test.
 */
function everythingImported() {
  const sources = ["src", "test", "bench"].flatMap((folder) =>
    readdirSync(path.join(import.meta.dirname, folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && /\.([cm]?[jt]sx?|json)$/.test(entry.name))
      .map((entry) => path.join(entry.parentPath, entry.name))
      .filter((file) => !/\.test\.tsx?$/.test(file)),
  );
  const others = ["package-lock.json", "package.json", "tsconfig.json", "eslint.config.mjs"];
  const hash = createHash("sha256");
  for (const file of [...sources.sort(), ...others.map((name) => path.join(import.meta.dirname, name))])
    hash.update(`${file}\0`).update(readFileSync(file)).update("\0");
  return hash.digest("hex");
}

export default tseslint.config(
  { ignores: ["dist", "dist-test", "node_modules", "coverage"] },
  { settings: { everythingImported: everythingImported() } },
  js.configs.recommended,
  {
    files: ["**/*.{ts,tsx}"],
    extends: [tseslint.configs.strictTypeChecked, tseslint.configs.stylisticTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      "@typescript-eslint/consistent-type-imports": ["error", { fixStyle: "inline-type-imports" }],
      "@typescript-eslint/explicit-module-boundary-types": "error",
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
      "@typescript-eslint/switch-exhaustiveness-check": [
        "error",
        { considerDefaultExhaustiveForUnions: true },
      ],
    },
  },
  {
    files: ["**/*.{ts,tsx}", "**/*.mjs"],
    plugins: { "import-x": importX },
    rules: {
      "no-console": "error",
      "import-x/no-duplicates": "error",
      "import-x/order": [
        "error",
        { alphabetize: { order: "asc", caseInsensitive: true }, "newlines-between": "never" },
      ],
      eqeqeq: ["error", "always", { null: "ignore" }],
    },
  },
  {
    files: ["**/*.mjs"],
    languageOptions: {
      globals: { process: "readonly", console: "readonly", performance: "readonly", URL: "readonly" },
    },
  },
  { files: ["src/api/docs/*.js"], languageOptions: { globals: { window: "readonly" } } },
  { files: ["bench/**/*.mjs"], rules: { "no-console": "off" } },
  ...boundaries,
  // Only the settings read the environment. What npm sets for its scripts and what arms a failpoint are no settings.
  {
    files: ["src/**/*.{ts,tsx}"],
    ignores: ["src/settings/settings.ts", "src/base/this-process.ts", "src/base/failpoints.ts"],
    rules: {
      "no-restricted-syntax": [
        "error",
        {
          selector: "MemberExpression[object.name='process'][property.name='env']",
          message: "Only src/settings/settings.ts reads the environment.",
        },
      ],
    },
  },
);
