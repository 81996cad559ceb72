"""Writes raw files as Spark writes them, also as Spark 2 did, and beside them what is right.

generate_by_spark.py FOLDER
"""

import glob
import os
import shutil
import sys
from decimal import Decimal

from pyspark.sql import SparkSession, functions, types

import expected
from expected import LAST_ORDER, MISSING, TIMESTAMP, Corpus, micros

FOLDER = sys.argv[1]
#: None of them before the calendar that Spark 2 did not have.
MOMENTS = [TIMESTAMP, LAST_ORDER, 0, -1, -999_999, micros(1600, 2, 29), micros(9999, 12, 31, 23, 59, 59, 999_999), None]
EARLY = [micros(1, 1, 1), micros(1582, 10, 4), micros(1582, 10, 15)]

session = (
    SparkSession.builder.master("local[1]")
    .config("spark.ui.enabled", "false")
    .config("spark.sql.session.timeZone", "UTC")
    .config("spark.sql.shuffle.partitions", "1")
    .config("spark.sql.parquet.datetimeRebaseModeInWrite", "CORRECTED")
    .config("spark.sql.parquet.int96RebaseModeInWrite", "CORRECTED")
    .getOrCreate()
)
session.sparkContext.setLogLevel("ERROR")
corpus = Corpus(FOLDER, "spark", 3_000_000)


def write(name, column, expression, values, type_, settings=None, **options):
    """Writes one file in which `expression` of the values stands in a column."""
    ids = corpus.ids(len(values))
    schema = types.StructType([types.StructField("id", types.LongType()), types.StructField("value", type_)])
    frame = session.createDataFrame(list(zip(ids, values, strict=True)), schema).coalesce(1)
    columns = {
        "timestamp": functions.timestamp_micros(functions.lit(TIMESTAMP)),
        "country_code": functions.lit("Chile" if column == "voucher_amount" else "Peru"),
        "last_order_ts": functions.timestamp_micros(functions.lit(LAST_ORDER)),
        "first_order_ts": functions.lit("2019-01-01"),
        "total_orders": functions.col("id") if column == "voucher_amount" else functions.lit(7),
        "voucher_amount": functions.col("id"),
        column: functions.expr(expression),
    }
    folder = corpus.path(name) + ".folder"
    for key, value in (settings or {}).items():
        session.conf.set(key, value)
    try:
        frame.select([value.alias(key) for key, value in columns.items()]).write.options(**options).parquet(folder)
    finally:
        for key in settings or {}:
            session.conf.set(key, "CORRECTED") if "Rebase" in key else session.conf.unset(key)
    (part,) = glob.glob(f"{folder}/part-*.parquet")
    os.replace(part, corpus.path(name))
    shutil.rmtree(folder)
    return ids


def put(name, column, expression, values, saids, type_=None, settings=None, **options):
    corpus.right(name, column, write(name, column, expression, values, type_ or types.LongType(), settings, **options), saids)


MILLISECONDS = {"spark.sql.parquet.outputTimestampType": "TIMESTAMP_MILLIS"}
OUTPUTS = {
    "int96": {"spark.sql.parquet.outputTimestampType": "INT96"},
    "micros": {"spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS"},
    "millis": MILLISECONDS,
}
LEGACY = {
    "spark.sql.parquet.datetimeRebaseModeInWrite": "LEGACY",
    "spark.sql.parquet.int96RebaseModeInWrite": "LEGACY",
}

for output, settings in OUTPUTS.items():
    cut = 1000 if output == "millis" else 1
    for column in ("timestamp", "first_order_ts"):
        numbers = MOMENTS + EARLY
        saids = [MISSING if number is None else number // cut * cut for number in numbers]
        put(f"{column}-{output}", column, "timestamp_micros(value)", numbers, saids, settings=settings)
    # The calendar of Spark 2: what is later than its end is the same in both, and what is earlier would be another day.
    saids = [MISSING if number is None else number // cut * cut for number in MOMENTS]
    put(f"last_order_ts-{output}-legacy", "last_order_ts", "timestamp_micros(value)", MOMENTS, saids, settings=settings | LEGACY)
    write(f"last_order_ts-{output}-julian", "last_order_ts", "timestamp_micros(value)", EARLY, types.LongType(), settings | LEGACY)
    corpus.refused(f"last_order_ts-{output}-julian", "last_order_ts", "Julian")

days = [18_383, 0, -1, -134_000, None]
saids = [expected.date(day) for day in days]
date = "date_from_unix_date(int(value))"
put("last_order_ts-date", "last_order_ts", date, days + [-719_162], saids + [expected.date(-719_162)])
put("last_order_ts-date-legacy", "last_order_ts", date, days, saids, settings=LEGACY)
write("last_order_ts-date-julian", "last_order_ts", date, [-719_162], types.LongType(), LEGACY)
corpus.refused("last_order_ts-date-julian", "last_order_ts", "Julian")
local = "cast(timestamp_micros(value) as timestamp_ntz)"
put("last_order_ts-local", "last_order_ts", local, MOMENTS, [MISSING if number is None else number for number in MOMENTS])

decimals = [Decimal(5), Decimal("4.5"), Decimal(-1), Decimal(0), None]
for digits, scale in ((5, 1), (12, 3), (25, 5), (38, 18)):
    for old in ("false", "true"):
        put(
            f"voucher_amount-decimal-{digits}-{old}",
            "voucher_amount",
            "value",
            decimals,
            [expected.number(value) for value in decimals],
            types.DecimalType(digits, scale),
            {"spark.sql.parquet.writeLegacyFormat": old},
        )
for type_, values in {
    types.ByteType(): [0, 5, 127, None],
    types.ShortType(): [0, 2640, -1],
    types.IntegerType(): [0, 2**31 - 1],
    types.LongType(): [0, 2**31, 2**53 + 1],
    types.DoubleType(): [5.0, 4.5, float("nan"), float("inf"), -0.0, None],
    types.FloatType(): [5.0, 4.5, float("nan"), 16_777_216.0],
}.items():
    saids = [expected.number(value) for value in values]
    put(f"total_orders-{type_.simpleString()}", "total_orders", "value", values, saids, type_, compression="gzip")
texts = ["Peru", " Per\u00fa ", "", "\U0001f642" * 64, "x" * 65, "Pe\0ru", None]
saids = [expected.country(text) for text in texts]
for codec in ("none", "snappy", "gzip", "zstd", "lz4_raw"):
    put(f"country_code-{codec}", "country_code", "value", texts, saids, types.StringType(), compression=codec)
version2 = {"parquet.writer.version": "v2"}
put("country_code-version-2", "country_code", "value", texts, saids, types.StringType(), None, **version2)
corpus.end()
session.stop()
