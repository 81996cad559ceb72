import { describe, expect, it } from "@jest/globals";
import { render } from "preact-render-to-string";
import { Sparkline, Timeline } from "../../../../src/api/pages/charts/timeline.js";
import { parseExecutionDate } from "../../../../src/voucher/execution-date.js";

const DATES = ["2020-05-01", "2020-05-02", "2020-05-03", "2020-05-04"].map(parseExecutionDate);

describe("a timeline", () => {
  it("says its steps in words", () => {
    const html = render(<Timeline dates={DATES} amounts={[4400, 4400, undefined, 13_200]} />);
    expect(html).toContain(
      'aria-label="4,400 from 1 May 2020, no answer from 3 May 2020, 13,200 from 4 May 2020"',
    );
  });

  it("has a point for each publication with an answer, and a gap where there is none", () => {
    const html = render(<Timeline dates={DATES} amounts={[4400, 4400, undefined, 13_200]} />);
    expect(html.match(/<circle/g)).toHaveLength(3);
    const [, path = ""] = /<path class="line" d="([^"]*)"/.exec(html) ?? [];
    expect(path.match(/M/g)).toHaveLength(2);
  });

  it("has no number that is none, whatever there was", () => {
    for (const amounts of [[], [undefined], [5], [5, 5], [undefined, 5]])
      expect(render(<Sparkline amounts={amounts} />)).not.toMatch(/NaN|Infinity/);
  });
});
