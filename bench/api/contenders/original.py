"""The original service's way, written anew: each request opens a connection, asks one question and closes it."""

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pymysql
from fastapi import FastAPI

TABLES = {
    "frequent_segment": "voucher_frequent_most_used",
    "recency_segment": "voucher_recency_most_used",
}
SEGMENTS = json.loads(Path(os.environ["SEGMENTS_FILE"]).read_text())
ADDRESS = urlsplit(os.environ["CONSUMPTION_URL"])

app = FastAPI()


# Not async: the driver blocks, and FastAPI gives such a route a thread.
@app.get("/voucher/most-used")
def most_used(customer: str):
    described = json.loads(unquote(customer))
    kind = described["segment_name"]
    segment = segment_of(kind, measure(kind, described))
    connection = pymysql.connect(
        host=ADDRESS.hostname,
        port=ADDRESS.port,
        user=ADDRESS.username,
        password=unquote(ADDRESS.password or ""),
        database=ADDRESS.path.removeprefix("/"),
        # The driver would agree on TLS anew for each request, which costs many times as much as all the rest.
        ssl_disabled=True,
    )
    with connection, connection.cursor() as cursor:
        cursor.execute(
            f"SELECT voucher_amount FROM {TABLES[kind]} "
            f"WHERE country_code = %s AND {kind} = %s ORDER BY execution_date DESC LIMIT 1",
            (described["country_code"], segment),
        )
        row = cursor.fetchone()
    return {"voucher_amount": None if row is None else row[0]}


def measure(kind, described):
    if kind == "frequent_segment":
        return int(described["total_orders"])
    last_order = datetime.fromisoformat(described["last_order_ts"])
    return (datetime.now(UTC).date() - last_order.date()).days


def segment_of(kind, value):
    return next(
        segment["name"]
        for segment in SEGMENTS[kind]["segments"]
        if "up_to" not in segment or value <= segment["up_to"]
    )
