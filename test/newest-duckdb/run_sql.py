"""Runs all of test/snapshots over the sample by the DuckDB of this Python, and prints what each statement gives as JSON.

Run it in a folder with data/raw/vouchers: python run_sql.py SNAPSHOTS
"""

import json
import sys
from pathlib import Path

import duckdb

# What reads raw files names these.
RAW_FILES = """
COPY (FROM '{sample}/vouchers-0001.parquet') TO 'data/raw/vouchers/it''s 1.parquet' (FORMAT parquet);
COPY (FROM '{sample}/vouchers-0002.parquet') TO 'data/raw/vouchers/2.parquet' (FORMAT parquet);
COPY (
  SELECT voucher_amount, 'further' AS column_2, "timestamp", country_code, last_order_ts, first_order_ts, total_orders
  FROM read_csv('{sample}/vouchers-late.csv', all_varchar = true)
) TO 'data/raw/vouchers/3.csv' (HEADER);
"""


def main(snapshots: Path, sample: str) -> None:
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    Path("data/raw/vouchers").mkdir(parents=True, exist_ok=True)
    connection.execute(RAW_FILES.replace("{sample}", sample))

    statements = {file.stem: file.read_text() for file in sorted(snapshots.glob("*.sql"))}
    del statements["functions.spark"]
    connection.execute(statements.pop("functions"))
    for schema in ("raw", "curated", "provision", "measures"):
        connection.execute(f"CREATE SCHEMA {schema}")
    rows = {}

    def run(name: str, title: str) -> None:
        found = connection.execute(statements[name])
        rows[title] = [[column[0] for column in found.description]]
        rows[title] += [[str(value) for value in row] for row in found.fetchall()]

    models = [name for name in statements if ".audit." not in name and not name.startswith("inspections.")]
    queries = [name for name in statements if name not in models]
    build(connection, {name: statements[name] for name in models})
    for name in models:
        rows[name] = [[str(value) for value in row] for row in connection.execute(f"FROM {name}").fetchall()]
    for name in queries:
        run(name, name)
    # The tables, whose order is a part of their bytes.
    ordered = [name for name in models if name.startswith(("curated.", "provision."))]
    # So that audits have something to find.
    for name in ordered:
        connection.execute(f"INSERT INTO {name} SELECT * FROM {name} LIMIT 3")
    for name in queries:
        run(name, f"{name}, over rows that are there twice")
    for name in rows.keys() - set(ordered):
        rows[name].sort()
    json.dump({"version": duckdb.__version__, "statements": len(statements) + 1, "rows": rows}, sys.stdout, sort_keys=True)


def build(connection: duckdb.DuckDBPyConnection, waiting: dict[str, str]) -> None:
    """Makes a table of each model, after those that it reads."""
    while waiting:
        made = []
        for name, sql in waiting.items():
            try:
                connection.execute(f"CREATE TABLE {name} AS {sql}")
                made.append(name)
            except duckdb.CatalogException as fault:
                missing = fault
        if not made:
            raise missing
        for name in made:
            del waiting[name]


main(Path(sys.argv[1]), sys.argv[2])
