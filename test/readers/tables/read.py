"""
Reads folders of tables by lines of Python. Takes from standard input a JSON with `lines`, each by the name of its package, and `folders`,
each by the name of its table. Prints a JSON: for each line and table the columns with their types, and the rows of each execution date.
"""

import collections
import importlib
import json
import sys


def spark_session():
    from pyspark.sql import SparkSession

    session = SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false").getOrCreate()
    session.sparkContext.setLogLevel("OFF")
    return session


def seen_by_pandas(frame):
    return dict(frame.dtypes.astype(str)), frame["execution_date"].astype(str).tolist()


def seen_by_pyarrow(table):
    types = {field.name: str(field.type) for field in table.schema}
    return types, table["execution_date"].to_pylist()


def seen_by_polars(frame):
    types = {name: str(kind) for name, kind in frame.schema.items()}
    return types, frame["execution_date"].to_list()


def seen_by_duckdb(relation):
    types = {name: str(kind) for name, kind in zip(relation.columns, relation.types)}
    return types, [date for (date,) in relation.project("execution_date").fetchall()]


def seen_by_spark(frame):
    return dict(frame.dtypes), [row[0] for row in frame.select("execution_date").collect()]


def main():
    asked = json.load(sys.stdin)
    found = {}
    for package, line in asked["lines"].items():
        names = {package: spark_session()} if package == "spark" else {package: importlib.import_module(package)}
        if package == "pyarrow":
            importlib.import_module("pyarrow.parquet")
        found[package] = {}
        for table, folder in asked["folders"].items():
            result = eval(line.replace("data/provision/voucher_frequent_most_used", folder), names)
            types, dates = globals()[f"seen_by_{package}"](result)
            found[package][table] = {"types": types, "dates": collections.Counter(dates)}
    json.dump(found, sys.stdout)


main()
