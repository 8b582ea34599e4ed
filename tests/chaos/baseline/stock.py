"""``faust -A tests.chaos.baseline.stock``: the bench's naive agent without the guards of this project.

It has Faust's own transport, tables and offsets, and the same fold, features, model and outputs. It lacks the guard by offset
and id, and the stop at an error: Faust logs the error and continues.
"""

import secrets
import time
from contextlib import nullcontext
from typing import Any

import msgspec

from app.domain.transaction import Transaction
from bench.contestants import naive_faust
from bench.contestants.naive_faust import app
from tests.chaos.mutants import sabotage

__all__ = ["app"]

_one_by_one: Any = naive_faust._work.__self__  # type: ignore[attr-defined]  # a bound method
_fold = _one_by_one._fold


def unguarded(stored: bytes | None, transaction: Transaction, _: int) -> Any:
    """Fold with a new id and a higher offset, so that every transaction counts as new."""
    unknown = msgspec.structs.replace(transaction, transaction_id=secrets.token_hex(8))
    return _fold(stored, unknown, time.time_ns())


sabotage(_one_by_one, "_fold", unguarded)
sabotage(naive_faust, "fail_stop", lambda _: nullcontext())
