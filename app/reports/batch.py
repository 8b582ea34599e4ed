"""Computes the report of a day from the Parquet files with DuckDB: the reference for the incremental report, and its fallback."""

from pathlib import Path

import duckdb
import pyarrow as pa

from app.errors import InvalidFile
from app.reports.day_report import DayReport, Tallies, report
from app.reports.incremental import no_decision

_DECISIONS = """
create temp table decided as
select customer_id, terminal_id, coalesce(country, '') as country, currency, outcome, amount_minor, transaction_id,
       score, epoch_ms(event_time) as event_time, model_name || '/' || model_version as model, model_digest as digest,
       hour(event_time at time zone 'UTC') as hour
from read_parquet(?)
qualify row_number() over (partition by source_partition, source_offset order by kafka_offset) = 1
"""
_LABELS = """
create temp table known as
select transaction_id, arg_max(is_fraud, (reported_at, kafka_offset)) as is_fraud
from read_parquet(?) group by transaction_id
"""
_NO_LABELS = "create temp table known (transaction_id varchar, is_fraud boolean)"
_HOURS = "select hour, outcome, count(*) as transactions from decided group by all"
_PLACES = """
select terminal_id, country, currency, outcome, count(*) as transactions,
       sum(amount_minor)::bigint as amount_minor
from decided group by all
"""
_JUDGED = """
select terminal_id, country, outcome, count(is_fraud) as judged, count(*) filter (is_fraud) as frauds
from decided left join known using (transaction_id) where outcome <> 'approve' group by all
"""

_MODELS = "select model, digest, count(*) as transactions from decided group by all"
_ATTACKS = """
with ranked as (
    select *, row_number() over (
        partition by customer_id, currency order by outcome, score desc, event_time, transaction_id, terminal_id
    ) as place
    from decided where outcome <> 'approve'
)
select customer_id, currency, count(*) as alerts, count(*) filter (outcome = 'decline') as declines,
       sum(amount_minor)::bigint as amount_minor, any_value(outcome) filter (place = 1) as outcome,
       any_value(score) filter (place = 1) as score, any_value(event_time) filter (place = 1) as event_time,
       any_value(transaction_id) filter (place = 1) as transaction_id,
       any_value(terminal_id) filter (place = 1) as terminal_id
from ranked group by customer_id, currency
"""


def batch_report(directory: Path, name: str, top: int) -> DayReport:
    """Return the report of a day. Raises InvalidFile if there is no file of the day."""
    decisions, labels = (directory / feed / f"day={name}" for feed in ("decisions", "labels"))
    if not any(decisions.glob("*.parquet")):
        raise InvalidFile(no_decision(directory / "decisions", name))
    with duckdb.connect() as connection:
        # In an interactive session, DuckDB would draw a progress bar over the output of the command.
        connection.execute("set enable_progress_bar = false")
        connection.execute(_DECISIONS, [f"{decisions}/*.parquet"]).fetchall()
        if any(labels.glob("*.parquet")):
            connection.execute(_LABELS, [f"{labels}/*.parquet"]).fetchall()
        else:
            connection.execute(_NO_LABELS).fetchall()

        def table(query: str) -> pa.Table:
            return connection.sql(query).to_arrow_table()

        def number(query: str, *values: str) -> int:
            return int(connection.execute(query, values).fetchall()[0][0])

        rows = number("select count(*) from read_parquet(?)", f"{decisions}/*.parquet")
        tallies = Tallies(
            hours=table(_HOURS),
            places=table(_PLACES),
            judged=table(_JUDGED),
            frauds_known=number("select count(*) from known where is_fraud"),
            models=table(_MODELS),
            attacks=table(_ATTACKS),
            repeated=rows - number("select count(*) from decided"),
        )
    return report(name, tallies, top)
