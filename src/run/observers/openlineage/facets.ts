import { versionText } from "../../../base/files.js";
import { describeThreshold } from "../../../record/findings-in-words.js";
import type { AuditResult, RunReport } from "../../../record/run-record.js";

/** The facets that are written, each by its key, with the version of its schema and what it is called there. */
const FACETS = {
  columnLineage: ["1-2-0", "ColumnLineageDatasetFacet"],
  dataQualityAssertions: ["1-1-0", "DataQualityAssertionsDatasetFacet"],
  dataSource: ["1-0-1", "DatasourceDatasetFacet"],
  documentation: ["1-1-0", "DocumentationDatasetFacet"],
  errorMessage: ["1-0-1", "ErrorMessageRunFacet"],
  executionParameters: ["1-0-0", "ExecutionParametersRunFacet"],
  inputStatistics: ["1-0-0", "InputStatisticsInputDatasetFacet"],
  jobType: ["2-0-4", "JobTypeJobFacet"],
  nominalTime: ["1-0-1", "NominalTimeRunFacet"],
  outputStatistics: ["1-0-2", "OutputStatisticsOutputDatasetFacet"],
  processing_engine: ["1-1-1", "ProcessingEngineRunFacet"],
  schema: ["1-2-0", "SchemaDatasetFacet"],
  sql: ["1-1-0", "SQLJobFacet"],
  storage: ["1-0-1", "StorageDatasetFacet"],
  test: ["1-0-1", "TestRunFacet"],
  version: ["1-0-1", "DatasetVersionDatasetFacet"],
} as const;

type FacetName = keyof typeof FACETS;

export type Facets = Readonly<Partial<Record<FacetName, object>>>;

/** Where the schema of a whole event is. */
export const RUN_EVENT_SCHEMA = "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent";

/** Who says all of it, as OpenLineage has it: a URI with the version. */
export function producer(): string {
  return `urn:voucher-pipeline:${versionText()}`;
}

/** Facets with who says them, and where their schemas are. */
export function facetsOf(contents: Facets): Facets {
  return Object.fromEntries(
    Object.entries(contents).map(([name, content]) => {
      const [version, schema] = FACETS[name as FacetName];
      const _schemaURL = `https://openlineage.io/spec/facets/${version}/${schema}.json#/$defs/${schema}`;
      return [name, { _producer: producer(), _schemaURL, ...content }];
    }),
  );
}

/** How the audits of a model ended, for the dataset that it is. */
export function assertionsOf({ audits }: RunReport, model: string): object[] {
  return audits
    .filter((audit) => audit.model === model)
    .map((audit) => ({ assertion: audit.audit, success: audit.outcome === "passed", ...commonOf(audit) }));
}

/** How all audits of a run ended, also those of one that has written nothing. */
export function testsOf({ audits }: RunReport): object[] {
  return audits.map((audit) => ({
    name: `${audit.model}: ${audit.audit}`,
    status: audit.outcome === "passed" ? "pass" : "fail",
    type: audit.audit,
    ...commonOf(audit),
  }));
}

/** What is expected and what was found are how many rows break the promise. */
function commonOf({ promise, severity, threshold, broken }: AuditResult): object {
  const allowed = describeThreshold(threshold);
  return {
    severity,
    description: promise,
    expected: allowed === "" ? "0" : `at most ${allowed}`,
    actual: broken.toString(),
  };
}
