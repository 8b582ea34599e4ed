"""Options of a training run. The defaults are those of the committed bundle."""

from typing import Annotated

import msgspec
from msgspec import Meta

from app.training.recipe import Recipe

Share = Annotated[float, Meta(gt=0, lt=1)]
Count = Annotated[int, Meta(ge=1)]


class TrainingOptions(msgspec.Struct, frozen=True, kw_only=True):
    """How a history is split, what is fitted, and how many alerts people can handle."""

    recipe: Recipe = Recipe()
    seed: int = 0
    test_days: Count = 14
    """The newest days, held out for the measurement."""
    delay_days: int = 7
    """Days left out before the test: their labels are not known yet when the test begins."""
    warm_up_days: int = 30
    """Days left out at the start, while the windows fill: in a new history, every customer looks new."""
    legitimate_share: Annotated[float, Meta(gt=0, le=1)] = 1.0
    """Share of the legitimate rows to fit, drawn by the seed and weighted by its inverse. Less saves memory and time."""
    review_share: Share = 0.01
    """Share of transactions that people can review."""
    decline_share: Share = 0.002
    """Share of transactions to decline."""
    decline_precision: Annotated[float, Meta(gt=0, le=1)] | None = None
    """If given, decline from the score at which this share of the declined transactions are frauds."""

    def __post_init__(self) -> None:
        if self.decline_share > self.review_share:
            raise ValueError("the decline share must not exceed the review share")
