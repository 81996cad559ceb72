import { describe, expect, it } from "@jest/globals";
import { prepareSession } from "../../src/consumption/mysql-connection.js";

/** A server whose sessions are as they were set, apart from some variables. */
async function prepared(kept: Record<string, unknown>, idleSeconds?: number): Promise<string[]> {
  const said: string[] = [];
  const values: Record<string, unknown> = {};
  await prepareSession(
    (statement) => {
      said.push(statement);
      for (const [, name = "", text, number] of statement.matchAll(/SESSION (\w+) = (?:'([^']*)'|(\d+))/g))
        values[name] = text ?? number;
      return Promise.resolve([{ ...values, ...kept }]);
    },
    "MySQL database db at host:3306",
    idleSeconds,
  );
  return said;
}

describe("a session of MySQL or MariaDB", () => {
  it("is set and checked with two statements", async () => {
    expect(await prepared({})).toHaveLength(2);
  });

  it("ends itself if its process is silent for long", async () => {
    expect((await prepared({}, 60))[0]).toContain("SESSION wait_timeout = 60");
  });

  it.each([
    ["autocommit", "0"],
    ["autocommit", "OFF"],
    ["collation_connection", "latin1_swedish_ci"],
    ["sql_mode", "NO_BACKSLASH_ESCAPES"],
    ["max_statement_time", "0.5"],
    ["transaction_isolation", "READ-COMMITTED"],
  ])("in which %s stays %s is not used, and the message explains it", async (name, value) => {
    await expect(prepared({ [name]: value })).rejects.toMatchObject({
      code: "CONSUMPTION_NOT_USABLE",
      message: expect.stringContaining(`${name} is ${value} instead of`),
    });
  });
});
