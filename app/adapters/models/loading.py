"""How bundles are loaded: whose signature they need, and the code that scores them."""

from typing import NamedTuple

from app.adapters.catalog_file.deployed import computation
from app.adapters.models.backends import BackendChoice
from app.adapters.models.checks.limits import DEFAULT_LIMITS, Limits
from app.adapters.models.comparisons import Comparisons
from app.computation.feature_set import SHIPPED, FeatureSet
from app.features.compiled import code_folders
from app.settings import ModelSettings


class Loading(NamedTuple):
    """How bundles are loaded.

    Every path that loads a bundle of others states it: ``Loading.by(settings)``. No function has a default, which would be a
    path without the check of the signature.
    """

    public_key_file: str = ""
    """Public key that must verify the signature; empty: no signature is required."""
    backend: BackendChoice = "auto"
    """The back-end that scores the model."""
    comparisons: Comparisons | None = None
    """Where the comparison with scikit-learn is kept for the next time. None: it is made each time and not kept."""
    compare_again: bool = False
    """Make the comparison, whether there is one or not, and keep it."""
    limits: Limits = DEFAULT_LIMITS
    """The sizes of a bundle that is not refused."""
    features: FeatureSet | None = SHIPPED
    """The features that the deployment computes, among which those of a model must be. None: rows have the model's own."""

    @classmethod
    def by(cls, settings: ModelSettings, catalog: str = "") -> "Loading":
        """From the settings; ``catalog`` is FRAUDSTREAM_CATALOG_FILE. Raises ConfigurationError for a catalog that is refused."""
        folders = code_folders()
        comparisons = Comparisons(folders.write, folders.read)
        return cls(
            settings.public_key_file,
            settings.backend,
            comparisons,
            limits=Limits.by(settings),
            features=computation(catalog).features,
        )


UNSIGNED = Loading()
"""For a bundle that this process has written, or is about to sign."""
