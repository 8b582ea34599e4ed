"""Decides when to ask a customer: at most once per episode of alerts, and not while a question is open or just answered.

::

    alerts    A A  A                A          A                    A
    asked     ?                     (open)                          ?
    answer                                  !   (just answered)
              '- one episode -'     '- next -----'    quiet         '-

A suppressed alert is not lost: the next alert of its episode asks, as soon as it is allowed. Times are those at which
alerts were raised and answers given, not event times, because they bound how often a customer is contacted.
"""

from typing import NamedTuple

NEVER_MS = -(2**62)
NOTHING = 0
"""Stands for no transaction; a transaction has this digest with probability 2**-64."""


class Quiet(NamedTuple):
    """Quiet periods in milliseconds."""

    episode_ms: int
    """An episode ends when there is no alert for this long."""
    question_ms: int
    """How long an unanswered question stays open."""
    answer_ms: int
    """How long a customer is not asked again after an answer."""


class Contact(NamedTuple):
    """State of the contact with one customer."""

    last_alert_ms: int = NEVER_MS
    episode_asked: bool = False
    """Whether the current episode already has a question."""
    question: int = NOTHING
    """Digest of the transaction of the last question."""
    asked_ms: int = NEVER_MS
    answered_ms: int = NEVER_MS
    """NEVER_MS while the last question is open."""


def alerted(contact: Contact, transaction: int, raised_ms: int, quiet: Quiet) -> tuple[Contact, bool]:
    """Return the contact after an alert, and whether to ask about it."""
    begins = raised_ms - contact.last_alert_ms > quiet.episode_ms
    last_alert_ms = max(contact.last_alert_ms, raised_ms)
    asked = contact.episode_asked and not begins
    if asked or transaction == contact.question or _held_back(contact, raised_ms, quiet):
        return contact._replace(last_alert_ms=last_alert_ms, episode_asked=asked), False
    return Contact(last_alert_ms, True, transaction, raised_ms, NEVER_MS), True


def answered(contact: Contact, transaction: int, answered_ms: int) -> Contact:
    """Return the contact after an answer. An answer to an older question changes nothing; the later of two counts."""
    if transaction != contact.question:
        return contact
    return contact._replace(answered_ms=max(contact.answered_ms, answered_ms))


def _held_back(contact: Contact, raised_ms: int, quiet: Quiet) -> bool:
    if contact.answered_ms == NEVER_MS:
        return contact.question != NOTHING and raised_ms - contact.asked_ms <= quiet.question_ms
    return raised_ms - contact.answered_ms <= quiet.answer_ms
