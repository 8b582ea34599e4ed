"""Reasons of an alert in the width of a console: the whole text begins with a phrase, which stands for it where room is short."""

from collections.abc import Sequence

from app.domain.decision import Reason

SEPARATOR = "; "


def phrases(reasons: Sequence[Reason], width: int) -> str:
    """Return as many whole phrases as fit into ``width`` characters, the most important first; cut only the first.

    >>> many = Reason(code="customer_count_1h", text="9 payments in 1 h, usual 1; …", value=9.0, baseline=1.0)
    >>> phrases([many, many], 60), phrases([many, many], 30)
    ('9 payments in 1 h, usual 1; 9 payments in 1 h, usual 1', '9 payments in 1 h, usual 1')
    """
    whole = [phrase(reason) for reason in reasons]
    while len(shown := SEPARATOR.join(whole)) > width and len(whole) > 1:
        whole.pop()
    return shown if len(shown) <= width else _cut(shown, width)


def phrase(reason: Reason) -> str:
    """The beginning of a reason's text: what the feature shows."""
    return reason.text.partition(SEPARATOR)[0]


def _cut(text: str, width: int) -> str:
    """Cut behind a word where there is one."""
    kept = text[: max(width - 1, 0)]
    return (kept.rpartition(" ")[0] or kept) + "…"
