"""What a check of an installation found."""

from enum import StrEnum

import msgspec


class Outcome(StrEnum):
    """How it stands; in order of badness."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"


class Finding(msgspec.Struct, frozen=True):
    """One line of the doctor's."""

    check: str
    outcome: Outcome
    found: str
    remedy: str = ""
    """What to do; empty when all is well."""


def ok(check: str, found: str) -> Finding:
    return Finding(check, Outcome.OK, found)


def warning(check: str, found: str, remedy: str) -> Finding:
    return Finding(check, Outcome.WARNING, found, remedy)


def failed(check: str, found: str, remedy: str) -> Finding:
    return Finding(check, Outcome.FAILED, found, remedy)
