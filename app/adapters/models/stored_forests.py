"""Reads a boosted model from its skops file without scikit-learn."""

import numpy as np

from app.adapters.models import skops_files
from app.adapters.models.checks.limits import DEFAULT_LIMITS, Limits
from app.adapters.models.forests import Forest, boosted_forest
from app.errors import BundleCorrupt

_BOOSTED = "sklearn.ensemble._hist_gradient_boosting.gradient_boosting.HistGradientBoostingClassifier"


def stored_forest(data: bytes, width: int, limits: Limits = DEFAULT_LIMITS) -> Forest | None:
    """The boosted model of a skops file for rows of ``width``; None where the file holds anything else.

    Raises BundleCorrupt as ``skops_files.loads`` and ``forests.boosted_forest`` do.
    """
    with skops_files.parts(data, limits) as model:
        if model.kind != _BOOSTED:
            return None
        if np.any(model.attribute("_bin_mapper").attribute("is_categorical_").array()):
            raise BundleCorrupt("the model has categorical features; the catalog has none")
        predictors = [
            tree.attribute("nodes").array()
            for trees in model.attribute("_predictors").items()
            for tree in trees.items()
        ]
        return boosted_forest(predictors, float(model.attribute("_baseline_prediction").array()[0, 0]), width)
