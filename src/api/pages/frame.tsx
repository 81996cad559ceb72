import type { Request, RequestHandler } from "express";
import type { ComponentChildren, VNode } from "preact";
import type { PipelineRunsTable, RunOutcome, WithdrawalsTable } from "../../consumption/schema.js";
import { executionDateOfKey } from "../../voucher/execution-date.js";
import type { Publication } from "../../voucher/publication-identity.js";
import { addressOf, PAGES, parametersOf, pathOf } from "./addresses.js";
import { assetAddress } from "./assets.js";
import { ageInWords, ago, DateOf, MomentOf, Name, Notice } from "./parts.js";
import type { ServiceState } from "./service-state.js";

/** The content of a page. */
export interface Page {
  /** Its heading, and its title in the browser. */
  readonly title: string;
  readonly body: ComponentChildren;
  /** 200 by default. */
  readonly status?: number;
  /** The publication whose answers it shows, if it shows one. */
  readonly shows?: Publication;
  /** The scripts it uses, as files of `pages/browser`. It works without them. */
  readonly scripts?: readonly string[];
  /** When the browser asks for it again by itself. */
  readonly refreshSeconds?: number;
}

/** A page at its address. */
export interface PageRoute {
  readonly path: string;
  /** Its name in the menu; undefined for a page that other pages open. */
  readonly menu?: string;
  /** Creates the page for a request. A fault is a page, too. */
  readonly open: (request: Request, state: ServiceState) => Page | Promise<Page>;
  /** Takes a form that the page sends. */
  readonly post?: RequestHandler;
}

interface FrameProps {
  readonly page: Page;
  readonly state: ServiceState;
  readonly menu: readonly { readonly name: string; readonly path: string }[];
  /** The requested address: path and query. */
  readonly address: string;
}

/** A whole document: the page and its frame. */
export function Frame({ page, state, menu, address }: FrameProps): VNode {
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
          <Menu menu={menu} path={pathOf(address)} />
        </header>
        <Notices page={page} state={state} address={address} />
        <main id="main" tabIndex={-1}>
          <h1>{page.title}</h1>
          {page.body}
        </main>
        <Footer state={state} />
      </body>
    </html>
  );
}

function Menu({ menu, path }: Pick<FrameProps, "menu"> & { readonly path: string }): VNode {
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
          The newest answers: <DateOf date={publication.executionDate} />, published on{" "}
          <MomentOf moment={new Date(publication.publishedAt)} />. Days and hours are in UTC. Amounts are in
          whole units of each country’s own currency: do not add up or compare amounts of different countries.
        </p>
      )}
      <p>
        About the tables: <a href={`${PAGES.dictionary}/`}>the data dictionary</a>. For programs:{" "}
        <a href="/docs/">the HTTP API</a>.
      </p>
    </footer>
  );
}

/** The outcomes of runs that have changed nothing, in words. */
const FAILURES: Partial<Record<RunOutcome, string>> = {
  failed: "failed",
  killed: "was killed",
  cancelled: "was cancelled",
};

/** The notices at the top of a page: its publication, and faults. */
function Notices({ page, state, address }: Pick<FrameProps, "page" | "state" | "address">): VNode {
  const failure = state.newestRun && FAILURES[state.newestRun.outcome];
  return (
    <>
      {state.isAway && <DatabaseAway state={state} />}
      {state.newestRun !== undefined && failure !== undefined && (
        <RunFailed run={state.newestRun} failure={failure} state={state} />
      )}
      {state.withdrawn.map((withdrawal) => (
        <Withdrawn key={withdrawal.execution_date} withdrawal={withdrawal} state={state} />
      ))}
      {state.isOld && state.publication !== undefined && (
        <OldAnswers publication={state.publication} now={state.now} address={address} />
      )}
      <OlderPublication shown={page.shows} newest={state.publication} address={address} />
    </>
  );
}

function Withdrawn({
  withdrawal: { execution_date, withdrawn_at, withdrawn_by, why },
  state: { now, publication },
}: {
  readonly withdrawal: WithdrawalsTable;
  readonly state: ServiceState;
}): VNode {
  const date = executionDateOfKey(execution_date);
  return (
    <Notice kind="warn">
      <strong>
        The answers of {date === undefined ? <Name>{execution_date}</Name> : <DateOf date={date} />} are
        withdrawn
      </strong>{" "}
      ({ago(new Date(withdrawn_at), now)}, by <Name>{withdrawn_by}</Name>: <Name>{why}</Name>).{" "}
      <Given publication={publication} how="now" />
    </Notice>
  );
}

function OldAnswers({
  publication,
  now,
  address,
}: {
  readonly publication: Publication;
  readonly now: Date;
  readonly address: string;
}): VNode {
  return (
    <Notice kind="warn">
      <strong>The newest answers are old:</strong> they are as of <DateOf date={publication.executionDate} />,{" "}
      {ageInWords(publication.executionDate, now)}.
      {pathOf(address) !== PAGES.health && (
        <>
          {" "}
          <a href={PAGES.health}>See why there are no newer answers</a>
        </>
      )}
    </Notice>
  );
}

/** The notice that a page shows an older publication than the newest one. */
function OlderPublication({
  shown,
  newest,
  address,
}: {
  readonly shown: Publication | undefined;
  readonly newest: Publication | undefined;
  readonly address: string;
}): VNode | null {
  if (shown === undefined || newest === undefined) return null;
  if (shown.executionDate.partitionKey >= newest.executionDate.partitionKey) return null;
  const newestOfSame = { ...parametersOf(address), execution_date: undefined, page: undefined };
  return (
    <Notice kind="warn">
      <strong>These are older answers,</strong> as of <DateOf date={shown.executionDate} />. The newest are as
      of <DateOf date={newest.executionDate} />.{" "}
      <a href={addressOf(pathOf(address), newestOfSame)}>Show the newest</a>
    </Notice>
  );
}

function Given({
  publication,
  how,
}: Pick<ServiceState, "publication"> & { readonly how: "still" | "now" }): VNode {
  if (publication === undefined) return <>Nothing is published.</>;
  return (
    <>
      Everybody {how} gets the answers of <DateOf date={publication.executionDate} />.
    </>
  );
}

function DatabaseAway({ state: { confirmedAt, now, publication } }: { readonly state: ServiceState }): VNode {
  return (
    <Notice kind="warn">
      <strong>The database is not reachable.</strong>{" "}
      {publication === undefined || confirmedAt === undefined ? (
        "The service has no answers until it can connect once."
      ) : (
        <>
          The answers below were last confirmed {ago(confirmedAt, now)}, <MomentOf moment={confirmedAt} />.
          They stay available. Later publications are not shown.
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
      ({ago(new Date(run.ended_at ?? run.started_at), now)}). <Given publication={publication} how="still" />{" "}
      <a href={`${PAGES.health}#wrong-heading`}>See the failure</a>
    </Notice>
  );
}
