import { describe, expect, it } from "@jest/globals";
import { Examination, found } from "../../src/introspect/doctor/examination.js";
import { checkClock, checkMemory, checkNode } from "../../src/introspect/doctor/machine.js";
import { RunActivity } from "../../src/run/activity.js";

const MINUTE = 60_000;
const GIBIBYTE = 1024 ** 3;
const unusable = expect.objectContaining({ code: "MACHINE_NOT_USABLE" });

describe("the checks of the machine", () => {
  it.each(["22.1.0", "24.0.0", "26.10.0"])("take Node %s", (version) => {
    expect(checkNode(version).message).toBe(`Node ${version}`);
  });

  it("accept Node 20, and warn that it has no support", () => {
    expect(checkNode("20.19.0").message).toBe(
      "Node 20.19.0, which nobody supports any more: install Node 24",
    );
  });

  it.each(["18.20.0", "20.18.3"])("refuse Node %s", (version) => {
    expect(() => checkNode(version)).toThrow(unusable);
  });

  it("require memory for DuckDB and for the rest of the process", () => {
    expect(checkMemory(4 * GIBIBYTE, 5 * GIBIBYTE).message).toBe("DuckDB may use 4.0 GiB of 5.0 GiB");
    expect(() => checkMemory(4.9 * GIBIBYTE, 5 * GIBIBYTE)).toThrow("lower DUCKDB_MEMORY_LIMIT");
  });

  it("require clocks that agree within a few minutes", () => {
    expect(checkClock({ S3: MINUTE, "the database": -MINUTE }).message).toBe("agrees with S3, the database");
    expect(() => checkClock({ S3: 0, "the database": -10 * MINUTE })).toThrow(
      "the database is 600 s behind this machine; correct the wrong clock",
    );
  });
});

describe("an examination", () => {
  it("reports a bug of a check as such, and continues", async () => {
    const examination = new Examination(new RunActivity());
    const broken = await examination.check("broken", [], () => {
      throw new TypeError("x is not a function");
    });
    await examination.check("after it", [broken], () => found("never"));
    await examination.check("beside it", [], () => found("fine"));
    expect(await examination.results()).toEqual([
      { check: "broken", outcome: "failed", message: "x is not a function", code: "BUG" },
      { check: "after it", outcome: "unchecked", message: "it needs broken", code: null },
      { check: "beside it", outcome: "passed", message: "fine", code: null },
    ]);
  });
});
