"""Activities and labels of terminals and customers: complete after kills, exact after repeated records."""

from random import Random

import pytest

from app.adapters.serde.json_codec import encode_event
from app.domain.label import Label
from app.domain.transaction import Transaction
from app.local.state import Stack
from app.traffic.produce import produce_raw
from tests.activity_format import read_activity
from tests.support import reading
from tests.support.deployment import Deployment
from tests.support.entities import Entities, check_activities, digest, label, recounted
from tests.support.traffic import DAY_MS, START_MS, traffic

pytestmark = pytest.mark.integration

EVENTS = 1_500
END_MS = START_MS + 29 * DAY_MS


@pytest.fixture
def entities(deployment: Deployment, stack: Stack) -> Entities:
    return Entities(deployment, stack.redis)


def labels_of(transactions: list[Transaction], seed: int) -> list[Label]:
    """Labels of one transaction in five; some are repeated, some reversed."""
    random = Random(seed)
    found = []
    for transaction in random.sample(transactions, len(transactions) // 5):
        reported = [random.randrange(START_MS, END_MS) for _ in range(random.choice((1, 1, 1, 2)))]
        known = [
            label(transaction, max(at, transaction.event_time), is_fraud=random.random() < 0.8)
            for at in reported
        ]
        found += known + known[: random.choice((0, 0, 1))]
    return found


async def test_repeated_kills_lose_nothing_and_count_nothing_twice(
    deployment: Deployment, entities: Entities
) -> None:
    worker, scorer = entities.worker(), entities.scorer()
    worker.start()
    scorer.start()
    for seed in range(3):
        batch = list(traffic(EVENTS, seed))
        await entities.send(labels_of(batch, seed))
        await deployment.produce(batch)
        await deployment.decided((seed + 1) * EVENTS // 2)
        victim = scorer if seed == 1 else worker
        victim.kill()
        victim.start()
    await deployment.drained()
    await entities.drained()
    assert worker.terminate() == 0

    newest = reading.newest_per_key(await deployment.read(entities.changelog))
    check_activities(newest, await recounted(deployment))
    assert newest == reading.stored_values(worker.data_dir, reading.ACTIVITIES)
    assert newest == entities.in_redis()


async def test_a_lost_disk_is_restored_from_the_changelog(deployment: Deployment, entities: Entities) -> None:
    worker, scorer = entities.worker(), entities.scorer()
    worker.start()
    scorer.start()
    batch = list(traffic(EVENTS, 7))
    await deployment.produce(batch)
    await deployment.drained()
    await entities.drained()
    worker.kill()
    worker.data_dir.rename(worker.data_dir.with_name("lost"))
    worker.start()
    await entities.send(labels_of(batch, 7))
    await entities.drained()
    assert worker.terminate() == 0

    newest = reading.newest_per_key(await deployment.read(entities.changelog))
    check_activities(newest, await recounted(deployment))
    assert newest == reading.stored_values(worker.data_dir, reading.ACTIVITIES)


@pytest.mark.parametrize("successor", ["entities-1", "entities-2"], ids=["its own disk", "a new disk"])
async def test_a_successor_does_not_publish_again_what_redis_has(
    deployment: Deployment, entities: Entities, successor: str
) -> None:
    """A claim moves the end of the changelog, but changes no state."""
    worker, scorer = entities.worker(), entities.scorer()
    worker.start()
    scorer.start()
    await deployment.produce(list(traffic(EVENTS, 9)))
    await deployment.drained()
    await entities.drained()
    assert worker.terminate() == 0

    for _ in range(2):
        other = worker if successor == worker.name else entities.worker(successor)
        published = other.lines_with("publishing_all_states")
        other.start()
        other.wait_started()
        await entities.drained()
        assert other.terminate() == 0
        assert other.lines_with("publishing_all_states") == published


async def test_an_invalid_label_is_a_dead_letter_and_valid_ones_beside_it_count(
    deployment: Deployment, entities: Entities
) -> None:
    worker, scorer = entities.worker(), entities.scorer()
    worker.start()
    scorer.start()
    (transaction,) = traffic(1, 1)
    await deployment.produce([transaction])
    topic = deployment.settings.topics.labels
    bad: list[tuple[bytes | None, bytes]] = [
        (b"m1", b"{"),
        (b"m1", b'{"transaction_id": "t"}'),
        (b"other", encode_event(label(transaction, END_MS))),
        (transaction.terminal_id.encode(), encode_event(label(transaction, transaction.event_time - 1))),
    ]
    await produce_raw(bad, topic=topic, kafka=deployment.servers)
    await entities.send([label(transaction, END_MS)])
    await deployment.drained()
    await entities.drained()

    dead_letters = await deployment.read(deployment.settings.topics.dead_letters)
    assert sorted(value for _, value in bad) == sorted(dead_letter.value for dead_letter in dead_letters)
    codes = {dict(dead_letter.headers)["fraud.error.code"] for dead_letter in dead_letters}
    assert codes == {b"not_json", b"missing_field", b"key_mismatch", b"absurd_time"}
    stored = read_activity(entities.in_redis()[f"terminal:{transaction.terminal_id}".encode()])
    assert [digest(transaction.transaction_id)] == [text.transaction for text in stored.labels]
