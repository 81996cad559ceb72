import { type Problem, PROBLEMS } from "../http/problems.js";
import { PAGES } from "./addresses.js";
import type { Page } from "./page.js";

/** Says what is wrong, where, and what to do. */
export function problemPage({ type, detail, errors }: Problem): Page {
  if (type === "no-publication") return EMPTY;
  const { status, title } = PROBLEMS[type];
  return {
    title,
    status,
    body: (
      <>
        <p class="lead">{detail}</p>
        {errors.length > 0 && (
          <ul>
            {errors.map(({ field, message }) => (
              <li key={field}>
                <code>{field}</code> {message}
              </li>
            ))}
          </ul>
        )}
        <p>
          <a href={PAGES.answers}>All answers</a>
        </p>
      </>
    ),
  };
}

/** What a person sees before the first run. It is no fault: the service is there, and waits. */
const EMPTY: Page = {
  title: "Nothing is published yet",
  body: (
    <>
      <p class="lead">The answers appear here within seconds after the first run of the pipeline.</p>
      <ol class="steps">
        <li>Put the files of vouchers into the raw zone; a sample comes with the project.</li>
        <li>
          Run the pipeline: <code>npm run pipeline -- --execution-date 2020-05-29T00:00:00</code>
        </li>
        <li>
          Load this page again. If a run has failed, <a href={PAGES.health}>its reasons are told here</a>.
        </li>
      </ol>
    </>
  ),
};
