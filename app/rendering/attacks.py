"""Alerts that belong together: one attack is one line that counts.

An attack is the alerts of a customer until there is none for ``QUIET_HOURS``. Where past fraud of something else that the
transaction names, such as its terminal, is the first reason, it is the alerts there, of all customers.
"""

from collections import Counter, OrderedDict
from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

from app.domain.decision import Alert
from app.domain.outcomes.outcome import Outcome
from app.features.entities import ENTITIES, Function

QUIET_HOURS = 12
"""As an episode of the role crm by default (docs/data/groups.md)."""
MOST_ATTACKS = 100
_QUIET_MS = QUIET_HOURS * 3_600_000
_SEVERITY = {outcome: severity for severity, outcome in enumerate(Outcome)}
_CUSTOMER = "customer_id"
_FRAUD_FEATURES = {
    f"{entity.name}_{function}_": entity.field
    for entity in ENTITIES
    for function in entity.functions
    if function in {Function.RISK, Function.FRAUDS} and entity.field != _CUSTOMER
}


class Target(NamedTuple):
    """A field of transactions and the value that the alerts of an attack share."""

    field: str
    value: str


class Attack:
    """The alerts of one attack so far."""

    def __init__(self, target: Target, first: Alert) -> None:
        self.target = target
        self.alerts = 0
        self.amounts: Counter[str] = Counter()
        """Minor units by currency."""
        self.latest_time = first.event_time
        self.worst = first
        """The most severe alert, of equal ones that with the highest score, of equal ones the latest."""
        self.add(first)

    def add(self, alert: Alert) -> None:
        self.alerts += 1
        self.amounts[alert.transaction.currency] += alert.transaction.amount_minor
        self.latest_time = max(self.latest_time, alert.event_time)
        if _rank(alert) >= _rank(self.worst):
            self.worst = alert

    def continues(self, alert: Alert) -> bool:
        return abs(alert.event_time - self.latest_time) <= _QUIET_MS


class Attacks:
    """The newest attacks, at most ``MOST_ATTACKS``, each found again by its target."""

    def __init__(self) -> None:
        self.count = 0
        """Of all attacks, those that are no longer kept included."""
        self._newest: OrderedDict[Target, Attack] = OrderedDict()

    def add(self, alert: Alert) -> Attack:
        """Add an alert; return its attack."""
        target = target_of(alert)
        attack = self._newest.get(target)
        if attack is not None and attack.continues(alert):
            attack.add(alert)
        else:
            attack = self._newest[target] = Attack(target, alert)
            self.count += 1
        self._newest.move_to_end(target)
        if len(self._newest) > MOST_ATTACKS:
            self._newest.popitem(last=False)
        return attack

    def newest(self, most: int) -> list[Attack]:
        """Return the attacks with the newest alerts, the newest first."""
        return list(islice(self._reversed(), most))

    def _reversed(self) -> Iterator[Attack]:
        return reversed(self._newest.values())


def target_of(alert: Alert) -> Target:
    """Return what the alerts of one attack share."""
    first = alert.reasons[0].code if alert.reasons else ""
    for feature, field in _FRAUD_FEATURES.items():
        if first.startswith(feature) and (value := getattr(alert.transaction, field)):
            return Target(field, value)
    return Target(_CUSTOMER, alert.customer_id)


def _rank(alert: Alert) -> tuple[int, float]:
    return _SEVERITY[alert.outcome], alert.score
