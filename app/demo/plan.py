"""What the demo is to do."""

from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """One run of the demo."""

    directory: Path
    seconds: Annotated[float, Meta(gt=0)] | None = None
    """Of live traffic; None until Ctrl-C."""
    rate: Annotated[float, Meta(gt=0)] = 500.0
    """Live events a second; a few hundred leave a laptop with two cores room for the broker."""
    workers: Annotated[int, Meta(ge=1, le=2)] = 1
    customers: Annotated[int, Meta(ge=1)] = 3_000
    """With 500 events a second a day of theirs passes in thirteen seconds."""
    history_days: Annotated[int, Meta(ge=1)] = 21
    """Sent at full speed first, so that the windows of the profiles are warm."""
    seed: Annotated[int, Meta(ge=0)] = 7
    malformed: Annotated[int, Meta(ge=0)] = 20
    """Messages among the live ones that nobody can score."""

    @property
    def terminals(self) -> int:
        return 2 * self.customers

    def malformed_every(self) -> int:
        """One after so many live events: two a second, or closer in a short run, so that all are sent."""
        spaced = self.rate / 2
        if self.seconds is not None:
            spaced = min(spaced, self.rate * self.seconds / (self.malformed + 1))
        return max(1, int(spaced))
