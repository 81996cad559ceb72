import type { VNode } from "preact";
import type { SqlVersion } from "../models/load.js";
import { isPublished, LAYERS, type Layer } from "../models/model.js";
import { Document } from "./document.js";
import { addressOf, type Entry } from "./entries.js";
import { Graph } from "./graph.js";

const MEANINGS: Record<Layer, string> = {
  raw: "The raw files, as one relation each.",
  curated: "Clean and typed, written to the curated zone.",
  measures: "Small tables about a run, in its record.",
  provision: "What is answered from, written to the provision zone.",
};

/** Every model of a version, and how they read each other. */
export function IndexPage({ version, entries }: { version: SqlVersion; entries: readonly Entry[] }): VNode {
  return (
    <Document title="Data dictionary" version={version.name} isIndex>
      <Graph entries={entries} title="How data flows: each table with lines from those that it reads" />
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
