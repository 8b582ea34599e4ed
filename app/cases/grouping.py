"""What arrives by the topics: alerts open cases or join them; labels and answers become changes of the cases they belong to."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import msgspec

from app.cases.case import Case, total_loss
from app.cases.contract import CaseAlert, CaseAnswer, CaseChange, CaseLabel, ChangeKind, Status
from app.cases.suppression import Suppression, hidden_by
from app.domain.identifiers import case_id


class Placement(NamedTuple):
    """Where an alert belongs: a case, or the suppression that hides it."""

    alert: CaseAlert
    case_id: str | None
    suppression_id: int | None


class Cases:
    """The cases that a batch may change, with its changes. ``alerts_arrive`` comes first, then labels and answers."""

    def __init__(self, cases: Iterable[Case], due_ms: int) -> None:
        self._due_ms = due_ms
        self._cases = {case.case_id: case for case in cases}
        self._open = {case.customer_id: case.case_id for case in self._cases.values() if _is_open(case)}
        self.changes: list[CaseChange] = []
        """In the order in which they were made."""

    @property
    def changed(self) -> list[Case]:
        """The cases that the batch changed, each once."""
        return [self._cases[name] for name in dict.fromkeys(change.case_id for change in self.changes)]

    def alerts_arrive(
        self, alerts: Sequence[CaseAlert], suppressions: Sequence[Suppression]
    ) -> list[Placement]:
        """Place new alerts, each id once: in the customer's open case, in a new one, or with the suppression that hides it."""
        placements, added = [], dict[str, list[CaseAlert]]()
        for alert in alerts:
            hidden = hidden_by(alert, suppressions)
            if hidden is not None:
                placements.append(Placement(alert, None, hidden))
                continue
            name = self._case_of(alert)
            placements.append(Placement(alert, name, None))
            added.setdefault(name, []).append(alert)
        for name, own in added.items():
            self._add_alerts(name, own)
        return placements

    def labels_arrive(self, labels: Mapping[str, Sequence[CaseLabel]]) -> None:
        """Labels by the id of the case that has an alert of their transaction."""
        for name, own in labels.items():
            at = max(label.reported_at for label in own)
            self._record(_touched(self._cases[name], at), ChangeKind.LABELLED, labels=own)

    def answers_arrive(self, answers: Mapping[str, Sequence[CaseAnswer]]) -> None:
        """Answers, as labels."""
        for name, own in answers.items():
            at = max(answer.answered_at for answer in own)
            self._record(_touched(self._cases[name], at), ChangeKind.ANSWERED, answers=own)

    def _case_of(self, alert: CaseAlert) -> str:
        """The case for an alert. One that already has the id of the alert's own case was restored without its first alert."""
        own = case_id(alert.transaction_id)
        return own if own in self._cases else self._open.setdefault(alert.customer_id, own)

    def _add_alerts(self, name: str, alerts: Sequence[CaseAlert]) -> None:
        before = self._cases.get(name)
        kind = ChangeKind.OPENED if before is None else ChangeKind.ALERTS_ADDED
        case = before or _opened(name, alerts[0], self._due_ms)
        self._record(_with_alerts(case, alerts), kind, alerts=alerts)

    def _record(
        self,
        case: Case,
        kind: ChangeKind,
        *,
        alerts: Sequence[CaseAlert] = (),
        labels: Sequence[CaseLabel] = (),
        answers: Sequence[CaseAnswer] = (),
    ) -> None:
        self._cases[case.case_id] = case
        self.changes.append(change_of(case, kind, alerts=alerts, labels=labels, answers=answers))


def change_of(
    case: Case,
    kind: ChangeKind,
    *,
    alerts: Sequence[CaseAlert] = (),
    labels: Sequence[CaseLabel] = (),
    answers: Sequence[CaseAnswer] = (),
) -> CaseChange:
    """The change that led to ``case``."""
    return CaseChange(
        change_id=f"{case.case_id}:{case.version}",
        case_id=case.case_id,
        version=case.version,
        kind=kind,
        changed_at=case.changed_at,
        customer_id=case.customer_id,
        status=case.status,
        opened_at=case.opened_at,
        due_at=case.due_at,
        alert_count=case.alert_count,
        expected_loss=case.expected_loss,
        assignee=case.assignee,
        lease_until=case.lease_until,
        snoozed_until=case.snoozed_until,
        disposition=case.disposition,
        closed_at=case.closed_at,
        alerts=list(alerts),
        labels=list(labels),
        answers=list(answers),
    )


def case_after(change: CaseChange) -> Case:
    """The case as a change describes it: the inverse of ``change_of``."""
    return Case(**{name: getattr(change, name) for name in Case.__struct_fields__})


def _is_open(case: Case) -> bool:
    return case.status is not Status.CLOSED


def _opened(name: str, first: CaseAlert, due_ms: int) -> Case:
    return Case(
        case_id=name,
        customer_id=first.customer_id,
        status=Status.OPEN,
        version=0,
        opened_at=first.scored_at,
        due_at=first.scored_at + due_ms,
        changed_at=first.scored_at,
        alert_count=0,
        expected_loss=0,
    )


def _with_alerts(case: Case, alerts: Sequence[CaseAlert]) -> Case:
    """A new alert ends a snooze: it is what the analyst did not know."""
    loss = case.expected_loss
    for alert in alerts:
        loss = total_loss(loss, alert)
    touched = _touched(case, max(alert.scored_at for alert in alerts))
    wakes = case.status is Status.SNOOZED
    return msgspec.structs.replace(
        touched,
        status=Status.OPEN if wakes else case.status,
        snoozed_until=None if wakes else case.snoozed_until,
        alert_count=case.alert_count + len(alerts),
        expected_loss=loss,
    )


def _touched(case: Case, at_ms: int) -> Case:
    return msgspec.structs.replace(case, version=case.version + 1, changed_at=max(case.changed_at, at_ms))
