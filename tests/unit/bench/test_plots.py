"""The performance page and its charts are made from the result files alone."""

import re
from pathlib import Path
from typing import Any

import pytest

from bench import plots
from bench.pages import headline, page
from bench.pages.pictures import PICTURES
from bench.plots import PAGE, draw

MACHINE = {"processor": "a processor", "cores": 2, "python": "3.11"}


def result(*rows: dict[str, Any]) -> dict[str, Any]:
    return {"machine": MACHINE, "command": "python -m bench.some", "results": list(rows)}


def contestant(name: str, speeds: list[int], **more: Any) -> dict[str, Any]:
    given = {"contestant": name, "workers": 1, "rate": None, "events_per_s": speeds}
    return given | {"cpu_seconds_per_million": [50.0] * len(speeds)} | more


def percentiles(milliseconds: float) -> dict[str, float]:
    return {"p50": milliseconds, "p99": 4 * milliseconds, "p999": 9 * milliseconds, "max": 20 * milliseconds}


RESULTS: dict[str, dict[str, Any]] = {
    "throughput": result(
        contestant(
            "ours", [20_000, 30_000, 25_000], stage_us_per_event={"decode": [2.0, 3.0], "fold": [9.0, 8.0]}
        ),
        contestant("naive_faust", [1_000, 1_250, 1_100]),
    ),
    "everything": result(
        {"what": "without", "events_per_s": [20_000, 40_000], "cpu_seconds_per_million": [30.0], "alerts": 0},
        {"what": "with", "events_per_s": [24_000], "cpu_seconds_per_million": [40.0], "alerts": 1_000},
    ),
    "latency": result(
        {"contestant": "ours", "workers": 1, "rate": 2_000, "latency_ms": percentiles(3.0)},
        {"contestant": "echo", "workers": 1, "rate": 2_000, "latency_ms": percentiles(1.5)},
        {"contestant": "naive_faust", "workers": 1, "rate": 2_000, "latency_ms": None},
    ),
    "fence": result({"measure": "events/s", "with": [10.0, 12.0], "without": [10.0, 10.0], "with_to_without": 1.1}),
    "core": result(
        {"contestant": "ours", "workers": 1, "rate": 8_000, "latency_ms": percentiles(3.0)},
        {"contestant": "ours_any_core", "workers": 1, "rate": 8_000, "latency_ms": percentiles(3.0)},
    ),
    "recovery": {
        **result(
            {
                "contestant": "ours",
                "customers": 100_000,
                "disk": "empty",
                "seconds": [2.5, 3.5],
                "restore_seconds": [1.0, 2.0],
                "records": [100_000, 100_000],
                "records_per_s": [100_000, 50_000],
            },
            {"contestant": "ours", "takeover_seconds": [11.0, 12.0]},
        ),
        "session_timeout_seconds": 10.0,
    },
    "memory": result(
        {
            "contestant": "ours",
            "customers": 1_000,
            "events_per_customer": 100,
            "rss_bytes": 3 * 2**20,
            "rss_peak_bytes": 4 * 2**20,
            "disk_bytes": 5 * 2**20,
            "disk_bytes_per_customer": 2_500.0,
            "topic_bytes_per_event": {
                "transactions": 60.0,
                "decisions": 200.0,
                "alerts": 5.0,
                "changelog": 735.0,
            },
        },
        {
            "contestant": "ours",
            "customers": 1_000,
            "steady": {
                "rate": 500.0,
                "seconds": 9.0,
                "rss_bytes": [[0.0, 10**8], [9.0, 10**8]],
                "slope_bytes_per_hour": 2**20,
                "slope_share_per_hour": 0.01,
            },
        },
    ),
    "growth": result(
        *(
            contestant(
                "ours",
                [speed],
                vary="customers",
                value=number,
                changelog_bytes_per_event=250.0,
                rss_peak_bytes=2**30,
            )
            for number, speed in [(1_000, 20_000), (100_000, 10_000)]
        )
    ),
    "batch": result(
        *(
            {
                "contestant": name, "work": "score", "events": 10, "events_per_s": [speed],
                "seconds": [1.0], "peak_rss_bytes": [10**8],
            }
            for name, speed in [("ours", 300_000), ("pandas", 100_000)]
        )
    ),
}  # fmt: skip


def test_the_page_is_up_to_date() -> None:
    text = PAGE.read_text(encoding="utf-8")

    assert page.render(text, page.tables(page.load())) == text, "run python -m bench.plots"


