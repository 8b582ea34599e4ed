"""Distinguishes a field of honest numeric ids from one that holds card numbers, by the share of valid check digits.

Every card number has a valid check digit; of random numbers one in ten has. For each field the distinct values of the
length and prefix of a card number are counted, the valid ones and the others. The evidence is the mean of the likelihood
ratios of these counts for some larger shares against a tenth. For honest values it is a martingale of mean one, so the
probability that it *ever* reaches ``1 / FALSE_ALARM`` is at most FALSE_ALARM, however many values come (Ville's
inequality). Seven card numbers and nothing else reach it.
"""

import math
from collections.abc import Iterable
from operator import attrgetter

from app.domain.card_number import SHORTEST, card_shaped, has_valid_check_digit
from app.domain.identifiers import digest64
from app.domain.label import Label
from app.domain.transaction import Transaction
from app.errors import CardNumbersFound

FALSE_ALARM = 1e-6
"""Probability that a field of honest ids is ever taken for one of card numbers."""
_HONEST = 0.1
_SHARES = (0.15, 0.3, 0.9)
"""Shares of valid check digits that are tested against a tenth."""
_MOST_DISTINCT = 20_000
"""Values remembered per field, 2 MB. Beyond them a value that comes again counts again."""


def evidence(valid: int, invalid: int) -> float:
    """The logarithm of the mean likelihood ratio against honest ids."""
    logs = [
        valid * math.log(share / _HONEST) + invalid * math.log((1 - share) / (1 - _HONEST))
        for share in _SHARES
    ]
    highest = max(logs)
    return highest + math.log(sum(math.exp(each - highest) for each in logs) / len(logs))


class CardEvidence:
    """Counts the values of some fields. What it finds changes no decision: it only ends the process."""

    def __init__(self, fields: Iterable[str]) -> None:
        self._fields = {name: _Field(name) for name in fields}
        self._read = [(attrgetter(name), field.add) for name, field in self._fields.items()]

    def add(self, events: Iterable[Transaction | Label]) -> dict[str, int]:
        """Count accepted events; return the number of values with a valid check digit by field.

        Raises CardNumbersFound where the values of a field are card numbers.
        """
        if not self._fields:
            return {}
        before = {name: field.hits for name, field in self._fields.items()}
        for event in events:
            for read, add in self._read:
                text = read(event)
                if text is not None and len(text) >= SHORTEST:
                    add(text)
        return {name: field.hits - before[name] for name, field in self._fields.items()}


class _Field:
    def __init__(self, name: str) -> None:
        self.hits = 0
        self._name = name
        self._valid = self._invalid = 0
        self._seen: set[bytes] = set()

    def add(self, text: str) -> None:
        for digits in card_shaped(text):
            is_valid = has_valid_check_digit(digits)
            self.hits += is_valid
            if self._is_new(digits):
                self._valid += is_valid
                self._invalid += not is_valid
                self._check()

    def _is_new(self, digits: str) -> bool:
        """Whether the value counts: a popular id is one value, not many."""
        digest = digest64(digits)
        if digest in self._seen:
            return False
        if len(self._seen) >= _MOST_DISTINCT:
            self._seen.clear()
        self._seen.add(digest)
        return True

    def _check(self) -> None:
        if evidence(self._valid, self._invalid) >= -math.log(FALSE_ALARM):
            seen = self._valid + self._invalid
            raise CardNumbersFound(
                f"`{self._name}` holds card numbers: {self._valid} of {seen} values with the length and prefix of a card "
                "number have a valid check digit, of random ids a tenth has. Send tokens instead, or remove the field from "
                "FRAUDSTREAM_ACCEPTANCE_NUMERIC_IDS, which rejects such records one by one. For a file a --mapping can make "
                "tokens ({ column = COLUMN, token = true })."
            )
