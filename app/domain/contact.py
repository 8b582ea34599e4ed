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
"""Stands for no question; a question has this digest with probability 2**-64."""


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
    """Digest of the last question, see ``identifiers.question_digest``."""
    asked_ms: int = NEVER_MS
    answered_ms: int = NEVER_MS
    """NEVER_MS while the last question is open."""


def alerted(contact: Contact, question: int, raised_ms: int, quiet: Quiet) -> tuple[Contact, bool]:
    """Return the contact after an alert, and whether to ask ``question`` about it."""
    begins = raised_ms - contact.last_alert_ms > quiet.episode_ms
    last_alert_ms = max(contact.last_alert_ms, raised_ms)
    asked = contact.episode_asked and not begins
    if asked or question == contact.question or _held_back(contact, raised_ms, quiet):
        return contact._replace(last_alert_ms=last_alert_ms, episode_asked=asked), False
    return Contact(last_alert_ms, True, question, raised_ms, NEVER_MS), True


def is_open(contact: Contact, question: int, answered_ms: int, quiet: Quiet, tolerance_ms: int) -> bool:
    """Whether ``question`` is the customer's open one at ``answered_ms``, by a clock that may be ``tolerance_ms`` behind."""
    if question != contact.question or contact.answered_ms != NEVER_MS:
        return False
    return -tolerance_ms <= answered_ms - contact.asked_ms <= quiet.question_ms


def answered(contact: Contact, question: int, answered_ms: int) -> Contact:
    """Return the contact after an answer. An answer to an older question changes nothing; the later of two counts."""
    if question != contact.question:
        return contact
    return contact._replace(answered_ms=max(contact.answered_ms, answered_ms))


def _held_back(contact: Contact, raised_ms: int, quiet: Quiet) -> bool:
    if contact.answered_ms == NEVER_MS:
        return contact.question != NOTHING and raised_ms - contact.asked_ms <= quiet.question_ms
    return raised_ms - contact.answered_ms <= quiet.answer_ms
