"""When to ask a customer: at most once an episode of alerts, never while a question is open or was just answered.

::

    alerts    A A  A                A          A                    A
    asked     ?                     (open)                          ?
    answer                                  !   (just answered)
              '- one episode -'     '- next -----'    quiet         '-

An alert that is held back is not lost: the next one of its episode asks, once nothing stands against it. Times are
those at which alerts were raised and answers given, not those of the transactions: what counts is when a customer is
bothered.
"""

from typing import NamedTuple

NEVER_MS = -(2**62)
NOTHING = 0
"""No transaction has this digest but with probability 2**-64."""


class Quiet(NamedTuple):
    """How long is quiet, in milliseconds."""

    episode_ms: int
    """An episode ends when no alert comes for so long."""
    question_ms: int
    """A question that is not answered stays open so long."""
    answer_ms: int
    """A customer who has answered is left alone so long."""


class Contact(NamedTuple):
    """What is known of one customer."""

    last_alert_ms: int = NEVER_MS
    episode_asked: bool = False
    """This episode has had its question."""
    question: int = NOTHING
    """Digest of the transaction that was asked about last."""
    asked_ms: int = NEVER_MS
    answered_ms: int = NEVER_MS
    """NEVER_MS while the last question is open."""


def alerted(contact: Contact, transaction: int, raised_ms: int, quiet: Quiet) -> tuple[Contact, bool]:
    """The contact after an alert, and whether to ask about it."""
    begins = raised_ms - contact.last_alert_ms > quiet.episode_ms
    last_alert_ms = max(contact.last_alert_ms, raised_ms)
    asked = contact.episode_asked and not begins
    if asked or transaction == contact.question or _held_back(contact, raised_ms, quiet):
        return contact._replace(last_alert_ms=last_alert_ms, episode_asked=asked), False
    return Contact(last_alert_ms, True, transaction, raised_ms, NEVER_MS), True  # a tuple's field


def answered(contact: Contact, transaction: int, answered_ms: int) -> Contact:
    """The contact after an answer. One to an older question closes nothing; of two the later counts."""
    if transaction != contact.question:
        return contact
    return contact._replace(answered_ms=max(contact.answered_ms, answered_ms))


def _held_back(contact: Contact, raised_ms: int, quiet: Quiet) -> bool:
    if contact.answered_ms == NEVER_MS:
        return contact.question != NOTHING and raised_ms - contact.asked_ms <= quiet.question_ms
    return raised_ms - contact.answered_ms <= quiet.answer_ms
