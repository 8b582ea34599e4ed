"""The sizing page agrees with its result file and the settings."""

from typing import Any

from app.features.state import EMPTY
from app.settings import WorkerSettings
from bench.pages import page
from bench.sizing import PAGE, profile_bytes, tables

FILLED: dict[str, Any] = {
    "customers": 1_000_000,
    "events_per_customer": 3,
    "rss_start_bytes": 300 * 2**20,
    "rss_bytes": 700 * 2**20,
    "pss_bytes": 600 * 2**20,
    "rss_peak_bytes": 800 * 2**20,
    "profile_cache_bytes": 128 * 2**20,
    "disk_bytes_per_customer": 528.0,
    "topic_bytes_per_event": {"transactions": 24.4, "changelog": 75.6},
}


def test_the_page_is_up_to_date() -> None:
    text = PAGE.read_text(encoding="utf-8")

    assert text == page.render(text, tables(page.load()))


def test_each_figure_comes_from_the_result_file() -> None:
    made = tables({"memory": {"results": [FILLED, {"steady": {}}]}})

    assert "| 1,000,000 | 3 | 300 MiB | 700 MiB | 600 MiB | 800 MiB | 128 MiB |" in made["memory"]
    assert "| 1,000,000 | 3 | 264 | 528 | 2.00 |" in made["disk"]
    assert "| 1,000,000 | 3 | 24 MB | 76 MB | 100 MB |" in made["brokers"]


def test_the_settings_are_those_in_force_by_default() -> None:
    worker = WorkerSettings()
    together = (
        worker.profile_cache_bytes + worker.rocksdb_block_cache_bytes + worker.rocksdb_write_buffers_bytes
    )

    assert f"| together | {together // 2**20} |" in tables({})["settings"]


def test_a_profile_takes_the_documented_number_of_bytes() -> None:
    assert len(EMPTY) == profile_bytes(0)
    assert (192, 24) == (profile_bytes(0), profile_bytes(1) - profile_bytes(0))
