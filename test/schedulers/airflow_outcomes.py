"""Holds what the DAG makes of each exit code of the pipeline, and that a task which is ended ends the pipeline."""

import os
import signal
import sys
import threading
import time

sys.path.insert(0, "examples/airflow")

import voucher_pipeline
from airflow.sdk.exceptions import AirflowException, AirflowFailException


def outcome_of(command):
    os.environ["VOUCHER_PIPELINE"] = command
    try:
        voucher_pipeline.run_pipeline()
    except AirflowFailException:
        return "failed"
    except AirflowException:
        return "tried again"
    return "succeeded"


outcomes = {code: outcome_of(f"sh -c 'exit {code}'") for code in (0, 1, 2, 3, 4, 5)}
print(outcomes)
assert outcomes == {0: "succeeded", 1: "failed", 2: "failed", 3: "failed", 4: "tried again", 5: "tried again"}


def end_task(_signal, _frame):
    raise KeyboardInterrupt


signal.signal(signal.SIGTERM, end_task)
threading.Timer(1, lambda: os.kill(os.getpid(), signal.SIGTERM)).start()
began = time.monotonic()
try:
    outcome_of("sleep 60")
    raise SystemExit("a task that was ended went on")
except KeyboardInterrupt:
    assert time.monotonic() - began < 10, "a task that was ended left the pipeline running"
print("a task that is ended ends the pipeline")