def test_the_page_contains_every_table_and_chart() -> None:
    text = PAGE.read_text(encoding="utf-8")

    assert set(page.tables(RESULTS)) == set(re.findall("<!-- table:([a-z-]+) -->", text))
    assert set(PICTURES) == set(re.findall(r"images/performance-([a-z]+)\.svg", text))


def test_a_stale_table_is_replaced() -> None:
    stale = "before\n<!-- table:batch -->\nstale\n<!-- end -->\nafter"

    rendered = page.render(stale, page.tables({"batch": RESULTS["batch"]}))

    assert "stale" not in rendered
    assert "| score, pandas | 10 | 100,000 | 1.0 | 100 | 3.00 |" in rendered
    assert rendered.startswith("before\n<!-- table:batch -->\n")
    assert rendered.endswith("\n<!-- end -->\nafter")


def test_a_missing_result_is_marked_as_not_measured() -> None:
    assert page.NOT_MEASURED in page.render("<!-- table:batch -->\n<!-- end -->", page.tables({}))


@pytest.mark.parametrize(
    ("name", "row"),
    [
        ("everything", "| with | 24,000 | 80% | 40.0 | 1,000 |"),
        ("throughput", "| ours, 1 worker | 25,000 (20,000 to 30,000) | 1.00 | 50.0 |"),
        ("throughput", "| naive_faust, 1 worker | 1,100 (1,000 to 1,250) | 22.73 | 50.0 |"),
        ("stages", "| fold | 8.5 (8.0 to 9.0) |"),
        ("latency", "| ours | 2,000 | 3.0 | 12.0 | 27.0 | 60.0 | 2.0 |"),
        ("latency", "| naive_faust | 2,000 | not sustained |"),
        ("fence", "| events/s | 11 (10 to 12) | 10 | 1.10 (1.00 to 1.20) |"),
        (
            "recovery",
            "| ours, 100,000, empty | 3.0 (2.5 to 3.5) | 1.5 (1.0 to 2.0) | 75,000 (50,000 to 100,000) |",
        ),
        ("recovery", "Takeover after `kill -9`: 11.5 (11.0 to 12.0) s, of which the broker waits 10 s"),
        ("memory", "| 1,000 | 100 | 3 | 4 | 5 | 2,500 |"),
        ("memory", "1,000 customers: resident memory changed by +1.0 MiB an hour (+1.00%)."),
        ("growth", "| 100,000 customers | 10,000 | 50.0 | 250 | 1,024 |"),
        ("past-one-machine", "| workers | 67 |"),
        ("past-one-machine", "| written to disks | 3,000 MB/s |"),
        ("past-one-machine", "| brokers | 10 |"),
        ("past-one-machine", "| transactions kept 35 days | 0.54 PB |"),
        ("past-one-machine", "| state on a worker's disk | 3.7 GB |"),
    ],
)
def test_tables_show_medians_spreads_and_ratios(name: str, row: str) -> None:
    assert row in page.tables(RESULTS)[name]


def test_every_chart_is_drawn_reproducibly(tmp_path: Path) -> None:
    first, second = (draw(RESULTS, tmp_path / name) for name in ("first", "second"))

    assert {f"performance-{name}.svg" for name in PICTURES} == {path.name for path in first}
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]


def test_a_chart_shows_its_figures(tmp_path: Path) -> None:
    drawn = {path.name: path.read_text() for path in draw(RESULTS, tmp_path)}

    assert "25,000" in drawn["performance-throughput.svg"]
    assert "naive_faust, 1 worker" in drawn["performance-throughput.svg"]
    assert "300,000" in drawn["performance-batch.svg"]


def test_a_chart_without_results_is_not_drawn(tmp_path: Path) -> None:
    bare = {"throughput": result(contestant("ours", [1])), "memory": result(), "growth": result()}

    assert [path.name for path in draw(bare, tmp_path)] == ["performance-throughput.svg"]


def test_the_figures_of_the_readme_are_those_of_the_results() -> None:
    """Otherwise: `python -m bench.plots`."""
    readme = headline.README.read_text(encoding="utf-8")

    assert headline.table(headline.load()) in readme


def test_the_command_names_the_charts_that_it_skips(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "performance.md").write_text("<!-- table:batch -->\n<!-- end -->\n")
    monkeypatch.setattr(plots, "DOCS", tmp_path)
    (tmp_path / "README.md").write_text("", encoding="utf-8")
    monkeypatch.setattr(plots, "PAGE", tmp_path / "performance.md")
    monkeypatch.setattr(plots, "README", tmp_path / "README.md")
    monkeypatch.setattr(page, "load", dict)

    plots.main()

    assert "skipped batch" in capsys.readouterr().out
    assert page.NOT_MEASURED in (tmp_path / "performance.md").read_text()
