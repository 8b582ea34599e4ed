"""The group MODEL."""

from typing import Annotated, Literal

from msgspec import Meta

from app.settings.kinds import Group


class ModelSettings(Group, frozen=True, kw_only=True):
    """The models: where they are stored, which one decides, and what they may cost."""

    dir: str = "models"
    """Directory with `aliases.toml` and the bundles, `<name>/<version>/`."""
    champion: str = ""
    """`name/version` of the only model that may decide on this worker; orders are then ignored. Empty: the model of the
    newest `fraudstream model promote`, else `champion` of `aliases.toml`."""
    public_key_file: str = ""
    """PEM file of an Ed25519 public key: only bundles signed with its private key are loaded. Empty: unsigned ones too."""
    backend: Literal["auto", "sklearn", "compiled"] = "auto"
    """Code that computes scores. `auto` measures both when a model is loaded and takes the faster one for each chunk size;
    `compiled` rejects a model that cannot be compiled."""
    drift_decisions: Annotated[int, Meta(ge=0)] = 50_000
    """Number of the latest decisions of a worker that are compared with the training data of its champion; 0 compares none.
    Fewer show a change sooner, with more random variation."""
    challenger_budget_ms: Annotated[float, Meta(gt=0)] = 10.0
    """Time budget of each challenger per chunk. A challenger that exceeds it skips chunks until the excess is compensated, and
    is suspended if it keeps exceeding it. A small forest takes 4 ms for a full chunk of 2,000."""
    max_bundle_bytes: Annotated[int, Meta(ge=1024 * 1024, le=4 * 1024**3)] = 256 * 1024 * 1024
    """Largest size of a bundle's model file, stored and unpacked. A larger one is refused before it is unpacked. Loading a bundle
    may take up to five times this memory."""
    max_tree_nodes: Annotated[int, Meta(ge=1)] = 3_000_000
    """Most nodes of all trees of a bundle; one takes 250 bytes while the bundle is loaded."""
    max_golden_rows: Annotated[int, Meta(ge=1, le=100_000)] = 1_000
    """Most golden rows of a bundle. Each is scored alone when the bundle is loaded; `fraudstream train` writes 64."""
