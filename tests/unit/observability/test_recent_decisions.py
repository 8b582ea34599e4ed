"""The share of decisions without the features of their entities."""

from app.adapters.kafka.cluster_state import RecentDecisions
from app.operations.recent_decisions import count


def test_decisions_that_say_so_are_counted_as_without_entities() -> None:
    whole, without = b'{"degraded":[]}', b'{"score":0.5,"degraded":["late_event","entities_absent"]}'

    found = count([whole, without, whole, b'{"degraded":["late_event"]}'])

    assert found == RecentDecisions(counted=4, without_entities=1)
    assert found.share_without_entities == 0.25


def test_what_is_no_decision_is_left_out() -> None:
    assert count([None, b"", b"[]", b"\xff", b'{"degraded":7}']) == RecentDecisions()


def test_no_decisions_are_no_decisions_without_entities() -> None:
    assert RecentDecisions().share_without_entities == 0.0


def test_counts_of_partitions_add_up() -> None:
    one = RecentDecisions(counted=3, without_entities=1)

    assert one + RecentDecisions(counted=5, without_entities=2) == RecentDecisions(
        counted=8, without_entities=3
    )
