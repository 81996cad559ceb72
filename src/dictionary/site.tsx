import { copyFile, writeFile } from "node:fs/promises";
import path from "node:path";
import type { ComponentChildren, VNode } from "preact";
import { render } from "preact-render-to-string";
import { projectFolder, makeFolder } from "../base/files.js";
import type { Column } from "../models/header.js";
import { parseSqlVersion, type SqlVersion } from "../models/load.js";
import {
  isPublished,
  LAYERS,
  type Layer,
  isRaw,
  isWritten,
  placesOf,
  publishedKey,
  usedAudit,
  usesOf,
  type Model,
} from "../models/model.js";
import {
  addressOf,
  aroundOf,
  entriesOf,
  NO_ORIGIN,
  originsOf,
  UNKNOWN_ORIGIN,
  type Entry,
  type Lineage,
} from "./entries.js";
import { Graph } from "./graph.js";

/** The files that the pages need in their folder, in the layout of the build. */
export const ASSETS_FOLDER = path.join(projectFolder(), "dist/dictionary");
export const ASSETS: readonly string[] = ["style.css", "icon.svg"];

/**
 * The data dictionary of a SQL version as pages: the text of each by the name of its file. They run no script.
 * @param lineage without it, the pages do not show the sources of columns: only an engine finds them.
 */
export function siteOf(version: SqlVersion, lineage?: Lineage): ReadonlyMap<string, string> {
  const entries = entriesOf(version);
  return new Map([
    ["index.html", documentOf(<IndexPage version={version} entries={entries} />)],
    ...entries.map(
      (entry) =>
        [
          addressOf(entry.name),
          documentOf(<ModelPage version={version} entries={entries} entry={entry} lineage={lineage} />),
        ] as const,
    ),
  ]);
}

/**
 * The same pages from the texts of a version, by their paths below the SQL folder.
 * @throws PipelineError INVALID_MODEL if a file is missing or malformed.
 */
export function siteOfTexts(
  version: string,
  texts: ReadonlyMap<string, string>,
): ReadonlyMap<string, string> {
  return siteOf(parseSqlVersion(version, texts));
}

/** The written files, as paths. */
export interface WrittenSite {
  /** The start page. */
  readonly index: string;
  /** All written files: the pages, including the start page, and the files that they need. */
  readonly files: readonly string[];
}

/** Writes the data dictionary of a SQL version into a folder, and creates the folder if it does not exist. */
export async function writeSite(version: SqlVersion, lineage: Lineage, folder: string): Promise<WrittenSite> {
  await makeFolder(path.resolve(folder));
  const pages = siteOf(version, lineage);
  for (const [file, text] of pages) await writeFile(path.join(folder, file), text);
  for (const file of ASSETS) await copyFile(path.join(ASSETS_FOLDER, file), path.join(folder, file));
  const files = [...pages.keys(), ...ASSETS].map((file) => path.join(folder, file));
  return { index: path.join(folder, "index.html"), files };
}

const MEANINGS: Record<Layer, string> = {
  raw: "The raw files, one table per model.",
  curated: "Clean and typed, written to the curated zone.",
  measures: "Small tables about a run, in its record.",
  provision: "Aggregates for the answers, written to the provision zone.",
};

/** Every model of a version, and its sources. */
function IndexPage({ version, entries }: { version: SqlVersion; entries: readonly Entry[] }): VNode {
  return (
    <Document title="Data dictionary" version={version.name} isIndex>
      <Graph entries={entries} title="Data flow: lines connect each table with its sources" />
      {LAYERS.map((layer) => (
        <LayerTable
          key={layer}
          layer={layer}
          entries={entries.filter(({ model }) => model.layer === layer)}
        />
      ))}
    </Document>
  );
}

