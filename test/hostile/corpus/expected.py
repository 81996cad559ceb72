"""What docs/contract.md says of raw values, in exact arithmetic. No DuckDB is asked."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

LOWEST, HIGHEST = -(2**63), 2**63 - 1
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
#: The moments that a TIMESTAMP of microseconds can be, as DuckDB counts them.
FIRST_MOMENT, LAST_MOMENT = -9_223_372_022_400_000_000, 9_223_372_036_854_775_806
DAY = 86_400_000_000


def micros(*parts):
    """Microseconds since 1970 of a moment in UTC."""
    return (datetime(*parts, tzinfo=UTC) - EPOCH) // timedelta(microseconds=1)


EXECUTION_DATE = micros(2020, 5, 29)
TIMESTAMP, LAST_ORDER = micros(2020, 5, 1), micros(2020, 4, 20)
MOMENTS = ("timestamp", "last_order_ts", "first_order_ts")
COLUMNS = ("timestamp", "country_code", "last_order_ts", "first_order_ts", "total_orders", "voucher_amount")
MISSING, INVALID = object(), object()


def moment(number, unit):
    """What a number of a TIMESTAMP says, in microseconds, digits below cut downwards."""
    if number is None:
        return MISSING
    # The lowest number stands for a missing value, and the two beside the ends are DuckDB's infinities.
    if number == LOWEST or (unit in ("us", "ns") and number in (LOWEST + 1, HIGHEST)):
        return INVALID
    said = {"s": number * 1_000_000, "ms": number * 1000, "us": number, "ns": number // 1000}[unit]
    return said if FIRST_MOMENT <= said <= LAST_MOMENT else INVALID


def date(days):
    """What the days since 1970 of a DATE say."""
    if days is None:
        return MISSING
    return days * DAY if FIRST_MOMENT <= days * DAY <= LAST_MOMENT else INVALID


def number(value):
    """What a number says: an int, or INVALID for what is no whole number."""
    if value is None:
        return MISSING
    if isinstance(value, (float, Decimal)) and value - value != 0:  # NaN and infinities
        return INVALID
    exact = Fraction(value)
    return exact.numerator if exact.denominator == 1 else INVALID


def country(text):
    """What a text says as a country."""
    stripped = (text or "").strip(" \t\r\n\v\f")
    if stripped == "":
        return MISSING
    return stripped if len(stripped) <= 64 and "\0" not in stripped else INVALID


def outcome(column, said):
    """What becomes of a row in which all is good but one column."""
    if column == "first_order_ts":
        return {"outcome": "curated", "value": None if said in (MISSING, INVALID) else str(said)}
    lowest = {"total_orders": 0, "voucher_amount": 1}.get(column)
    if lowest is not None and isinstance(said, int) and not lowest <= said <= 2**31 - 1:
        said = INVALID
    if said is MISSING or said is INVALID:
        return {"outcome": "rejected", "reasons": [f"{column}_{'missing' if said is MISSING else 'invalid'}"]}
    if column in MOMENTS and said > EXECUTION_DATE:
        return {"outcome": "out of scope"}
    return {"outcome": "curated", "value": str(said)}


class Corpus:
    """Files, and beside them what is right."""

    def __init__(self, folder, writer, first_id):
        self.folder, self.writer, self.files, self._next = Path(folder), writer, [], first_id

    def ids(self, count):
        """Numbers by which rows are known: in voucher_amount, or in total_orders where that is tried."""
        self._next += count
        return list(range(self._next - count, self._next))

    def path(self, name):
        return str(self.folder / f"{self.writer}-{name}.parquet")

    def right(self, name, column, ids, saids):
        """Says of a written file what is right of each row."""
        rows = [{"id": i, **outcome(column, said)} for i, said in zip(ids, saids, strict=True)]
        self.files.append({"file": f"{self.writer}-{name}.parquet", "column": column, "rows": rows})

    def refused(self, name, *words):
        """Says of a written file that a run names it, with these words."""
        self.files.append({"file": f"{self.writer}-{name}.parquet", "refused": words})

    def end(self):
        (self.folder / f"{self.writer}.json").write_text(json.dumps(self.files))
