"""Reconciles what was sent with what the topics hold, by distinct transaction."""

from collections import Counter
from collections.abc import Mapping

import msgspec

from app.demo.id_set import IdSet
from app.demo.latencies import Latencies
from app.domain.decision import Alert
from app.domain.identifiers import alert_id
from app.domain.outcomes.outcome import Outcome
from app.rendering.attacks import Attacks


class ReceivedDecision(msgspec.Struct, frozen=True, gc=False):
    """The fields of a decision that are counted."""

    transaction_id: str
    outcome: Outcome


class Reconciliation:
    """Counts sent events and received records. Sent transactions have the ids ``<run>t<number>``, numbered from 0."""

    def __init__(self, run: str) -> None:
        self.sent = 0
        self.malformed = 0
        self.outcomes: Counter[Outcome] = Counter()
        self.latencies = Latencies()
        self.attacks = Attacks()
        self.repeated_decisions = 0
        self.repeated_alerts = 0
        self.unrelated = 0
        """Records of transactions that were not sent."""
        self._prefix = f"{run}t"
        self._decided = IdSet()
        self._suspicious = IdSet()
        self._alerted = IdSet()
        self._dead: set[tuple[bytes, bytes]] = set()

    def transaction_id(self, number: int) -> str:
        return f"{self._prefix}{number}"

    @property
    def decided(self) -> int:
        return len(self._decided)

    @property
    def dead_letters(self) -> int:
        return len(self._dead)

    @property
    def alerts(self) -> int:
        return len(self._alerted)

    @property
    def undecided(self) -> int:
        """Number of events sent, but neither decided nor dead-lettered yet: the lag."""
        return self.sent + self.malformed - self.decided - self.dead_letters

    @property
    def settled(self) -> bool:
        """True when every event is decided or dead-lettered and every expected alert has arrived."""
        return self.undecided <= 0 and self.alerts >= len(self._suspicious)

    def on_decision(self, decision: ReceivedDecision, now_ms: int) -> None:
        number = self._number(decision.transaction_id)
        if number is None:
            self.unrelated += 1
        elif self._decided.add(number):
            self.latencies.arrived(number, now_ms)
            self.outcomes[decision.outcome] += 1
            if decision.outcome != Outcome.APPROVE:
                self._suspicious.add(number)
        else:
            self.repeated_decisions += 1

    def on_alert(self, alert: Alert) -> bool:
        """Count an alert; return True when it is the first of its transaction."""
        number = self._number(alert.transaction_id)
        if number is None or alert.alert_id != alert_id(alert.transaction_id):
            self.unrelated += 1
        elif self._alerted.add(number):
            self.attacks.add(alert)
            return True
        else:
            self.repeated_alerts += 1
        return False

    def on_dead_letter(self, headers: Mapping[str, bytes]) -> None:
        """Count a dead letter by the position of its source record."""
        partition, offset = (headers.get(f"__streams.errors.{name}", b"") for name in ("partition", "offset"))
        self._dead.add((partition, offset))

    def balance(self) -> "Balance":
        return Balance(
            sent=self.sent,
            malformed=self.malformed,
            decided=self.decided,
            dead_letters=self.dead_letters,
            alerts_expected=len(self._suspicious),
            alerts_received=self.alerts,
            alerts_missing=self._suspicious.without(self._alerted),
            alerts_unfounded=self._alerted.without(self._suspicious),
            unrelated=self.unrelated,
            repeated_decisions=self.repeated_decisions,
            repeated_alerts=self.repeated_alerts,
        )

    def _number(self, transaction_id: str) -> int | None:
        digits = transaction_id.removeprefix(self._prefix)
        if digits == transaction_id or not digits.isdecimal() or int(digits) >= self.sent:
            return None
        return int(digits)


class Balance(msgspec.Struct, frozen=True, kw_only=True):
    """The counts that must add up. Repeats are allowed: after a kill a worker may publish a decision again."""

    sent: int
    malformed: int
    decided: int
    dead_letters: int
    alerts_expected: int
    """Decided transactions whose outcome requires an alert."""
    alerts_received: int
    alerts_missing: int
    alerts_unfounded: int
    unrelated: int
    repeated_decisions: int
    repeated_alerts: int

    def differences(self) -> list[str]:
        """Return a sentence for each count that does not add up; empty when all do."""
        found = {
            f"{self.sent - self.decided:,} transactions are not decided": self.sent != self.decided,
            f"{self.dead_letters:,} dead letters for {self.malformed:,} malformed messages": self.malformed
            != self.dead_letters,
            f"{self.alerts_missing:,} alerts are missing": self.alerts_missing > 0,
            f"{self.alerts_unfounded:,} alerts have no decision": self.alerts_unfounded > 0,
            f"{self.unrelated:,} records of transactions that were not sent": self.unrelated > 0,
        }
        return [text for text, wrong in found.items() if wrong]

    def lines(self) -> list[str]:
        """Return the lines to print; each states first whether the counts add up."""
        repeats = f"{self.repeated_decisions:,} decisions and {self.repeated_alerts:,} alerts published twice"
        result = "DOES NOT RECONCILE" if self.differences() else "reconciled"
        return [
            (
                f"{result}: {self.sent + self.malformed:,} produced = {self.decided:,} decided "
                f"+ {self.dead_letters:,} dead-lettered + 0 duplicates"
            ),
            f"{result}: {self.alerts_expected:,} alerts expected from the decisions, {self.alerts_received:,} alerts received",
            f"{repeats} (with the same ids, by which consumers discard them)",
            *self.differences(),
        ]
