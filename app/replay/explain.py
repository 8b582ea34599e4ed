"""Explains an alert: reads the customer's records from the log, folds and scores them with the worker's code, and compares
the result with the published alert.
"""

from collections.abc import Iterator, Sequence
from itertools import zip_longest
from typing import Any, NamedTuple

import msgspec

from app.adapters.kafka.range_reader import LogRecord, RangeReader
from app.adapters.models.bundles import Bundle
from app.domain.decision import Alert, Degradation, FeatureState
from app.features.window import LONGEST_MS
from app.processing.decode_chunk import SourceLog
from app.replay import customer_history
from app.replay.customer_history import FoldedTransaction, Moment, Progress, Span
from app.replay.differences import Difference, differences, feature_differences
from app.replay.refold import FoldRules, refold
from app.replay.rescoring import rescored
from app.replay.verdict import Verdict, extended_coverage, verdict

NOT_COMPARED = {"scored_at", "shadow", "degraded", "rules"}
"""Fields of an alert that are not recomputed with the model: the time of scoring, shadow scores, and fields that the history
decides.
"""
NOT_REBUILT: Any = object()
HISTORY_FLAGS = [Degradation.LATE, Degradation.SATURATED]


class FeatureLine(msgspec.Struct, frozen=True, kw_only=True):
    """One feature with its published and its rebuilt value."""

    name: str
    state: FeatureState | None
    recorded: float | None
    rebuilt: float | None
    from_log: bool
    """False for a feature of another entity, whose topics are not read here: its published value is used."""


class Explanation(msgspec.Struct, frozen=True, kw_only=True):
    """The result of the comparison, with the records and features behind it."""

    alert_id: str
    verdict: Verdict
    history_differences: list[Difference]
    """Differences between the published features and those rebuilt from the log."""
    judgement_differences: list[Difference]
    """Differences between the published alert and the one that the model gives for the published features."""
    span: Span
    alert: Alert
    features: list[FeatureLine]
    """Empty when the transaction is not in the log."""
    moments: list[Moment]
    """The customer's records that were read, in order of offset, the alert's own last."""

    @property
    def in_windows(self) -> list[Moment]:
        """The records in the longest window and the rejected ones, in order of offset."""
        since_ms = self.alert.event_time - LONGEST_MS
        return [
            moment
            for moment in self.moments
            if moment.transaction is None or since_ms < moment.transaction.event_time <= self.alert.event_time
        ]


class Published(NamedTuple):
    """An alert, decoded, and the JSON fields of its record."""

    alert: Alert
    fields: dict[str, Any]


class _Past(NamedTuple):
    moments: list[Moment]
    folded: FoldedTransaction | None
    differences: list[Difference]


async def explain(
    published: Published,
    reader: RangeReader,
    bundle: Bundle,
    rules: FoldRules,
    on_progress: Progress = lambda _: None,
) -> Explanation:
    """Recompute an alert from the log and compare it.

    Reads from the beginning of the windows, and from the beginning of the log when something still differs: two features
    look back without limit. ``on_progress`` receives the offset reached.
    """
    alert = published.alert
    since_ms = alert.event_time - customer_history.horizon_ms(rules.bounds, rules.acceptance.max_future_ms)
    span = await customer_history.span(reader, alert.source.partition, alert.source.offset, since_ms)
    span, past = await _read_past(alert, span, reader, rules, on_progress)
    coverage = past.folded.coverage if past.folded else None
    if span.is_cut or coverage is None:
        coverage = extended_coverage(alert, coverage)
    scoring_differences = list(
        _scoring_differences(published, rescored(alert, rules.computation.features, coverage, bundle))
    )
    return Explanation(
        alert_id=alert.alert_id,
        verdict=verdict(past.differences, scoring_differences, span, since_ms),
        history_differences=past.differences,
        judgement_differences=scoring_differences,
        span=span,
        alert=alert,
        features=list(_lines(alert, past.folded, rules.computation.features.names)),
        moments=past.moments,
    )


async def _read_past(
    alert: Alert, span: Span, reader: RangeReader, rules: FoldRules, on_progress: Progress
) -> tuple[Span, _Past]:
    """Read and fold the customer's records up to the alert; read all of the log if something differs."""
    if not span.has_transaction:
        return span, _Past([], None, [])
    key, log = alert.customer_id.encode(), rules.log_of(reader)
    windows = (span.read_from, span.offset + 1)
    records = await customer_history.read(reader, span, windows, key, on_progress)
    past = _past(alert, log, records, rules)
    if past.differences and span.begins < span.read_from:
        earlier = (span.begins, span.read_from)
        records = await customer_history.read(reader, span, earlier, key, on_progress) + records
        span = msgspec.structs.replace(span, read_from=span.begins)
        past = _past(alert, log, records, rules)
    return span, past


def _past(alert: Alert, log: SourceLog, records: list[LogRecord], rules: FoldRules) -> _Past:
    if not records:
        return _Past([], None, [_undecided(alert, [])])
    # The worker checked timestamps in the future against its clock, which is not recorded: the time of scoring replaces it.
    applied = refold(log, records, rules)
    moments, folded = (
        customer_history.moments(applied),
        customer_history.folded_transaction(applied, alert.source.offset, rules.computation.longest_ms),
    )
    if folded is None:
        return _Past(moments, None, [_undecided(alert, moments)])
    return _Past(moments, folded, list(_history_differences(alert, folded, rules.computation.features.names)))


def _undecided(alert: Alert, moments: list[Moment]) -> Difference:
    """Return the difference that reports that the record at the alert's offset gives no decision."""
    found = [moment for moment in moments if moment.offset == alert.source.offset]
    instead = f"{found[0].fate} {found[0].code}".strip() if found else "no record of this customer"
    return Difference("source.offset", "decided", instead)


def _history_differences(
    alert: Alert, folded: FoldedTransaction, names: Sequence[str]
) -> Iterator[Difference]:
    width = len(folded.features)
    yield from feature_differences(alert.features[:width], folded.features, names[:width])
    degraded = [flag for flag in alert.degraded if flag in HISTORY_FLAGS]
    yield from differences(degraded, folded.degraded, "degraded")
    recorded, rebuilt = msgspec.to_builtins(alert.transaction), msgspec.to_builtins(folded.transaction)
    yield from differences(recorded, rebuilt, "transaction")


def _scoring_differences(published: Published, again: dict[str, Any]) -> Iterator[Difference]:
    for name in dict.fromkeys([*published.fields, *again]):
        if name not in NOT_COMPARED:
            yield from differences(published.fields.get(name), again.get(name), name)


def _lines(alert: Alert, folded: FoldedTransaction | None, names: Sequence[str]) -> Iterator[FeatureLine]:
    if folded is None:
        return
    for name, recorded, rebuilt in zip_longest(names, alert.features, folded.features, fillvalue=NOT_REBUILT):
        state = alert.snapshot[name].state if name in alert.snapshot else None
        from_log = rebuilt is not NOT_REBUILT
        yield FeatureLine(
            name=name,
            state=state,
            recorded=recorded,
            rebuilt=rebuilt if from_log else recorded,
            from_log=from_log,
        )
