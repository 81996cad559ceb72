import type { VNode } from "preact";
import type { Column } from "../models/header.js";
import type { SqlVersion } from "../models/load.js";
import {
  isPublished,
  isRaw,
  isWritten,
  placesOf,
  publishedKey,
  usedAudit,
  usesOf,
  type Model,
} from "../models/model.js";
import { Document } from "./document.js";
import { addressOf, aroundOf, type Entry } from "./entries.js";
import { Graph } from "./graph.js";

interface ModelPageProps {
  readonly version: SqlVersion;
  readonly entries: readonly Entry[];
  readonly entry: Entry;
}

/** All that the header of a model says, its SQL, and its place among the others. */
export function ModelPage({ version, entries, entry }: ModelPageProps): VNode {
  const { name, model } = entry;
  return (
    <Document title={name} version={version.name} isIndex={false}>
      <p class="lead">{model.header.description}</p>
      <Facts entry={entry} />
      <h2>Where it comes from, and where it goes</h2>
      <Graph
        entries={aroundOf(entries, entry)}
        title={`What ${name} comes of, and what comes of it`}
        marked={entry}
      />
      <h2 id="columns">Columns</h2>
      <Columns model={model} />
      <Audits version={version} model={model} />
      <h2 id="sql">SQL</h2>
      <p>
        From <code>{model.file}</code>. What stands in double braces is filled in by each run.
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

function Columns({ model }: { model: Model }): VNode {
  return (
    <div class="scrolling" role="region" tabIndex={0} aria-labelledby="columns">
      <table>
        <thead>
          <tr>
            <th scope="col">Column</th>
            <th scope="col">Type</th>
            <th scope="col">Meaning</th>
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
            </tr>
          ))}
        </tbody>
      </table>
    </div>
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
      <h2>What is promised of it</h2>
      <p>Each run holds what it has made to these, before anybody reads it.</p>
      <dl class="tables">
        <div>
          <dt>columns_are_declared</dt>
          <dd>The columns are those of the header, in its order.</dd>
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
