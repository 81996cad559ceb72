import { expect, it } from "@jest/globals";
import { Suite } from "../checking.js";
import { expectCorpus } from "./corpus.js";

const suite = new Suite("Parquet of pyarrow, polars and fastparquet");

it("files of pyarrow, polars and fastparquet are read exactly, or refused by name", async () => {
  const { files, rows, refused } = await expectCorpus(process.env["CORPUS_PYTHON"], "generate.py", [
    "pyarrow",
    "polars",
    "fastparquet",
  ]);
  suite.count(files, rows);
  suite.end("as the contract says", files - refused);
  suite.end("refused, named", refused);
  expect(files).toBeGreaterThan(400);
});
