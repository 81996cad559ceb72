"""The contract's files by PySpark, as the original system made them: one process, local[*], with no audit and no publish.

spark.py RAW OUT EXECUTION_DATE PARTITION_KEY
"""
import sys

from pyspark.sql import SparkSession, Window
from pyspark.sql import functions as f

raw, out, execution_date, partition_key = sys.argv[1:]
spark = (
    SparkSession.builder.master("local[*]")
    .appName("vouchers")
    .config("spark.ui.enabled", "false")
    .config("spark.sql.session.timeZone", "UTC")
    .config("spark.sql.timestampType", "TIMESTAMP_NTZ")
    .config("spark.sql.shuffle.partitions", "4")
    .config("spark.sql.parquet.compression.codec", "zstd")
    .getOrCreate()
)
spark.sparkContext.setLogLevel("ERROR")

COLUMNS = ["timestamp", "country_code", "last_order_ts", "first_order_ts", "total_orders", "voucher_amount"]
# The columns without which a voucher is rejected, with what is read from each.
NEEDED = {
    "timestamp": "ts",
    "country_code": "country",
    "last_order_ts": "last_order",
    "total_orders": "orders",
    "voucher_amount": "amount",
}
SEGMENTS = {
    "frequent_segment": ("orders", [(4, "0-4"), (13, "5-13"), (37, "13-37")], "37+"),
    "recency_segment": (
        "days",
        [(30, "0-30"), (60, "30-60"), (90, "60-90"), (120, "90-120"), (180, "120-180")],
        "180+",
    ),
}


def stripped(column):
    return f.regexp_replace(f.col(column).cast("string"), r"^[ \t\n\x0B\f\r]+|[ \t\n\x0B\f\r]+$", "")


def moment(column):
    """Spark's own cast takes more than the contract has: years alone, names of zones."""
    text = stripped(column)
    is_moment = text.rlike(
        r"^[0-9]{4}-[0-9]{2}-[0-9]{2}"
        r"([ T][0-9]{2}:[0-9]{2}:[0-9]{2}([.][0-9]{1,9})?(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])?)?$"
    )
    return f.when(is_moment, text.try_cast("timestamp_ltz").cast("timestamp_ntz"))


def whole(column, lowest):
    text = stripped(column)
    number = f.when(text.rlike(r"^[+]?[0-9]+([.]0*)?$"), text.try_cast("decimal(20, 1)").cast("bigint"))
    return f.when(number.between(lowest, 2147483647), number.cast("int"))


def segment_of(measure, bounded, unbounded):
    column = f
    for up_to, name in bounded:
        column = column.when(f.col(measure) <= up_to, name)
    return column.otherwise(unbounded)


def reason(column, value):
    missing = f.coalesce(stripped(column), f.lit("")) == ""
    return f.when(
        f.col(value).isNull(), f.concat(f.lit(column), f.when(missing, "_missing").otherwise("_invalid"))
    )


def written(rows, table):
    rows.withColumn("execution_date", f.lit(partition_key)).coalesce(1).write.mode("overwrite").parquet(f"{out}/{table}")


country = stripped("country_code")
typed = (
    spark.read.parquet(raw)
    .select(*COLUMNS, f.input_file_name().alias("source_file"))
    .withColumn("ts", moment("timestamp"))
    .withColumn("country", f.when(country != "", country))
    .withColumn("last_order", moment("last_order_ts"))
    .withColumn("first_order", moment("first_order_ts"))
    .withColumn("orders", whole("total_orders", 0))
    .withColumn("amount", whole("voucher_amount", 1))
    .cache()
)
is_rejected = f.lit(False)
for value in NEEDED.values():
    is_rejected = is_rejected | f.col(value).isNull()

known_at = f.lit(execution_date).cast("timestamp_ntz")
known = typed.where(~is_rejected & (f.col("ts") <= known_at) & (f.col("last_order") <= known_at)).withColumn(
    "days", f.date_diff(known_at.cast("date"), f.col("last_order").cast("date"))
)
for segment, (measure, bounded, unbounded) in SEGMENTS.items():
    known = known.withColumn(segment, segment_of(measure, bounded, unbounded))
vouchers = known.select(
    f.col("ts").alias("timestamp"),
    f.col("country").alias("country_code"),
    f.col("last_order").alias("last_order_ts"),
    f.col("first_order").alias("first_order_ts"),
    f.col("orders").alias("total_orders"),
    f.col("amount").alias("voucher_amount"),
    f.col("days").alias("days_since_last_order"),
    *SEGMENTS,
)
written(vouchers, "vouchers")

reasons = f.array_compact(f.array(*[reason(column, value) for column, value in NEEDED.items()]))
texts = [f.col(column).cast("string").alias(column) for column in COLUMNS]
written(typed.where(is_rejected).select(*texts, reasons.alias("reject_reasons"), "source_file"), "vouchers_rejected")

curated = spark.read.parquet(f"{out}/vouchers")
for segment in SEGMENTS:
    counted = curated.groupBy("country_code", segment, "voucher_amount").agg(f.count("*").alias("assignments"))
    group = Window.partitionBy("country_code", segment)
    most_used = (
        counted.withColumn("segment_assignments", f.sum("assignments").over(group))
        .withColumn("place", f.row_number().over(group.orderBy(f.desc("assignments"), "voucher_amount")))
        .where("place = 1")
        .drop("place")
    )
    written(most_used, f"voucher_{segment.removesuffix('_segment')}_most_used")
