"""What the workers of a bank have to do: at first, and again before one of them starts without a right.

The partitions of a worker are written and committed one by one. A worker that ends without a right may have finished a
partition before, so what it leaves to the next worker does not suffice.
"""

import time

import msgspec

from app.traffic.produce import produce_raw
from tests.support.commands import call
from tests.support.groups import Groups
from tests.support.processes.authorized_bank import Bank
from tests.support.traffic import START_MS

EVENTS = 300
SECOND = "large-amounts/2"


async def prepare(bank: Bank) -> None:
    """Create the topics, an order, and questions to customers that nobody has answered."""
    await bank.make_topics()
    await bank.broker.allow(bank.rights())
    settings, topics, groups = bank.settings, bank.settings.topics, Groups(bank.deployment)
    before = {role: bank.worker(role, f"{role}-before") for role in ("risk", "entities", "crm")}
    for worker in before.values():
        worker.start()
    await bank.send(EVENTS)
    await bank.deployment.drained()
    await groups.drained(settings.entities.app_id, (topics.labels, topics.entity_activity))
    await groups.asked()
    # A worker reads orders at its start only where there is one.
    ordered = call(bank.deployment, "model", "promote", SECOND, "--reason", "test", "--key", bank.key)
    assert ordered.returncode == 0, ordered.stderr
    assert [worker.terminate() for worker in before.values()] == [0, 0, 0]
    bank.unanswered = [
        str(question["notification_id"]) for question in await groups.events(topics.notifications)
    ]


async def leave_work(bank: Bank, role: str) -> None:
    """Send records for which a worker of the role writes to each of its topics."""
    topics = bank.settings.topics
    if role in {"risk", "entities"}:
        await bank.send(EVENTS)
    if role == "entities":
        await bank.send_damaged(topics.labels)
        await bank.send_damaged(topics.entity_activity)
    if role == "crm":
        question = bank.unanswered.pop()
        await produce_raw([_alert(question)], topic=topics.alerts, kafka=bank.deployment.servers)
        done = call(bank.deployment, "crm", "answer", question, "--fraud")
        assert done.returncode == 0, done.stderr
        await bank.send_damaged(topics.alerts)
        await bank.send_damaged(topics.answers)


def _alert(name: str) -> tuple[bytes, bytes]:
    """About a customer of this name, who has not been asked."""
    customer = f"of-{name}"
    paid = {"amount_minor": 90_000, "currency": "EUR", "terminal_id": "m1"}
    alert = {
        "transaction_id": f"t-{customer}",
        "customer_id": customer,
        "event_time": START_MS,
        "scored_at": time.time_ns() // 1_000_000,
        "outcome": "review",
        "transaction": paid,
    }
    return customer.encode(), msgspec.json.encode(alert)
