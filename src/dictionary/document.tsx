import type { ComponentChildren, VNode } from "preact";
import { render } from "preact-render-to-string";

interface DocumentProps {
  readonly title: string;
  /** The version of the SQL. */
  readonly version: string;
  readonly isIndex: boolean;
  readonly children: ComponentChildren;
}

/** A whole document as text. It needs nothing but the files beside it. */
export function documentOf(document: VNode): string {
  return `<!doctype html>${render(document)}\n`;
}

/** What stands around every page. */
export function Document({ title, version, isIndex, children }: DocumentProps): VNode {
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
