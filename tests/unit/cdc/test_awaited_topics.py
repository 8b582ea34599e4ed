"""Topics of empty tables are waited for, and found when they appear."""

import pytest
from structlog.testing import capture_logs

from app.reference.awaited_topics import CHECK_SECONDS, AwaitedTopics
from tests.unit.clock import Clock


class Cluster:
    """Topics that appear, and how often they were looked for."""

    def __init__(self) -> None:
        self.topics: dict[str, str] = {}
        self.looks = 0

    async def find(self) -> dict[str, str]:
        self.looks += 1
        return dict(self.topics)


@pytest.fixture
def cluster() -> Cluster:
    return Cluster()


async def test_a_missing_topic_is_named_once_with_the_remedy(cluster: Cluster) -> None:
    awaited = AwaitedTopics(["a", "b"], cluster.find)

    with capture_logs() as logged:
        for _ in range(2):
            await awaited.look()
            assert {} == awaited.present
    assert [["a", "b"]] == [event["topics"] for event in logged]
    assert "cdc register" in logged[0]["why"]


async def test_a_topic_that_appears_is_found_within_the_interval(cluster: Cluster) -> None:
    clock = Clock()
    awaited = AwaitedTopics(["a", "b"], cluster.find, clock)
    cluster.topics = {"a": "1"}
    await awaited.look()
    cluster.topics |= {"b": "2"}

    assert not await awaited.more()
    clock.seconds += CHECK_SECONDS
    assert await awaited.more()


async def test_nothing_is_asked_when_all_are_present(cluster: Cluster) -> None:
    clock = Clock()
    awaited = AwaitedTopics(["a"], cluster.find, clock)
    cluster.topics = {"a": "1"}
    await awaited.look()
    clock.seconds += 10 * CHECK_SECONDS

    assert not await awaited.more()
    assert 1 == cluster.looks
