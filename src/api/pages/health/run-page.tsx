import * as z from "zod";
import { OutcomeOf, StoryOf } from "../../../record/page.js";
import { toldRunOf } from "../../../record/past-run.js";
import { storyOf } from "../../../record/story.js";
import { checked, Problem } from "../../http/problems.js";
import type { Services } from "../../http/services.js";
import { PAGES } from "../addresses.js";
import type { PageRoute } from "../frame.js";
import { databaseStateOf } from "./glance.js";
import { readPastRuns } from "./past-runs.js";

const pathSchema = z.object({
  run_id: z.string().regex(/^[\w-]{1,64}$/, "must be the id of a run: letters, digits and -"),
});

/** The report of one run, from its own record. */
export function runPage(services: Services): PageRoute {
  return {
    path: `${PAGES.runs}/:run_id`,
    open: async (request, state) => {
      const { run_id: runId } = checked(pathSchema, request.params, "");
      const runs = await readPastRuns(services, { runId, limit: 1 });
      if (runs === undefined && databaseStateOf(state, runs) !== "missing")
        throw new Problem(
          "database-unavailable",
          "The report of the run is available again when the database is reachable.",
        );
      const run = runs?.[0];
      if (run === undefined) throw new Problem("not-found", `There is no run ${runId}.`);
      const story = storyOf(toldRunOf(run));
      return {
        title: story.title,
        body: (
          <div class="story">
            <p>
              <OutcomeOf outcome={story.outcome} />
            </p>
            <StoryOf story={story} />
            <p class="onwards">
              <a href={PAGES.health}>All runs</a>
            </p>
          </div>
        ),
      };
    },
  };
}
