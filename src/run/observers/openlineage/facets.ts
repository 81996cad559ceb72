import { versionText } from "../../../base/files.js";
import { describeThreshold } from "../../../record/findings-in-words.js";
import type { AuditResult, RunReport } from "../../../record/run-record.js";

/** The facets that runs write, by key, with their OpenLineage names and the versions of their schemas. */
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

/** The address of the schema of an event. */
export const RUN_EVENT_SCHEMA = "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent";

/** The producer of all facets in the form of OpenLineage: a URI with the version. */
export function producer(): string {
  return `urn:voucher-pipeline:${versionText()}`;
}

/** Adds the producer and the address of the schema to facets. */
export function facetsOf(contents: Facets): Facets {
  return Object.fromEntries(
    Object.entries(contents).map(([name, content]) => {
      const [version, schema] = FACETS[name as FacetName];
      const _schemaURL = `https://openlineage.io/spec/facets/${version}/${schema}.json#/$defs/${schema}`;
      return [name, { _producer: producer(), _schemaURL, ...content }];
    }),
  );
}

/** The results of a model's audits, for its dataset. */
export function assertionsOf({ audits }: RunReport, model: string): object[] {
  return audits
    .filter((audit) => audit.model === model)
    .map((audit) => ({ assertion: audit.audit, success: audit.outcome === "passed", ...commonOf(audit) }));
}

/** The results of all audits of a run, also of models that wrote nothing. */
export function testsOf({ audits }: RunReport): object[] {
  return audits.map((audit) => ({
    name: `${audit.model}: ${audit.audit}`,
    status: audit.outcome === "passed" ? "pass" : "fail",
    type: audit.audit,
    ...commonOf(audit),
  }));
}

/** `expected` and `actual` are the allowed and the found number of rows that break the promise. */
function commonOf({ promise, severity, threshold, broken }: AuditResult): object {
  const allowed = describeThreshold(threshold);
  return {
    severity,
    description: promise,
    expected: allowed === "" ? "0" : `at most ${allowed}`,
    actual: broken.toString(),
  };
}
