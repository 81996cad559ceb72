import { cpSync, readdirSync, rmSync } from "node:fs";
import path from "node:path";

/** The models that the project ships. Whoever adds a model for other tables need not add it here. */
const SHIPPED = {
  raw: ["vouchers"],
  curated: ["vouchers", "vouchers_rejected"],
  measures: [
    "answer_margins",
    "answers_closest_to_change",
    "answers_rejected_rows_could_change",
    "rejected_by_answer",
    "rejected_by_reason",
    "rejected_by_reason_and_country",
    "row_accounting",
    "voucher_counts",
  ],
  provision: [
    "voucher_amount_usage",
    "voucher_answers",
    "voucher_country_most_used",
    "voucher_frequent_most_used",
    "voucher_recency_most_used",
  ],
};

const shipped = Object.entries(SHIPPED).flatMap(([layer, tables]) =>
  tables.map((table) => `${layer}.${table}`),
);

/** Copies the SQL with the shipped models alone. Tests of the program use it, so that an added model does not change what they see. */
export function copyShippedSql(from, to) {
  rmSync(to, { recursive: true, force: true });
  cpSync(from, to, { recursive: true });
  const folder = path.join(to, "v1");
  for (const [model, file] of modelFiles(folder)) if (!shipped.includes(model)) rmSync(file);
}

/** The files of models and of their tests, each with the name of its model. */
function modelFiles(folder) {
  const filesIn = (name) => readdirSync(path.join(folder, name)).map((file) => path.join(folder, name, file));
  return [
    ...Object.keys(SHIPPED).flatMap((layer) =>
      filesIn(layer).map((file) => [`${layer}.${path.basename(file, ".sql")}`, file]),
    ),
    ...filesIn("tests").map((file) => [path.basename(file, ".yaml"), file]),
  ];
}
