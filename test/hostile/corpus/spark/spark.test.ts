import { expect, it } from "@jest/globals";
import { Suite } from "../../checking.js";
import { expectCorpus } from "../corpus.js";

const suite = new Suite("Parquet of Spark");

it("files of Spark, also with the calendar of Spark 2, are read exactly, or refused by name", async () => {
  const { files, rows, refused } = await expectCorpus(process.env["SPARK_PYTHON"], "generate_by_spark.py", [
    "spark",
  ]);
  suite.count(files, rows);
  suite.end("as the contract says", files - refused);
  suite.end("refused, named", refused);
  expect(files).toBeGreaterThan(30);
});
