#!/usr/bin/env bash
# Has a real Airflow read the DAG of examples/airflow and run it, task by task, over the sample; and holds each way in which the
# pipeline can end to what the DAG makes of it.
set -euo pipefail
cd "$(dirname "$0")/../.."

bin="$(test/python-packages.sh airflow test/schedulers/airflow-requirements.txt)"
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT

export PATH="$bin:$PATH" AIRFLOW_HOME="$folder/airflow" PYTHONDONTWRITEBYTECODE=1
export AIRFLOW__CORE__DAGS_FOLDER="$PWD/examples/airflow" AIRFLOW__CORE__LOAD_EXAMPLES=False
export AIRFLOW__DATABASE__SQL_ALCHEMY_CONN="sqlite:///$folder/airflow.db"
export RAW_ZONE="$PWD/data/raw" CURATED_ZONE="$folder/curated" PROVISION_ZONE="$folder/provision"
export CONSUMPTION_URL="sqlite:$folder/consumption.db" RUN_REPORTS="$folder/runs"
export VOUCHER_PIPELINE="node $PWD/dist/cli/main.js"

airflow db migrate >"$folder/migrate.log" 2>&1 || { cat "$folder/migrate.log"; exit 1; }
# By hand, Airflow takes the day that had ended by then.
airflow dags test voucher_pipeline 2020-05-29 >"$folder/dag.log" 2>&1 || { cat "$folder/dag.log"; exit 1; }

# Three runs of one stage each, from the latest to the first, for the end of the day.
node dist/cli/main.js runs --json >"$folder/runs.json"
node -e '
  const runs = JSON.parse(fs.readFileSync(process.argv[1], "utf8"));
  const found = runs.map(({ stages, outcome, execution_date }) => `${stages} ${outcome} ${execution_date}`);
  const wanted = ["publish", "aggregate", "curate"].map((stage) => `${stage} succeeded 2020-05-29T000000`);
  assert.deepEqual(found, wanted);
  console.log(`the DAG ran: ${found.reverse().join(", ")}`);' "$folder/runs.json"

python test/schedulers/airflow_outcomes.py
