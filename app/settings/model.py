"""The group MODEL."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta


class ModelSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Which model decides."""

    dir: str = "models"
    """Holds ``aliases.toml`` and the bundles ``<name>/<version>/``."""
    champion: str = ""
    """``name/version``: nothing else decides on this worker, whatever is ordered. Empty takes what `fraudstream model promote`
    ordered, or ``champion`` of aliases.toml."""
    public_key_file: str = ""
    """PEM of an Ed25519 public key: only bundles signed by its owner are loaded. Empty loads unsigned ones too."""
    backend: Literal["auto", "sklearn", "compiled"] = "auto"
    """What scores: auto measures both when a model is loaded and takes the faster one for each size of a chunk; compiled
    refuses a model that has no machine code."""
    drift_decisions: Annotated[int, Meta(ge=0)] = 50_000
    """A worker holds so many of its latest decisions against the training data of its champion; 0 for none. Fewer see
    a change sooner, and more of chance."""
    challenger_budget_ms: Annotated[float, Meta(gt=0)] = 10.0
    """What scoring one chunk may take each challenger. One that takes longer leaves chunks out until that is made up
    for, and is suspended when it goes on: a full chunk of 2,000 takes a small forest 4 ms."""
