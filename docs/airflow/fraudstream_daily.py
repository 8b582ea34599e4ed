"""Score yesterday's transactions every night, beside the stream or without one.

Copy into the DAGs folder. Both tasks are safe to repeat: the same file and the same model give the same bytes, and
an output appears whole or not at all. Exit code 0 is done; 1 means that the file or the model was refused, and 2
that a setting or an option is wrong. Neither heals by itself, so Airflow shall not retry but call somebody.

The input is the history a window needs: the last 30 days and yesterday, in order of arrival. Alerts of the days
before come out again, identical; `docs/models/batch.md` says how to keep yesterday's only.
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
    # Two runs of one day would write the same bytes to the same name; they only waste time.
    max_active_runs=1,
    default_args={"retries": 0, "env": {"FRAUDSTREAM_MODEL_DIR": "/models"}, "append_env": True},
) as dag:
    verify_model = BashOperator(task_id="verify_model", bash_command=VERIFY)
    score = BashOperator(task_id="score", bash_command=SCORE)
    verify_model >> score
