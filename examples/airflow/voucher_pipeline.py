"""The voucher pipeline in Airflow 3: a task for each stage, once a day.

Where the zones and the database are, the workers' environment says (see .env.example). The variable VOUCHER_PIPELINE there is
the command of the pipeline, unless that is `pipeline`.
"""

import os
import shlex
import subprocess
from datetime import timedelta

import pendulum
from airflow.sdk import CronDataIntervalTimetable, dag, task
from airflow.sdk.exceptions import AirflowException, AirflowFailException

# What may pass by itself: a service that is away (4), another run of the same date (5). All else stays as it is.
CAN_PASS = (4, 5)


def run_pipeline(*arguments: str) -> None:
    """Runs a command of the pipeline, and ends it where the task is ended."""
    command = [*shlex.split(os.environ.get("VOUCHER_PIPELINE", "pipeline")), *arguments]
    process = subprocess.Popen(command)
    try:
        exit_code = process.wait()
    finally:
        # It gives everything back before it ends.
        process.terminate()
        process.wait()
    if exit_code == 0:
        return
    failed = f"{shlex.join(command)} ended with {exit_code}; docs/errors.md says what that means"
    raise AirflowException(failed) if exit_code in CAN_PASS else AirflowFailException(failed)


@dag(
    schedule=CronDataIntervalTimetable("@daily", timezone="UTC"),
    start_date=pendulum.datetime(2020, 5, 27, tz="UTC"),
    # With True, Airflow would at once queue a run for each day since start_date, one after the other: 2,375 by the end of November
    # 2026. For past days use `pipeline backfill --from … --to …`, which reads the raw files once for all of them, or set start_date
    # to the first day that you want, and then True.
    catchup=False,
    # Dates can be run in any order and side by side; how many at once is a matter of memory.
    max_active_runs=1,
    default_args={
        "retries": 4,
        "retry_delay": timedelta(minutes=2),
        "retry_exponential_backoff": True,
        # Longer than the time that the pipeline gives itself, which ends it well.
        "execution_timeout": timedelta(minutes=35),
    },
    doc_md=__doc__,
)
def voucher_pipeline():
    def stage(name: str):
        # A run stands at the end of its day: it sees what was known then.
        @task(task_id=name)
        def run(data_interval_end=None):
            moment = data_interval_end.in_timezone("UTC").strftime("%Y-%m-%dT%H:%M:%S")
            run_pipeline(name, "--execution-date", moment, "--wait", "5m", "--timeout", "30m")

        return run()

    stage("curate") >> stage("aggregate") >> stage("publish")


voucher_pipeline()