function LayerTable({ layer, entries }: { layer: Layer; entries: readonly Entry[] }): VNode | null {
  if (entries.length === 0) return null;
  return (
    <section aria-labelledby={layer}>
      <h2 id={layer}>{layer}</h2>
      <p>{MEANINGS[layer]}</p>
      <dl class="tables">
        {entries.map(({ name, model }) => (
          <div key={name}>
            <dt>
              <a href={addressOf(name)}>{model.table}</a>
              {isPublished(model) && <span class="mark">published</span>}
            </dt>
            <dd>{model.header.description}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}

interface ModelPageProps {
  readonly version: SqlVersion;
  readonly entries: readonly Entry[];
  readonly entry: Entry;
  readonly lineage: Lineage | undefined;
}

/** The header of a model, its SQL, and its place among the others. */
function ModelPage({ version, entries, entry, lineage }: ModelPageProps): VNode {
  const { name, model } = entry;
  return (
    <Document title={name} version={version.name} isIndex={false}>
      <p class="lead">{model.header.description}</p>
      <Facts entry={entry} />
      <h2>Sources and readers</h2>
      <Graph
        entries={aroundOf(entries, entry)}
        title={`Lineage of ${name}: its sources and its readers`}
        marked={entry}
      />
      <h2 id="columns">Columns</h2>
      <Columns model={model} lineage={lineage} />
      <Audits version={version} model={model} />
      <h2 id="sql">SQL</h2>
      <p>
        From <code>{model.file}</code>. Each run fills in the parts in double braces.
      </p>
      <pre class="scrolling" role="region" tabIndex={0} aria-labelledby="sql">
        <code>{withoutHeader(model.template)}</code>
      </pre>
    </Document>
  );
}

function Facts({ entry: { model, reads, feeds } }: Pick<ModelPageProps, "entry">): VNode {
  const key = isWritten(model) ? model.header.key : undefined;
  return (
    <dl class="facts">
      <Fact
        name="Reads"
        value={isRaw(model) ? `the files below ${model.header.folder}/` : <Names names={reads} />}
      />
      <Fact name="Feeds" value={feeds.length === 0 ? "nothing else" : <Names names={feeds} />} />
      {key !== undefined && <Fact name="Key" value={<Words words={key} />} />}
      {isWritten(model) && (
        <Fact
          name="Written to"
          value={
            <>
              {placesOf(model).map((place, index) => (
                <>
                  {index > 0 && " or, by a cluster, the files named in "}
                  <code>{place}</code>
                </>
              ))}
            </>
          }
        />
      )}
      {isPublished(model) && (
        <Fact
          name="Published as"
          value={
            <>
              the table <code>{model.table}</code>, with the key <Words words={publishedKey(model)} />
            </>
          }
        />
      )}
    </dl>
  );
}

function Fact({ name, value }: { name: string; value: VNode | string }): VNode {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}

function Names({ names }: { names: readonly string[] }): VNode {
  return (
    <>
      {names.map((name, index) => (
        <>
          {index > 0 && ", "}
          <a href={addressOf(name)}>{name}</a>
        </>
      ))}
    </>
  );
}

function Words({ words }: { words: readonly string[] }): VNode {
  return (
    <>
      {words.map((word, index) => (
        <>
          {index > 0 && ", "}
          <code>{word}</code>
        </>
      ))}
    </>
  );
}

function Columns({ model, lineage }: Pick<ModelPageProps, "lineage"> & { model: Model }): VNode {
  return (
    <div class="scrolling" role="region" tabIndex={0} aria-labelledby="columns">
      <table>
        <thead>
          <tr>
            <th scope="col">Column</th>
            <th scope="col">Type</th>
            <th scope="col">Meaning</th>
            {lineage && <th scope="col">Comes from</th>}
          </tr>
        </thead>
        <tbody>
          {Object.entries(model.header.columns).map(([name, column]) => (
            <tr key={name}>
              <th scope="row">
                <code>{name}</code>
              </th>
              <td>{column.type}</td>
              <td>
                {column.description}
                {isPublished(model) && !column.publish && <span class="mark">not published</span>}
                {lengthOf(column)}
              </td>
              {lineage && <Origins lineage={lineage} model={model} column={name} />}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Origins({ lineage, model, column }: { lineage: Lineage; model: Model; column: string }): VNode {
  const origins = originsOf(lineage, model.name, column);
  if (origins === undefined) return <td>{UNKNOWN_ORIGIN}</td>;
  if (origins.length === 0) return <td>{NO_ORIGIN}</td>;
  return (
    <td>
      {origins.map((origin, index) => (
        <>
          {index > 0 && ", "}
          {origin.model === undefined ? (
            <>
              the files' <code>{origin.column}</code>
            </>
          ) : (
            <a href={addressOf(origin.model)}>
              <code>
                {origin.model}.{origin.column}
              </code>
            </a>
          )}
        </>
      ))}
    </td>
  );
}

function lengthOf({ max_length: length }: Column): string {
  return length === undefined ? "" : ` (up to ${length.toString()} characters)`;
}

function Audits({ version, model }: Pick<ModelPageProps, "version"> & { model: Model }): VNode | null {
  if (isRaw(model)) return null;
  const uses = usesOf(model);
  return (
    <>
      <h2>Audits</h2>
      <p>Each run checks these before it publishes.</p>
      <dl class="tables">
        <div>
          <dt>columns_are_declared</dt>
          <dd>The columns are the same as in the header, in the same order.</dd>
        </div>
        {uses.map((use) => {
          const header = usedAudit(model, use, version.audits)?.header;
          return (
            <div key={use.audit}>
              <dt>
                {use.audit}
                {(use.severity ?? header?.severity) === "warn" && <span class="mark">a warning</span>}
              </dt>
              <dd>{header?.description}</dd>
            </div>
          );
        })}
      </dl>
    </>
  );
}

function withoutHeader(template: string): string {
  return template.replace(/^\/\*[\s\S]*?\*\/\s*/, "").trimEnd();
}

interface DocumentProps {
  readonly title: string;
  /** The version of the SQL. */
  readonly version: string;
  readonly isIndex: boolean;
  readonly children: ComponentChildren;
}

/** A whole document as text. It needs only the other files of its folder. */
function documentOf(document: VNode): string {
  return `<!doctype html>${render(document)}\n`;
}

/** The common frame of every page. */
function Document({ title, version, isIndex, children }: DocumentProps): VNode {
  return (
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>{isIndex ? title : `${title} – data dictionary`}</title>
        <link rel="icon" href="icon.svg" type="image/svg+xml" />
        <link rel="stylesheet" href="style.css" />
      </head>
      <body>
        <header>
          <nav aria-label="Data dictionary">
            <a href="index.html" aria-current={isIndex ? "page" : undefined}>
              All tables
            </a>
          </nav>
        </header>
        <main>
          <h1>{title}</h1>
          {children}
        </main>
        <footer>
          <p>Made from the headers and the SQL of the rules {version}.</p>
        </footer>
      </body>
    </html>
  );
}
