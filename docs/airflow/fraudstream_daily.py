"""Score yesterday's transactions every night, with or without the stream.

Copy this file into the DAGs folder. Both tasks can be repeated: the same file and the same model give the same bytes,
and an output file appears complete or not at all. Exit code 0 means success, 1 that the file or the model was refused,
2 that a setting or an option is wrong. A retry would fail in the same way, so retries are off: alert an operator.

The input is the history that the windows need: the last 30 days and yesterday, in order of arrival. The output repeats
the alerts of earlier days, identically; `docs/models/batch.md` shows how to keep only yesterday's.
"""

from datetime import UTC, datetime

from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import DAG

HISTORY = "/data/transactions/until-{{ ds }}.parquet"
ALERTS = "/data/alerts/{{ ds }}.parquet"

VERIFY = "fraudstream model verify"
SCORE = f"fraudstream score {HISTORY} --out {ALERTS} --alerts-only --json"

with DAG(
    dag_id="fraudstream_daily",
    schedule="0 2 * * *",
    start_date=datetime(2025, 1, 1, tzinfo=UTC),
    catchup=False,
    # Parallel runs of one day would write the same bytes to the same file, which is safe but useless.
    max_active_runs=1,
    default_args={"retries": 0, "env": {"FRAUDSTREAM_MODEL_DIR": "/models"}, "append_env": True},
) as dag:
    verify_model = BashOperator(task_id="verify_model", bash_command=VERIFY)
    score = BashOperator(task_id="score", bash_command=SCORE)
    verify_model >> score
