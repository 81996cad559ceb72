import type { VNode } from "preact";
import { render } from "preact-render-to-string";
import type { Block, Column, Section, Story } from "./story.js";
import { STYLE } from "./style.js";

/** A page asks for nothing and runs nothing, whatever stands in it. */
const POLICY = "default-src 'none'; style-src 'unsafe-inline'";

/** How a run ended, with a sign for who does not see colours. */
const OUTCOMES: Readonly<Record<Story["outcome"], { readonly kind: string; readonly words: string }>> = {
  succeeded: { kind: "good", words: "✓ succeeded" },
  running: { kind: "underway", words: "… is under way" },
  failed: { kind: "bad", words: "✕ failed" },
  cancelled: { kind: "warn", words: "! was cancelled" },
  killed: { kind: "bad", words: "✕ was killed" },
};

/** The report of a run as one page of HTML that needs nothing else. */
export function pageOf(story: Story): string {
  return `<!doctype html>\n${render(<Page story={story} />)}\n`;
}

function Page({ story }: { readonly story: Story }): VNode {
  const { title, outcome, sentences, facts, sections } = story;
  const { kind, words } = OUTCOMES[outcome];
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
            {title} <span class={`outcome ${kind}`}>{words}</span>
          </h1>
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
        </main>
      </body>
    </html>
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
        // What can be scrolled can be reached without a mouse.
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
