"""``fraudstream topics list`` shows the table without a broker."""

import json

from typer.testing import CliRunner

from app.cli import app
from app.settings import Settings
from app.topics.topic_specs import topic_table


def test_the_list_names_every_topic() -> None:
    result = CliRunner().invoke(app, ["topics", "list"])

    assert result.exit_code == 0
    assert all(spec.name in result.output for spec in topic_table(Settings()))


def test_the_list_as_json_holds_every_field() -> None:
    listed = json.loads(CliRunner().invoke(app, ["topics", "list", "--json"]).output)["topics"]

    assert [spec.purpose for spec in topic_table(Settings())] == [row["purpose"] for row in listed]
    assert [None, 3_600_000] == sorted({row["min_compaction_lag_ms"] for row in listed}, key=bool)
