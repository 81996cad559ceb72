import type { SqlVersion } from "./load.js";
import { isPublished, isWritten, placesOf, publishedColumns, type Model } from "./model.js";

/** The data dictionary of a SQL version, as Markdown: every model with its columns, its audits and where it is found. */
export function dictionaryOf(version: SqlVersion): string {
  const audits = [...version.audits.values()].map(
    ({ name, header }) => `- \`${name}\`: ${oneLine(header.description)}`,
  );
  return (
    [
      `# Data dictionary of SQL ${version.name}`,
      "Made from the headers of the models by `npm run dictionary`; do not edit.",
      ...version.models.map(modelText),
      "## Audits",
      audits.join("\n"),
      "",
    ]
      .join("\n\n")
      .trimEnd() + "\n"
  );
}

function modelText(model: Model): string {
  const { header } = model;
  const columns = Object.entries(header.columns).map(
    ([name, { type, description }]) =>
      `| \`${name}\` | ${type} | ${oneLine(description).replaceAll("|", "\\|")} |`,
  );
  return [
    `## ${model.name}`,
    oneLine(header.description),
    [...factsOf(model), `Defined in [\`${model.file}\`](../${model.file}).`].join(" "),
    ["| column | type | meaning |", "| --- | --- | --- |", ...columns].join("\n"),
  ].join("\n\n");
}

function factsOf(model: Model): string[] {
  const audits =
    model.layer === "raw"
      ? []
      : model.header.audits.map(({ audit, own }) =>
          own === undefined ? `\`${audit}\`` : `\`${audit}\` (${oneLine(own.description)})`,
        );
  return [
    ...(isWritten(model)
      ? [
          `Written to ${placesOf(model)
            .map((place) => `\`${place}\``)
            .join(" or, by a cluster, to the files that are named in ")}.`,
        ]
      : []),
    ...(isWritten(model) && model.header.key
      ? [`Key: ${model.header.key.map((name) => `\`${name}\``).join(", ")}.`]
      : []),
    ...(isPublished(model)
      ? [
          `Published as the table \`${model.table}\` with the columns ` +
            `${publishedColumns(model)
              .map(([name]) => `\`${name}\``)
              .join(", ")}.`,
        ]
      : []),
    ...(audits.length > 0 ? [`Audits: ${audits.join(", ")}.`] : []),
  ];
}

function oneLine(text: string): string {
  return text.trim().replaceAll(/\s+/g, " ");
}
