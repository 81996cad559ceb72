import { describe, expect, it } from "@jest/globals";
import { parseDuration } from "../../src/cli/run-options.js";

describe("a duration", () => {
  it.each([
    ["0s", 0],
    ["500ms", 500],
    ["90s", 90_000],
    ["10m", 600_000],
    ["2h", 7_200_000],
    ["576h", 2_073_600_000],
  ])("%s is %d milliseconds", (text, milliseconds) => {
    expect(parseDuration(text, "--timeout")).toBe(milliseconds);
  });

  it.each(["", "10", "s", "-1s", "1.5h", "1 h", "1d", "10M", "1h30m", "577h", "9999999999s"])(
    "%j is refused, with the ways to write it",
    (text) => {
      expect(() => parseDuration(text, "--timeout")).toThrow(
        `--timeout ${text} is not a valid duration. Use for example 500ms, 90s, 10m or 2h`,
      );
    },
  );
});
