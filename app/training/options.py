"""What a training run may choose. The defaults are what the committed bundle was made with."""

from typing import Annotated

import msgspec
from msgspec import Meta

from app.training.recipe import Recipe

Share = Annotated[float, Meta(gt=0, lt=1)]
Count = Annotated[int, Meta(ge=1)]


class TrainingOptions(msgspec.Struct, frozen=True, kw_only=True):
    """How history is split, what is fitted, and how many alerts people can take."""

    recipe: Recipe = Recipe()
    seed: int = 0
    test_days: Count = 14
    """The newest days, held out to measure."""
    delay_days: int = 7
    """Left out before them, since fraud is known late: a model of that day could not know these labels."""
    warm_up_days: int = 30
    """Left out at the start, while windows fill: on a new history every customer looks new."""
    legitimate_share: Annotated[float, Meta(gt=0, le=1)] = 1.0
    """Of the legitimate rows to fit, drawn by the seed and weighted by its inverse: bounds memory and time."""
    review_share: Share = 0.01
    """Share of transactions that people can look at."""
    decline_share: Share = 0.002
    decline_precision: Annotated[float, Meta(gt=0, le=1)] | None = None
    """Where given, decline from the score at which so many of the declined are frauds."""

    def __post_init__(self) -> None:
        if self.decline_share > self.review_share:
            raise ValueError("the decline share must not exceed the review share")
