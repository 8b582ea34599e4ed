"""The report of a day: order of its rows, partitions that are still open, HTML page."""

import io
import json
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pyarrow as pa
import pytest

from app.adapters.parquet_sink.day_figures import DayFigureFiles
from app.adapters.parquet_sink.day_files import DayFiles
from app.adapters.parquet_sink.row_schemas import DECISIONS, LABELS
from app.commands.audit import report as report_command
from app.errors import ConfigurationError, InvalidFile, StateCorrupt
from app.rendering.console import SafeConsole
from app.rendering.palette import COLOURS
from app.reports.console import print_report
from app.reports.day_report import Tallies, report
from app.reports.headlines import headlines
from app.reports.incremental import kept_report
from app.reports.page import page
from tests.unit.day_records import DAY_MS, FIRST_DAY

DAY = "2026-02-28"
PLACES = {
    "terminal_id": ["quiet", "busy", "busy", "<b>", "<b>"],
    "country": ["DE", "DE", "FR", "", ""],
    "currency": ["EUR", "EUR", "EUR", "JPY", "EUR"],
    "outcome": ["approve", "review", "decline", "decline", "approve"],
    "transactions": [50, 3, 1, 2, 9],
    "amount_minor": [5000, 300, 100, 200, 900],
}
JUDGED = {
    "terminal_id": ["busy", "<b>"],
    "country": ["DE", ""],
    "outcome": ["review", "decline"],
    "judged": [2, 1],
    "frauds": [1, 0],
}
ATTACKS = {
    "customer_id": ["c1", "c2", "<i>"],
    "currency": ["EUR", "EUR", "JPY"],
    "alerts": [3, 1, 2],
    "declines": [1, 0, 2],
    "amount_minor": [30_000, 100, 200],
    "outcome": ["decline", "review", "decline"],
    "score": [0.98, 0.5, 0.99],
    "event_time": [0, 1, 2],
    "transaction_id": ["t1", "t2", "a b/&"],
    "terminal_id": ["busy", "busy", "<b>"],
}
TALLIES = Tallies(
    hours=pa.table({"hour": [0, 23], "outcome": ["approve", "decline"], "transactions": [59, 6]}),
    places=pa.table(PLACES),
    judged=pa.table(JUDGED),
    frauds_known=4,
    repeated=2,
    models=pa.table({"model": ["baseline/1"], "digest": ["0123456789abcdef"], "transactions": [65]}),
    attacks=pa.table(ATTACKS),
)
URL = "https://cases.example/alerts/{alert_id}"


def test_terminals_are_ordered_by_alerts_and_show_their_outcomes_and_precision() -> None:
    made = report(DAY, TALLIES, top=2)

    assert ["busy", "<b>"] == [part.name for part in made.terminals]
    busy = made.terminals[0]
    assert (4, 3, 1, 2, 1, 0.5) == (
        *(busy.transactions, busy.review, busy.decline),
        *(busy.judged, busy.frauds, busy.precision),
    )
    assert {
        "EUR": {"approve": 5900, "decline": 100, "review": 300},
        "JPY": {"decline": 200},
    } == made.money_minor


def test_there_is_no_precision_before_the_first_label() -> None:
    assert report(DAY, TALLIES._replace(judged=pa.table(JUDGED).slice(0, 0)), top=1).total.precision is None


def test_the_page_is_self_contained_and_escapes_terminal_ids() -> None:
    made = report(DAY, TALLIES, top=5)
    html = page(made, headlines(made, made), "facts")

    assert html.count("<svg") == 3
    assert "&lt;b&gt;" in html
    assert "<b>" not in html
    assert "http" not in html.replace("http://www.w3.org", "").replace("http://purl.org", "").replace(
        "http://creativecommons.org", ""
    )


def test_the_page_leads_with_headlines_and_names_the_model() -> None:
    made = report(DAY, TALLIES, top=5)
    html = page(made, headlines(made, None), "facts")

    assert html.index("Headlines") < html.index("baseline/1") < html.index("Terminals with the most alerts")
    assert "0123456789ab" in html


def test_alerts_of_the_page_link_to_a_case_tool_where_there_is_one() -> None:
    made = report(DAY, TALLIES, top=5)

    linked = page(made, headlines(made, None), "facts", URL)
    assert 'href="https://cases.example/alerts/alert-t1"' in linked
    assert 'href="https://cases.example/alerts/alert-a%20b%2F%26"' in linked
    assert "<a" not in page(made, headlines(made, None), "facts")


def test_an_outcome_has_one_colour_in_tables_and_charts() -> None:
    made = report(DAY, TALLIES, top=5)
    html = page(made, headlines(made, None), "facts")

    for outcome, colour in COLOURS.items():
        assert f'<b style="color: {colour}">{outcome}</b>' in html
        assert f"fill: {colour.lower()}" in html


def test_the_customers_with_the_highest_amounts_come_first_in_each_currency() -> None:
    made = report(DAY, TALLIES, top=1)

    assert ["c1", "<i>"] == [attack.customer_id for attack in made.attacks]
    assert ["alert-t1", "alert-a b/&"] == [attack.alert_id for attack in made.attacks]


