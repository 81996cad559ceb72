import type { VNode } from "preact";
import { render } from "preact-render-to-string";
import type { Block, Column, Section, Story } from "./story.js";

/** Colours are pairs, for light and for dark. Every text has a contrast of at least 4.5 to 1. On paper it is light. */
const STYLE = `
:root {
  color-scheme: light dark;
  --ground: light-dark(#ffffff, #12161c);
  --raised: light-dark(#f3f6fa, #1b212a);
  --text: light-dark(#1a2230, #e6ebf2);
  --quiet: light-dark(#536074, #a3afc0);
  --rule: light-dark(#d3dbe6, #364152);
  --focus: light-dark(#1f5fa8, #6ea8ea);
  --good: light-dark(#1d6b3a, #7fd6a0);
  --warn: light-dark(#7a4a00, #f2c46d);
  --bad: light-dark(#a01c1c, #ff9d9d);
  font: 100%/1.5 system-ui, sans-serif;
}
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 64rem; padding: 0 1rem 2rem; background: var(--ground); color: var(--text); }
h1 { margin: 1.5rem 0 0.75rem; font-size: 1.6rem; line-height: 1.2; }
h2 { margin: 2rem 0 0.5rem; font-size: 1.2rem; break-after: avoid; }
.outcome { font-size: 1rem; white-space: nowrap; }
.outcome.good { color: var(--good); }
.outcome.warn { color: var(--warn); }
.outcome.bad { color: var(--bad); }
.lead p { margin: 0.25rem 0; font-size: 1.1rem; }
dl { display: flex; flex-wrap: wrap; gap: 0.25rem 2rem; }
dt { color: var(--quiet); font-size: 0.85em; }
dd { margin: 0; overflow-wrap: anywhere; }
pre { overflow-x: auto; padding: 0.75rem; background: var(--raised); font: 0.9em/1.4 ui-monospace, monospace; white-space: pre-wrap; overflow-wrap: anywhere; }
.scrolling { overflow-x: auto; }
.scrolling:focus-visible { outline: 3px solid var(--focus); outline-offset: 2px; }
table { border-collapse: collapse; margin: 0.5rem 0 1rem; }
th, td { padding: 0.25rem 1rem 0.25rem 0; border-bottom: 1px solid var(--rule); text-align: start; vertical-align: baseline; }
th { color: var(--quiet); font-weight: 600; }
.number { text-align: end; font-variant-numeric: tabular-nums; }
td.code { min-width: 9rem; font: 0.9em ui-monospace, monospace; overflow-wrap: anywhere; }
@media print {
  :root { color-scheme: light; }
  body { max-width: none; padding: 0; font-size: 10pt; }
  .scrolling { overflow: visible; }
  tr, pre { break-inside: avoid; }
}
`;

/** A page loads nothing and runs nothing, whatever its contents are. */
const POLICY = "default-src 'none'; style-src 'unsafe-inline'";

/** The outcome of a run, with a sign for people who do not see colours. */
const OUTCOMES: Readonly<Record<Story["outcome"], { readonly kind: string; readonly words: string }>> = {
  succeeded: { kind: "good", words: "✓ succeeded" },
  running: { kind: "underway", words: "… is in progress" },
  failed: { kind: "bad", words: "✕ failed" },
  cancelled: { kind: "warn", words: "! was cancelled" },
  killed: { kind: "bad", words: "✕ was killed" },
};

/** The report of a run as one complete page of HTML. */
export function pageOf(story: Story): string {
  return `<!doctype html>\n${render(<Page story={story} />)}\n`;
}

function Page({ story }: { readonly story: Story }): VNode {
  const { title, outcome } = story;
  return (
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta http-equiv="Content-Security-Policy" content={POLICY} />
        <meta name="robots" content="noindex" />
        <title>{`${title}: ${outcome}`}</title>
        <style dangerouslySetInnerHTML={{ __html: STYLE }} />
      </head>
      <body>
        <main>
          <h1>
            {title} <OutcomeOf outcome={outcome} />
          </h1>
          <StoryOf story={story} />
        </main>
      </body>
    </html>
  );
}

/** The outcome of a run, in a colour. */
export function OutcomeOf({ outcome }: Pick<Story, "outcome">): VNode {
  const { kind, words } = OUTCOMES[outcome];
  return <span class={`outcome ${kind}`}>{words}</span>;
}

/** The report of a run below the heading of a page. */
export function StoryOf({ story: { sentences, facts, sections } }: { readonly story: Story }): VNode {
  return (
    <>
      <div class="lead">
        {sentences.map((sentence) => (
          <p>
            <bdi>{sentence}</bdi>
          </p>
        ))}
      </div>
      <dl>
        {facts.map(({ name, value }) => (
          <div>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      {sections.map((section, index) => (
        <Told section={section} id={`section-${index.toString()}`} />
      ))}
    </>
  );
}

function Told({
  section: { heading, blocks },
  id,
}: {
  readonly section: Section;
  readonly id: string;
}): VNode {
  return (
    <section aria-labelledby={id}>
      <h2 id={id}>{heading}</h2>
      {blocks.map((block) => (
        <BlockOf block={block} heading={id} />
      ))}
    </section>
  );
}

function BlockOf({ block, heading }: { readonly block: Block; readonly heading: string }): VNode {
  switch (block.kind) {
    case "paragraph":
      return <p>{block.text}</p>;
    case "list":
      return (
        <ul>
          {block.items.map((item) => (
            <li>
              <bdi>{item}</bdi>
            </li>
          ))}
        </ul>
      );
    case "lines":
      return <pre>{block.lines.join("\n")}</pre>;
    case "table":
      return (
        // Everything that scrolls must be reachable without a mouse.
        <div class="scrolling" tabindex={0} role="group" aria-labelledby={heading}>
          <Table columns={block.columns} rows={block.rows} />
        </div>
      );
  }
}

interface TableProps {
  readonly columns: readonly Column[];
  readonly rows: readonly (readonly string[])[];
}

function Table({ columns, rows }: TableProps): VNode {
  return (
    <table>
      <thead>
        <tr>
          {columns.map(({ name, kind }) => (
            <th scope="col" class={kind}>
              {name}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => (
          <tr>
            {columns.map(({ kind }, index) => (
              <td class={kind}>
                <bdi>{row[index]}</bdi>
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}
