"""The parameters of a run of the demo."""

from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """One run of the demo."""

    directory: Path
    seconds: Annotated[float, Meta(gt=0)] | None = None
    """Seconds of live traffic; None: until Ctrl-C."""
    rate: Annotated[float, Meta(gt=0)] = 500.0
    """Live events per second; a few hundred leave a laptop with two cores enough time for the broker."""
    workers: Annotated[int, Meta(ge=1, le=2)] = 1
    customers: Annotated[int, Meta(ge=1)] = 3_000
    """At 500 events per second a simulated day of this many customers takes thirteen seconds."""
    history_days: Annotated[int, Meta(ge=1)] = 21
    """Days of history sent at full speed first, so that the windows of the profiles are filled."""
    seed: Annotated[int, Meta(ge=0)] = 7
    malformed: Annotated[int, Meta(ge=0)] = 20
    """Number of malformed messages among the live ones."""

    @property
    def terminals(self) -> int:
        return 2 * self.customers

    def malformed_every(self) -> int:
        """Return the number of live events between two malformed ones: two per second, or more in a short run."""
        spaced = self.rate / 2
        if self.seconds is not None:
            spaced = min(spaced, self.rate * self.seconds / (self.malformed + 1))
        return max(1, int(spaced))
