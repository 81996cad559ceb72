import type { VNode } from "preact";
import { PAGES } from "./addresses.js";
import { assetAddress } from "./assets.js";
import { Notices } from "./notices.js";
import type { Page } from "./page.js";
import type { Standing } from "./standing.js";
import { DateOf, MomentOf } from "./words.js";

interface FrameProps {
  readonly page: Page;
  readonly standing: Standing;
  readonly menu: readonly { readonly name: string; readonly path: string }[];
  /** The path of the page. */
  readonly path: string;
}

/** A whole document: what stands around every page, and the page. */
export function Frame({ page, standing, menu, path }: FrameProps): VNode {
  return (
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>{`${page.title} – vouchers`}</title>
        <link rel="icon" href={assetAddress("icon.svg")} type="image/svg+xml" />
        <link rel="stylesheet" href={assetAddress("style.css")} />
        {(page.scripts ?? []).map((script) => (
          <script key={script} type="module" src={assetAddress(script)} />
        ))}
      </head>
      <body>
        <a class="skip" href="#main">
          Skip to the content
        </a>
        <header>
          <p class="brand">Vouchers</p>
          <Menu menu={menu} path={path} />
        </header>
        <Notices standing={standing} />
        <main id="main" tabIndex={-1}>
          <h1>{page.title}</h1>
          {page.body}
        </main>
        <Footer standing={standing} />
      </body>
    </html>
  );
}

function Menu({ menu, path }: Pick<FrameProps, "menu" | "path">): VNode {
  return (
    <nav aria-label="Pages">
      <ul>
        {menu.map((entry) => (
          <li key={entry.path}>
            <a href={entry.path} aria-current={entry.path === path ? "page" : undefined}>
              {entry.name}
            </a>
          </li>
        ))}
      </ul>
    </nav>
  );
}

function Footer({ standing: { publication } }: Pick<FrameProps, "standing">): VNode {
  return (
    <footer>
      {publication !== undefined && (
        <p>
          Answers as of <DateOf date={publication.executionDate} />, published on{" "}
          <MomentOf moment={new Date(publication.publishedAt)} /> by the run <code>{publication.runId}</code>{" "}
          with the rules {publication.sqlVersion}. Days and hours are in UTC, amounts in whole currency units.
        </p>
      )}
      <p>
        What each table means: <a href={`${PAGES.dictionary}/`}>the data dictionary</a>. For programs:{" "}
        <a href="/docs/">the HTTP api</a>.
      </p>
    </footer>
  );
}
