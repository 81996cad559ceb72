import * as z from "zod";
import type { Publication } from "../../voucher/publication.js";

/** A publication, as the api shows it. */
export const publicationSchema = z
  .object({
    execution_date: z.string().meta({ format: "date-time", example: "2020-05-29T00:00:00Z" }),
    run_id: z.string().meta({ description: "The run that made it" }),
    sql_version: z.string().meta({ example: "v1" }),
    sql_hash: z.string().meta({ description: "SHA-256 of the SQL that made it" }),
    data_hash: z.string().meta({ description: "SHA-256 of the files it was published from" }),
    published_at: z.string().meta({ format: "date-time" }),
    rows: z.record(z.string(), z.int()).meta({ description: "The rows of each published table" }),
  })
  .meta({ id: "Publication" });

export type PublicationDocument = z.input<typeof publicationSchema>;

/** Shows a publication. */
export function publicationDocument(publication: Publication): PublicationDocument {
  return {
    execution_date: publication.executionDate.iso,
    run_id: publication.runId,
    sql_version: publication.sqlVersion,
    sql_hash: publication.sqlHash,
    data_hash: publication.dataHash,
    published_at: publication.publishedAt,
    rows: { ...publication.rowCounts },
  };
}