def test_headlines_compare_counts_money_and_shares_with_the_day_before() -> None:
    now = report(DAY, TALLIES, top=0)
    half = {
        "transactions": [25, 1, 0, 1, 4],
        "amount_minor": [1, 1, 50, 1, 1],
    }
    before = report(DAY, TALLIES._replace(places=pa.table(PLACES | half), frauds_known=0), top=0)

    told = {(one.name, one.unit): (one.text, one.text_before, one.change) for one in headlines(now, before)}
    assert told["transactions", "count"] == ("65", "31", "+109.7 %")
    assert told["declined", "count"] == ("3", "1", "+200.0 %")
    assert told["amount declined", "EUR"] == ("1.00 EUR", "0.50 EUR", "+100.0 %")
    assert told["amount declined", "JPY"] == ("200 JPY", "1 JPY", "+19,900.0 %")
    assert told["alerts among transactions", "share"] == ("9.23 %", "6.45 %", "+2.78 points")
    assert told["frauds known so far", "count"] == ("4", "0", "")
    assert all(one.before is None and one.change == "" for one in headlines(now, None))


def test_the_console_shows_figures_model_and_alerts_with_amounts_in_major_units() -> None:
    made, output = report(DAY, TALLIES, top=5), io.StringIO()
    print_report(SafeConsole(file=output, width=120), made, headlines(made, made), "It is complete.")

    shown = output.getvalue()
    assert "300.00 EUR" in shown
    assert "model: baseline/1 (0123456789ab) of 65" in shown
    assert "alert-t1" in shown
    assert shown.rstrip().endswith("It is complete.")


@pytest.mark.parametrize(
    "url", ["cases/{alert_id}", "https://cases.example/", "javascript:alert({alert_id})"]
)
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(ConfigurationError, match="--alert-url"):
        report_command.report(datetime(2026, 2, 28, tzinfo=UTC), alert_url=url)


def test_the_day_before_the_first_is_not_compared(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    figures = DayFigureFiles(tmp_path)
    figures.count(DECISIONS, 0, rows(0, FIRST_DAY * DAY_MS, 0), 1)
    figures.count(DECISIONS, 0, rows(0, (FIRST_DAY + 1) * DAY_MS, 1), 2)

    for day, before in ((datetime(2026, 2, 28, tzinfo=UTC), None), (datetime(2026, 3, 1, tzinfo=UTC), 1)):
        report_command.report(day, directory=tmp_path, json=True)
        found = json.loads(capsys.readouterr().out)
        assert found["headlines"][0] == {
            "name": "transactions",
            "unit": "count",
            "value": 1,
            "before": before,
            "outcome": "",
        }
        assert found["models"] == [{"model": "m/1", "digest": "d", "transactions": 1}]


def rows(partition: int, time_ms: int, offset: int) -> Any:
    value = (
        b'{"transaction_id":"t","customer_id":"c","event_time":%d,"scored_at":1,"score":0.5,"outcome":"review",'
        b'"model":{"name":"m","version":"1","digest":"d"},"source":{"topic":"t","partition":0,"offset":%d},'
        b'"transaction":{"terminal_id":"m","amount_minor":1,"currency":"EUR"}}' % (time_ms, offset)
    )
    record = SimpleNamespace(value=value, partition=partition, offset=offset)
    return pa.Table.from_batches([DECISIONS.parse([record], -1).batch])


def test_a_partition_is_open_until_it_has_records_of_a_later_day(tmp_path: Path) -> None:
    figures = DayFigureFiles(tmp_path)
    for partition in range(2):
        figures.count(DECISIONS, partition, rows(partition, FIRST_DAY * DAY_MS, 0), 1)
    figures.count(DECISIONS, 1, rows(1, (FIRST_DAY + 1) * DAY_MS, 1), 2)

    assert ["decisions-0"] == kept_report(tmp_path, FIRST_DAY, DAY, top=1).open_partitions


def test_a_day_without_figures_is_refused_with_a_hint(tmp_path: Path) -> None:
    with pytest.raises(InvalidFile, match="is a worker of the role analytics running"):
        kept_report(tmp_path, FIRST_DAY, DAY, top=1)


def test_files_of_another_log_are_refused(tmp_path: Path) -> None:
    files = DayFiles(tmp_path)
    files.bind("labels", "fraud.labels.v1", "one")
    files.bind("labels", "fraud.labels.v1", "one")

    with pytest.raises(ConfigurationError, match=r"another fraud\.labels\.v1 \(one, now two\)"):
        files.bind("labels", "fraud.labels.v1", "two")


def test_a_damaged_file_of_figures_is_an_error(tmp_path: Path) -> None:
    figures = DayFigureFiles(tmp_path)
    figures.count(DECISIONS, 0, rows(0, FIRST_DAY * DAY_MS, 0), 1)
    (path,) = tmp_path.rglob("*.bin")
    path.write_bytes(path.read_bytes()[:-5])

    with pytest.raises(StateCorrupt, match="Delete it"):
        kept_report(tmp_path, FIRST_DAY, DAY, top=1)


@pytest.mark.parametrize("value", [None, b"", b"{", b"[]", b'{"event_time": 253402300800000}'])
def test_an_unreadable_record_is_counted_and_not_written(value: bytes | None) -> None:
    record = SimpleNamespace(value=value, partition=0, offset=0)

    for feed in (DECISIONS, LABELS):
        found = feed.parse([record], 7)
        assert (0, 1, 7) == (found.batch.num_rows, len(found.unreadable), found.decided_to)


def test_a_page_without_matplotlib_is_refused_with_the_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)

    with pytest.raises(ConfigurationError, match=r"fraudstream\[report\]"):
        report_command.report(datetime(2026, 2, 28, tzinfo=UTC), out=tmp_path / "report.html")
