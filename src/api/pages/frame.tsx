import type { Request } from "express";
import type { ComponentChildren, VNode } from "preact";
import type { PipelineRunsTable, RunOutcome } from "../../consumption/schema.js";
import { executionDateOfKey } from "../../voucher/execution-date.js";
import { PAGES } from "./addresses.js";
import { assetAddress } from "./assets.js";
import { ago, DateOf, MomentOf, Notice } from "./parts.js";
import type { ServiceState } from "./service-state.js";

/** What a page says. */
export interface Page {
  /** Its heading, and what the browser calls it. */
  readonly title: string;
  readonly body: ComponentChildren;
  /** 200 unless said. */
  readonly status?: number;
  /** The scripts it has use for, as files of `pages/browser`. It says all it can without them. */
  readonly scripts?: readonly string[];
}

/** A page at its address. */
export interface PageRoute {
  readonly path: string;
  /** How the menu calls it; undefined for one that is opened from another page. */
  readonly menu?: string;
  /** Makes it of what a request asks for. What goes wrong is answered as a page, too. */
  readonly open: (request: Request, state: ServiceState) => Page | Promise<Page>;
}

interface FrameProps {
  readonly page: Page;
  readonly state: ServiceState;
  readonly menu: readonly { readonly name: string; readonly path: string }[];
  /** The path of the page. */
  readonly path: string;
}

/** A whole document: what stands around every page, and the page. */
export function Frame({ page, state, menu, path }: FrameProps): VNode {
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
        <Notices state={state} />
        <main id="main" tabIndex={-1}>
          <h1>{page.title}</h1>
          {page.body}
        </main>
        <Footer state={state} />
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

function Footer({ state: { publication } }: Pick<FrameProps, "state">): VNode {
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

/** The outcomes of runs that have changed nothing, as people say them. */
const FAILURES: Partial<Record<RunOutcome, string>> = {
  failed: "has failed",
  killed: "was killed",
  cancelled: "was cancelled",
};

/** What everybody should know before they read on: that the answers may be old, and that the newest run has failed. */
function Notices({ state }: { readonly state: ServiceState }): VNode {
  const failure = state.newestRun && FAILURES[state.newestRun.outcome];
  return (
    <>
      {state.isAway && <DatabaseAway state={state} />}
      {state.newestRun !== undefined && failure !== undefined && (
        <RunFailed run={state.newestRun} failure={failure} state={state} />
      )}
    </>
  );
}

function DatabaseAway({ state: { confirmedAt, now, publication } }: { readonly state: ServiceState }): VNode {
  return (
    <Notice kind="warn">
      <strong>The database cannot be reached.</strong>{" "}
      {publication === undefined || confirmedAt === undefined ? (
        "There are no answers before it has answered once."
      ) : (
        <>
          These are the answers of {ago(confirmedAt, now)}, <MomentOf moment={confirmedAt} />. They go on
          being given; what was published since is not among them.
        </>
      )}
    </Notice>
  );
}

function RunFailed({
  run,
  failure,
  state: { now, publication },
}: {
  readonly run: PipelineRunsTable;
  readonly failure: string;
  readonly state: ServiceState;
}): VNode {
  const date = executionDateOfKey(run.execution_date);
  return (
    <Notice kind="bad">
      <strong>
        The newest run
        {date === undefined ? (
          ""
        ) : (
          <>
            , for <DateOf date={date} />,
          </>
        )}{" "}
        {failure}
      </strong>{" "}
      ({ago(new Date(run.ended_at ?? run.started_at), now)}).{" "}
      {publication === undefined ? (
        "Nothing is published yet."
      ) : (
        <>
          Everybody still gets the answers of <DateOf date={publication.executionDate} />.
        </>
      )}{" "}
      <a href={`${PAGES.health}#wrong-heading`}>See what is wrong</a>
    </Notice>
  );
}
