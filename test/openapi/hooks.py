"""Teaches Schemathesis the two kinds of files of customers, which OpenAPI can only describe as texts."""

import csv
import io
import json

import schemathesis

HEADER = ["country_code", "segment_name", "total_orders", "last_order_ts"]


@schemathesis.serializer("text/csv")
def csv_of(ctx, value):
    """A file with the text as a country, whatever is in it; what is no text is sent as it is, to be refused."""
    if not isinstance(value, str):
        return json.dumps(value).encode()
    file = io.StringIO()
    csv.writer(file, quoting=csv.QUOTE_ALL).writerows([HEADER, [value, "frequent_segment", "15", ""]])
    return file.getvalue().encode(errors="replace")


@schemathesis.serializer("application/x-ndjson")
def ndjson_of(ctx, value):
    """Lines that are no customers are answered, each with what is wrong with it. What is no text becomes bytes that are none."""
    return value.encode(errors="replace") if isinstance(value, str) else b"\xff" + json.dumps(value).encode()


@schemathesis.deserializer("application/x-ndjson")
def first_line(ctx, response):
    """Every line is held to the same schema; the tests of the project look at the others."""
    return json.loads(response.content.split(b"\n", 1)[0])
