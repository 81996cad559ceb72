"""Writes raw files as pyarrow, polars and fastparquet write them, each value in each type, and beside them what is right.

generate.py FOLDER
"""

import struct
import sys
from decimal import Decimal, getcontext

import fastparquet
import numpy
import pandas
import polars
import pyarrow
import pyarrow.parquet
import pyarrow.parquet.encryption
from fastparquet.cencoding import from_buffer

import expected
from expected import EXECUTION_DATE, HIGHEST, INVALID, LAST_ORDER, LOWEST, MISSING, TIMESTAMP, Corpus, micros

FOLDER = sys.argv[1]
getcontext().prec = 80

# --- the numbers that are tried -------------------------------------------------------------------------------------------

#: Numbers of a TIMESTAMP by its unit: good ones, those at the edges of what can be a moment, and the ends of the type.
ORDINARY = {
    unit: [count * per_second // 1_000_000 for count in (TIMESTAMP, LAST_ORDER, 0, EXECUTION_DATE, EXECUTION_DATE + 1_000_000)]
    for unit, per_second in {"ms": 1000, "us": 1_000_000, "ns": 1_000_000_000}.items()
}
EDGES = {
    "ms": [-1, -999, micros(1, 1, 1) // 1000, micros(1500, 1, 1) // 1000, -9_223_372_022_400_000, -9_223_372_022_400_001]
    + [9_223_372_036_854_775, 9_223_372_036_854_776, 2**62, -(2**62), HIGHEST, HIGHEST - 1, LOWEST + 1, LOWEST, None],
    "us": [-1, -999, micros(1, 1, 1), micros(9999, 12, 31), -9_223_372_022_400_000_000, -9_223_372_022_400_000_001]
    + [HIGHEST, HIGHEST - 1, LOWEST + 1, LOWEST, None],
    "ns": [-1, -999, -1000, -1001, 1, 999, 1999, -1_000_000_001, -9_223_372_022_400_000_001, -9_223_372_036_854_775_000]
    + [HIGHEST, HIGHEST - 1, LOWEST + 2, LOWEST + 1, LOWEST, None],
}
DAYS = [18_383, 0, -1, 18_411, 18_412, -719_162, -141_428, 106_751_991, 106_751_992, -106_751_991, -106_751_992]
DAYS += [2**31 - 1, 2**31 - 2, -(2**31) + 1, -(2**31), None]
COUNTRIES = ["Peru", "Per\u00fa", " Peru\t", "\u00a0Peru", "", " \r\n", None, "x" * 64, "\U0001f642" * 64, "x" * 65]
COUNTRIES += ["NULL", "nan", "Pe\0ru", "\0", "\ufeffPeru", "Peru\0 ", "2020-05-01", "{}"]
MOMENT_TEXTS = {
    "2020-05-01 10:00:00": micros(2020, 5, 1, 10),
    "2020-05-01T10:00:00.123456789+02:00": micros(2020, 5, 1, 8, 0, 0, 123456),
    "2020-05-01": micros(2020, 5, 1),
    "1969-12-31 23:59:59.9999999": -1,
    "2020-05-01\0": INVALID,
    "2020-05-0\0": INVALID,
    "2020-05-01 10:00:00\0+00:00": INVALID,
    "2020-02-30": INVALID,
    "": MISSING,
}
NUMBER_TEXTS = {"12": 12, "12.0": 12, "4.5": INVALID, "12\0": INVALID, "nan": INVALID, " 7 ": 7, "2147483648": 2**31, "": MISSING}
FLOATS = [0.0, -0.0, 5.0, 4.5, 0.1, -1.0, float("nan"), float("inf"), float("-inf"), 2.0**31 - 1, 2.0**31, 2.0**53 + 1]
FLOATS += [1e300, 5e-324, 16_777_217.0, 2640.0, None]
INTEGERS = {
    "int8": [0, 5, 127, -128, None],
    "int16": [0, 2640, 32767, -32768, None],
    "int32": [0, 1, 2**31 - 1, -(2**31), None],
    "int64": [0, 1, 2**31 - 1, 2**31, 2**53 + 1, HIGHEST, LOWEST, -1, None],
    "uint8": [0, 5, 255, None],
    "uint16": [0, 65535, None],
    "uint32": [1, 2**31 - 1, 2**31, 2**32 - 1, None],
    "uint64": [1, 2**31 - 1, 2**32 + 1, 2**63, 2**64 - 1, None],
}

# --- pyarrow --------------------------------------------------------------------------------------------------------------


def table(column, values, ids, nullable=True, extra=()):
    """A good table in which one column holds what is tried."""
    count = len(ids)
    columns = {
        "timestamp": pyarrow.array([TIMESTAMP] * count, pyarrow.int64()).view(pyarrow.timestamp("us")),
        # Rows are known by their amount, or else by the orders of those of another country.
        "country_code": pyarrow.array(["Chile" if column == "voucher_amount" else "Peru"] * count),
        "last_order_ts": pyarrow.array([LAST_ORDER] * count, pyarrow.int64()).view(pyarrow.timestamp("us")),
        "first_order_ts": pyarrow.nulls(count),
        "total_orders": pyarrow.array(ids if column == "voucher_amount" else [7] * count),
        "voucher_amount": pyarrow.array(ids),
        **dict(extra),
    }
    columns[column] = values
    fields = [pyarrow.field(name, array.type, nullable or name != column) for name, array in columns.items()]
    return pyarrow.table(list(columns.values()), schema=pyarrow.schema(fields))


def numbers_as(numbers, type_):
    """Numbers in a type that is stored as numbers of 32 or 64 bits, whatever they mean there."""
    stored = pyarrow.int32() if type_.bit_width == 32 else pyarrow.int64()
    return pyarrow.array(numbers, stored).view(type_)


def arrow(corpus, name, column, values, saids, nullable=True, extra=(), **options):
    ids = corpus.ids(len(saids))
    pyarrow.parquet.write_table(table(column, values, ids, nullable, extra), corpus.path(name), **options)
    if options.get("column_encoding", {}).get(column) == "BYTE_STREAM_SPLIT" and values.type not in DUCKDB_SPLITS:
        corpus.refused(name, "BYTE_STREAM_SPLIT")
    else:
        corpus.right(name, column, ids, saids)


#: The types of which DuckDB reads the encoding BYTE_STREAM_SPLIT.
DUCKDB_SPLITS = (pyarrow.float32(), pyarrow.float64())


def arrow_refused(corpus, name, column, values, *words, edit=None, **options):
    path = corpus.path(name)
    pyarrow.parquet.write_table(table(column, values, corpus.ids(len(values))), path, **options)
    if edit is not None:
        edit_footer(path, edit)
    corpus.refused(name, column, *words)


def edit_footer(path, edit):
    """Changes what a footer says, as other writers would have said it."""
    with open(path, "rb") as file:
        content = file.read()
    (length,) = struct.unpack("<I", content[-8:-4])
    metadata = from_buffer(content[-8 - length : -8], "FileMetaData")
    edit(metadata)
    footer = bytes(metadata.to_bytes())
    with open(path, "wb") as file:
        file.write(content[: -8 - length] + footer + struct.pack("<I", len(footer)) + b"PAR1")


def element(metadata, column):
    return next(each for each in metadata.schema if (each.name.decode() if isinstance(each.name, bytes) else each.name) == column)


def by_pyarrow():
    corpus = Corpus(FOLDER, "pyarrow", 1000)
    for unit in ("ms", "us", "ns"):
        for zone in (None, "UTC", "+02:00"):
            type_ = pyarrow.timestamp(unit, zone)
            for column in expected.MOMENTS:
                for kind, numbers in (("ordinary", ORDINARY[unit]), ("edges", EDGES[unit])):
                    saids = [expected.moment(number, unit) for number in numbers]
                    name = f"{column}-{unit}-{'zoned' + zone.replace(':', '') if zone else 'local'}-{kind}"
                    arrow(corpus, name, column, numbers_as(numbers, type_), saids, version="2.6")
            # The statistics say where the edges are, or say nothing; values come in other encodings and pages.
            numbers = [number for number in EDGES[unit] if number is not None]
            saids = [expected.moment(number, unit) for number in numbers]
            name = f"last_order_ts-{unit}-{zone is not None}-{zone == 'UTC'}"
            values = numbers_as(numbers, type_)
            arrow(corpus, f"{name}-no-statistics", "last_order_ts", values, saids, write_statistics=False, version="2.6")
            delta = {"use_dictionary": False, "column_encoding": {"last_order_ts": "DELTA_BINARY_PACKED"}}
            arrow(corpus, f"{name}-delta", "last_order_ts", values, saids, data_page_version="2.0", version="2.6", **delta)
            split = {"use_dictionary": False, "column_encoding": {"last_order_ts": "BYTE_STREAM_SPLIT"}}
            arrow(corpus, f"{name}-split", "last_order_ts", values, saids, compression="zstd", version="2.6", **split)
            arrow(corpus, f"{name}-required", "last_order_ts", values, saids, nullable=False, row_group_size=3, version="2.6")
            # What is no moment is none in a column of another meaning, either, and stops nothing.
            other = [INVALID] * len(numbers)
            arrow(corpus, f"total_orders-{unit}-{zone is not None}-{zone == 'UTC'}", "total_orders", values, other, version="2.6")
    for column in expected.MOMENTS:
        days = [expected.date(day) for day in DAYS]
        arrow(corpus, f"{column}-date", column, numbers_as(DAYS, pyarrow.date32()), days)
        numbers = [0, -1, 1999, -1999, -62_135_596_800_000_000, 253_402_300_799_999_999, EXECUTION_DATE, LOWEST, None]
        milliseconds = [0, -1, TIMESTAMP // 1000, LOWEST, None]
        nanoseconds = [0, -1, 1999, -1999, -1001, TIMESTAMP * 1000, LOWEST, None]
        for unit, each in (("us", numbers), ("ns", nanoseconds), ("ms", milliseconds)):
            values = numbers_as(each, pyarrow.timestamp(unit))
            saids = [expected.moment(number, unit) for number in each]
            arrow(corpus, f"{column}-int96-{unit}", column, values, saids, use_deprecated_int96_timestamps=True)
        arrow(corpus, f"{column}-text", column, pyarrow.array(list(MOMENT_TEXTS)), list(MOMENT_TEXTS.values()))
        for type_, values in OTHERS.items():
            missing = [MISSING if value is None else INVALID for value in values.to_pylist()]
            arrow(corpus, f"{column}-{type_}", column, values, missing)
    for column in ("total_orders", "voucher_amount"):
        for type_, numbers in INTEGERS.items():
            saids = [expected.number(number) for number in numbers]
            values = pyarrow.array(numbers, getattr(pyarrow, type_)())
            arrow(corpus, f"{column}-{type_}", column, values, saids)
            if type_ in ("int32", "int64", "uint32", "uint64"):
                delta = {"use_dictionary": False, "column_encoding": {column: "DELTA_BINARY_PACKED"}}
                arrow(corpus, f"{column}-{type_}-delta", column, values, saids, data_page_version="2.0", **delta)
                split = {"use_dictionary": False, "column_encoding": {column: "BYTE_STREAM_SPLIT"}}
                arrow(corpus, f"{column}-{type_}-split", column, values, saids, **split)
        for type_ in (numpy.float16, numpy.float32, numpy.float64):
            with numpy.errstate(over="ignore"):
                floats = [None if value is None else float(type_(value)) for value in FLOATS]
            saids = [expected.number(value) for value in floats]
            values = pyarrow.array(floats, pyarrow.from_numpy_dtype(type_))
            arrow(corpus, f"{column}-{type_.__name__}", column, values, saids)
            split = {"use_dictionary": False, "column_encoding": {column: "BYTE_STREAM_SPLIT"}}
            arrow(corpus, f"{column}-{type_.__name__}-split", column, values, saids, data_page_version="2.0", **split)
        decimals(corpus, column)
        arrow(corpus, f"{column}-text", column, pyarrow.array(list(NUMBER_TEXTS)), list(NUMBER_TEXTS.values()))
        for type_, values in OTHERS.items():
            missing = [MISSING if value is None else INVALID for value in values.to_pylist()]
            arrow(corpus, f"{column}-{type_}", column, values, missing)
    countries(corpus)
    codecs(corpus)
    refusals(corpus)
    corpus.end()


#: Types in which neither a moment nor a number can be meant.
OTHERS = {
    "bool": pyarrow.array([True, False, None]),
    "null": pyarrow.nulls(2),
    "time": pyarrow.array([0, 86_399_999_999, None], pyarrow.int64()).view(pyarrow.time64("us")),
    "uuid": pyarrow.ExtensionArray.from_storage(pyarrow.uuid(), pyarrow.array([b"0123456789abcdef", None], pyarrow.binary(16))),
    "list": pyarrow.array([["12"], None]),
    "struct": pyarrow.array([{"a": 12}, None]),
    "map": pyarrow.array([[("a", 12)], None], pyarrow.map_(pyarrow.string(), pyarrow.int64())),
}


def decimals(corpus, column):
    for digits, scale in [(4, 2), (5, 0), (9, 4), (10, 2), (18, 6), (19, 0), (23, 10), (37, 20), (38, 0), (38, 9), (38, 37)]:
        largest = Decimal(10**digits - 1).scaleb(-scale)
        values = [Decimal(1), Decimal(5), largest, -largest, Decimal(-1), Decimal(1).scaleb(-scale), Decimal(0), None]
        saids = [expected.number(value) for value in values]
        type_ = pyarrow.decimal128(digits, scale)
        array = pyarrow.array(values, type_)
        arrow(corpus, f"{column}-decimal-{digits}-{scale}", column, array, saids)
        split = {"use_dictionary": False, "column_encoding": {column: "BYTE_STREAM_SPLIT"}}
        arrow(corpus, f"{column}-decimal-{digits}-{scale}-split", column, array, saids, **split)
        if digits <= 18:
            arrow(corpus, f"{column}-decimal-{digits}-{scale}-as-integer", column, array, saids, store_decimal_as_integer=True)
        # As parquet-avro writes them: as few bytes as the number needs.
        name = f"{column}-decimal-{digits}-{scale}-as-bytes"
        unscaled = [None if value is None else int(value.scaleb(scale)) for value in values]
        stored = [None if each is None else each.to_bytes((each.bit_length() + 8) // 8, "big", signed=True) for each in unscaled]
        ids = corpus.ids(len(saids))
        pyarrow.parquet.write_table(table(column, pyarrow.array(stored, pyarrow.binary()), ids), corpus.path(name))

        def as_decimal(metadata, digits=digits, scale=scale):
            said = element(metadata, column)
            said.converted_type, said.scale, said.precision = 5, scale, digits

        edit_footer(corpus.path(name), as_decimal)
        corpus.right(name, column, ids, saids)


def countries(corpus):
    saids = [expected.country(text) for text in COUNTRIES]
    texts = pyarrow.array(COUNTRIES)
    kinds = {
        "text": texts,
        "large": texts.cast(pyarrow.large_string()),
        "view": texts.cast(pyarrow.string_view()),
        "dictionary": texts.dictionary_encode(),
        "bytes": texts.cast(pyarrow.binary()),
    }
    for kind, values in kinds.items():
        arrow(corpus, f"country_code-{kind}", "country_code", values, saids)
    for encoding in ("PLAIN", "DELTA_LENGTH_BYTE_ARRAY", "DELTA_BYTE_ARRAY"):
        for pages in ("1.0", "2.0"):
            options = {"use_dictionary": False, "column_encoding": {"country_code": encoding}, "data_page_version": pages}
            arrow(corpus, f"country_code-{encoding}-{pages}", "country_code", texts, saids, **options)
    documents = ['"Peru"', "{}", None]
    json = pyarrow.ExtensionArray.from_storage(pyarrow.json_(), pyarrow.array(documents))
    arrow(corpus, "country_code-json", "country_code", json, [expected.country(text) for text in documents])
    fixed = pyarrow.array([b"Peru", b"Pe\0u", None], pyarrow.binary(4))
    arrow(corpus, "country_code-fixed", "country_code", fixed, ["Peru", INVALID, MISSING])


def codecs(corpus):
    """All columns as they mostly come, of some pages, in every codec; and names that differ only by their case."""
    count = 3000
    texts = [f"Country {index % 7}" for index in range(count)]
    values = pyarrow.array(texts)
    for codec in ("none", "snappy", "gzip", "brotli", "zstd", "lz4"):
        for pages in ("1.0", "2.0"):
            options = {"compression": codec, "data_page_version": pages, "data_page_size": 2000, "row_group_size": 1100}
            arrow(corpus, f"codec-{codec}-{pages}", "country_code", values, texts, **options)
    clash = {"TIMESTAMP": pyarrow.array(["x", "y"]), "Country_Code": pyarrow.array([1, 2])}
    arrow(corpus, "names", "country_code", pyarrow.array(["Peru", None]), ["Peru", MISSING], extra=clash.items())
    long = {"note": pyarrow.array([Decimal(1), Decimal(2)], pyarrow.decimal256(76, 38)), "bytes": pyarrow.array([b"\xff", b"\0"])}
    arrow(corpus, "further-columns", "country_code", pyarrow.array(["Peru", None]), ["Peru", MISSING], extra=long.items())


class OpenKeys(pyarrow.parquet.encryption.KmsClient):
    """Keeps keys as they are."""

    def __init__(self, _configuration):
        super().__init__()

    def wrap_key(self, key_bytes, _master_key):
        return key_bytes.hex()

    def unwrap_key(self, wrapped_key, _master_key):
        return bytes.fromhex(wrapped_key)


def refusals(corpus):
    for digits, scale in [(39, 0), (42, 2), (55, 2), (60, 10), (70, 0), (76, 38)]:
        values = pyarrow.array([Decimal(5), Decimal(2640), None], pyarrow.decimal256(digits, scale))
        for column in ("total_orders", "voucher_amount", "country_code", "timestamp"):
            arrow_refused(corpus, f"{column}-decimal-{digits}-{scale}", column, values, f"DECIMAL({digits},{scale})")

    # Logical types without the converted type that readers knew before them.
    alone = {
        "decimal-int32": (pyarrow.array([Decimal("26.40")], pyarrow.decimal128(5, 2)), "DECIMAL(5,2)"),
        "decimal-fixed": (pyarrow.array([Decimal("26.40")], pyarrow.decimal128(25, 2)), "DECIMAL(25,2)"),
        "date": (numbers_as([18_383], pyarrow.date32()), "DATE"),
    }
    for name, (values, word) in alone.items():

        def without(metadata):
            element(metadata, "total_orders").converted_type = None

        options = {"store_decimal_as_integer": True, "edit": without}
        arrow_refused(corpus, f"total_orders-{name}-alone", "total_orders", values, word, **options)

    # Milliseconds by the converted type, and not by the logical type.
    for unit in ("us", "ns"):

        def as_milliseconds(metadata):
            element(metadata, "last_order_ts").converted_type = 9

        values = numbers_as([TIMESTAMP], pyarrow.timestamp(unit, "UTC"))
        options = {"edit": as_milliseconds, "version": "2.6"}
        arrow_refused(corpus, f"last_order_ts-{unit}-as-ms", "last_order_ts", values, "another unit", **options)

    for has_plain_footer in (True, False):
        name, whole = f"encrypted-{has_plain_footer}", table("country_code", pyarrow.array(["Peru"]), corpus.ids(1))
        keys = {"footer_key": "footer", "column_keys": {"columns": expected.COLUMNS}}
        configuration = pyarrow.parquet.encryption.EncryptionConfiguration(plaintext_footer=has_plain_footer, **keys)
        properties = pyarrow.parquet.encryption.CryptoFactory(OpenKeys).file_encryption_properties(
            pyarrow.parquet.encryption.KmsConnectionConfig(), configuration
        )
        with pyarrow.parquet.ParquetWriter(corpus.path(name), whole.schema, encryption_properties=properties) as writer:
            writer.write_table(whole)
        corpus.refused(name, "encrypted")

    # DuckDB breaks down at a scale below zero, and the other files are still told apart.
    def as_negative(metadata):
        said = element(metadata, "total_orders")
        said.converted_type, said.scale, said.precision = 5, -2, 9

    name, whole = "total_orders-decimal-negative", pyarrow.array([5], pyarrow.int32())
    pyarrow.parquet.write_table(table("total_orders", whole, corpus.ids(1)), corpus.path(name))
    edit_footer(corpus.path(name), as_negative)
    corpus.refused(name, "fails to read the file")

    # DuckDB reads no file with one, whichever column it is.
    def as_bson(metadata):
        element(metadata, "country_code").converted_type = 20

    name, bson = "country_code-bson", pyarrow.array([b"\x05\0\0\0\0"])
    pyarrow.parquet.write_table(table("country_code", bson, corpus.ids(1)), corpus.path(name))
    edit_footer(corpus.path(name), as_bson)
    corpus.refused(name, "converted type")
    for encoding in ("PLAIN", "RLE_DICTIONARY", "DELTA_LENGTH_BYTE_ARRAY", "DELTA_BYTE_ARRAY"):
        for text in (b"Per\xfa", b"\xed\xa0\x80", b"\xc0\xaf", b"\xf5\x80\x80\x80"):
            options = {} if encoding == "RLE_DICTIONARY" else {"use_dictionary": False, "column_encoding": {"country_code": encoding}}
            name = f"country_code-not-utf8-{encoding}-{text.hex()}"
            path = corpus.path(name)
            pyarrow.parquet.write_table(table("country_code", pyarrow.array([text, b"Peru"]), corpus.ids(2)), path, **options)
            corpus.refused(name, "UTF8")


# --- polars ---------------------------------------------------------------------------------------------------------------


def by_polars():
    corpus = Corpus(FOLDER, "polars", 1_000_000)

    def put(name, column, series, saids, **options):
        ids = corpus.ids(len(saids))
        frame = polars.from_arrow(table(column, pyarrow.array(ids), ids)).with_columns(series.alias(column))
        frame.write_parquet(corpus.path(name), **options)
        corpus.right(name, column, ids, saids)

    for unit in ("ms", "us", "ns"):
        for zone in (None, "UTC"):
            for kind, numbers in (("ordinary", ORDINARY[unit]), ("edges", EDGES[unit])):
                series = polars.Series(numbers, dtype=polars.Int64).cast(polars.Datetime(unit, zone))
                saids = [expected.moment(number, unit) for number in numbers]
                for column in ("timestamp", "last_order_ts"):
                    put(f"{column}-{unit}-{zone}-{kind}", column, series, saids)
    days = polars.Series(DAYS, dtype=polars.Int32).cast(polars.Date)
    put("last_order_ts-date", "last_order_ts", days, [expected.date(day) for day in DAYS], compression="lz4")
    for type_, numbers in INTEGERS.items():
        dtype = getattr(polars, type_.replace("uint", "UInt").replace("int", "Int"))
        series, saids = polars.Series(numbers, dtype=dtype), [expected.number(number) for number in numbers]
        put(f"total_orders-{type_}", "total_orders", series, saids, compression="brotli")
    for dtype in (polars.Float32, polars.Float64):
        series = polars.Series(FLOATS, dtype=dtype)
        put(f"voucher_amount-{dtype}", "voucher_amount", series, [expected.number(value) for value in series.to_list()])
    for digits, scale in ((9, 2), (18, 4), (38, 10)):
        values = [Decimal(5), Decimal("4.5"), Decimal(-1), None]
        series = polars.Series(values, dtype=polars.Decimal(digits, scale))
        put(f"voucher_amount-decimal-{digits}", "voucher_amount", series, [expected.number(value) for value in values])
    texts, saids = polars.Series(COUNTRIES, dtype=polars.String), [expected.country(text) for text in COUNTRIES]
    put("country_code-text", "country_code", texts, saids, compression="gzip")
    put("country_code-category", "country_code", texts.cast(polars.Categorical), saids)
    put("country_code-bytes", "country_code", texts.cast(polars.Binary), saids, compression="uncompressed")
    put("first_order_ts-null", "first_order_ts", polars.Series([None, None]), [MISSING, MISSING])
    corpus.end()


# --- fastparquet ----------------------------------------------------------------------------------------------------------


def by_fastparquet():
    corpus = Corpus(FOLDER, "fastparquet", 2_000_000)

    def put(name, column, values, saids, **options):
        ids = corpus.ids(len(saids))
        frame = table(column, pyarrow.array(ids), ids).drop_columns(["first_order_ts"]).to_pandas()
        frame["first_order_ts"] = pandas.Series(["2019-01-01"] * len(ids), dtype=object)
        frame["country_code"] = frame["country_code"].astype(object)
        frame[column] = values
        fastparquet.write(corpus.path(name), frame, **options)
        corpus.right(name, column, ids, saids)

    for unit in ("ms", "us", "ns"):
        for zone in (None, "UTC"):
            # It writes NaT as the lowest number where a column has no nulls, and says nothing of it in the statistics.
            numbers = [ORDINARY[unit][0], LOWEST, -1, ORDINARY[unit][1]]
            values = pandas.Series(numpy.array(numbers, dtype="int64").view(f"M8[{unit}]"))
            values = values if zone is None else values.dt.tz_localize(zone)
            for column in ("timestamp", "last_order_ts"):
                for nulls in (True, False):
                    saids = [expected.moment(number, unit) for number in numbers]
                    saids[1] = MISSING if nulls else INVALID
                    put(f"{column}-{unit}-{zone}-{nulls}", column, values, saids, has_nulls=nulls)
    numbers = [TIMESTAMP * 1000, -1_000, 0, EXECUTION_DATE * 1000, LOWEST]
    values = pandas.Series(numpy.array(numbers, dtype="int64").view("M8[ns]"))
    saids = [expected.moment(number, "ns") for number in numbers]
    put("last_order_ts-int96", "last_order_ts", values, saids, times="int96", has_nulls=False)
    for type_, numbers in INTEGERS.items():
        numbers = [number for number in numbers if number is not None]
        saids = [expected.number(number) for number in numbers]
        put(f"total_orders-{type_}", "total_orders", pandas.Series(numbers, dtype=type_), saids)
    nullable = pandas.array([5, None, 0], dtype="Int64")
    put("total_orders-nullable", "total_orders", nullable, [5, MISSING, 0])
    # NaN is pandas' missing value; fastparquet keeps it as NaN where a column has no nulls.
    floats = [value for value in FLOATS if value is not None]
    put("voucher_amount-float64", "voucher_amount", pandas.Series(floats), [expected.number(value) for value in floats], has_nulls=False)
    texts = [text for text in COUNTRIES if text is not None]
    saids = [expected.country(text) for text in texts]
    put("country_code-text", "country_code", pandas.Series(texts, dtype=object), saids, object_encoding="utf8")
    stored = pandas.Series([text.encode() for text in texts], dtype=object)
    put("country_code-bytes", "country_code", stored, saids, object_encoding={"country_code": "bytes", "first_order_ts": "utf8"})
    put("country_code-category", "country_code", pandas.Series(texts, dtype="category"), saids)
    corpus.end()


by_pyarrow()
by_polars()
by_fastparquet()
