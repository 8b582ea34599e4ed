"""What a training run may choose. The defaults are what the committed bundle was made with."""

from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from app.errors import ConfigurationError

Share = Annotated[float, Meta(gt=0, lt=1)]
Count = Annotated[int, Meta(ge=1)]


class Boosting(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A HistGradientBoostingClassifier. Scoring costs grow with ``max_iter`` and, less, with the leaves.

    Classes are not weighted: the scores stay probabilities, and thresholds do the weighing.
    """

    max_iter: Count = 100
    max_leaf_nodes: Annotated[int, Meta(ge=2)] = 15
    learning_rate: Annotated[float, Meta(gt=0)] = 0.08
    min_samples_leaf: Count = 40
    """Frauds are few: smaller leaves learn single ones by heart."""
    l2_regularization: Annotated[float, Meta(ge=0)] = 1.0


class TrainingOptions(msgspec.Struct, frozen=True, kw_only=True):
    """How history is split, what is fitted, and how many alerts people can take."""

    boosting: Boosting = Boosting()
    seed: int = 0
    test_days: Count = 14
    """The newest days, held out to measure."""
    delay_days: int = 7
    """Left out before them, since fraud is known late: a model of that day could not know these labels."""
    warm_up_days: int = 30
    """Left out at the start, while windows fill: on a new history every customer looks new."""
    review_share: Share = 0.01
    """Share of transactions that people can look at."""
    decline_share: Share = 0.002
    decline_precision: Annotated[float, Meta(gt=0, le=1)] | None = None
    """Where given, decline from the score at which so many of the declined are frauds."""

    def __post_init__(self) -> None:
        if self.decline_share > self.review_share:
            raise ValueError("the decline share must not exceed the review share")


def read_boosting(path: Path | None) -> Boosting:
    """The model's parameters in a TOML file; the defaults without one. Raises ConfigurationError."""
    if path is None:
        return Boosting()
    try:
        return msgspec.toml.decode(path.read_bytes(), type=Boosting)
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read: {error.strerror}") from error
    except (msgspec.MsgspecError, ValueError) as error:
        raise ConfigurationError(f"{path}: {error}. Mend the file.") from error
