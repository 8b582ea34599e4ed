"""The default read deadline of Redis is one that the committed measurement supports."""

import json

from app.operations.cluster_checks import MOST_WITHOUT_ENTITIES
from app.settings import RedisSettings
from bench.harness.results import RESULTS
from bench.redis_deadline.__main__ import NAME, table

CONTENT = json.loads((RESULTS / f"{NAME}.json").read_text(encoding="utf-8"))


def test_decisions_have_their_entities_with_the_default_deadline_also_under_load() -> None:
    default = RedisSettings().read_deadline_seconds
    shares = [
        row["share_without_entities"] for row in CONTENT["results"] if row["deadline_seconds"] == default
    ]

    assert len(shares) >= 2
    assert max(shares) <= MOST_WITHOUT_ENTITIES


def test_the_table_has_a_line_for_each_condition() -> None:
    assert len(table(CONTENT).splitlines()) == 1 + len(CONTENT["results"])
